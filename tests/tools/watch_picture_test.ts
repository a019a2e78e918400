import { strict as assert } from "node:assert";

const SCRIPT = new URL("../../tools/watch_picture.ts", import.meta.url).pathname;
const PICTURE = new URL("../../docs/watch.svg", import.meta.url).pathname;

Deno.test("docs/watch.svg is what tools/watch_picture.ts makes, in at most 150 KB", async () => {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", SCRIPT, "--stdout"],
    env: { TZ: "UTC" },
  }).output();
  assert.ok(success);
  const made = new TextDecoder().decode(stdout);
  assert.ok(made === Deno.readTextFileSync(PICTURE), "run: TZ=UTC deno run -A tools/watch_picture.ts");
  assert.ok(stdout.length <= 150_000);
});
