import { strict as assert } from "node:assert";

for (const name of ["watch", "why"]) {
  const script = new URL(`${name}.ts`, import.meta.url).pathname;

  Deno.test(`docs/${name}.svg is what tests/pictures/${name}.ts makes, in at most 150 KB`, async () => {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", "--allow-all", script, "--stdout"],
      env: { TZ: "UTC" },
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const picture = Deno.readTextFileSync(new URL(`../../docs/${name}.svg`, import.meta.url));
    assert.ok(
      new TextDecoder().decode(stdout) === picture,
      `run: TZ=UTC deno run -A tests/pictures/${name}.ts`,
    );
    assert.ok(stdout.length <= 150_000);
  });
}
