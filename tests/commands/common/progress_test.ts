import { strict as assert } from "node:assert";
import { Tmux } from "../../support/tmux.ts";

const MODULE = new URL("../../../lib/commands/common/progress.ts", import.meta.url).href;
/** Draws a bar that is wider than the terminal, six times. */
const PROGRAM = `const { Progress } = await import("${MODULE}");
const progress = new Progress();
progress.begin("bytes", 1e9);
for (let i = 0; i < 6; i++) await new Promise((resolve) => setTimeout(resolve, 110)).then(() => progress.add(1e8));
console.log("\\ndone");`;

Deno.test({
  name: `a progress bar keeps to one line of a narrow terminal${Tmux.missing}`,
  ignore: !Tmux.isThere,
  async fn() {
    await using tmux = await Tmux.open({ columns: 30, rows: 12 });
    await tmux.run([Deno.execPath(), "eval", "--quiet", PROGRAM.replaceAll("\n", " ")]);
    await tmux.until(/done/);
    assert.deepEqual((await tmux.screen()).slice(0, 2), [`[${"#".repeat(18)}${".".repeat(10)}`, "done"]);
  },
});

Deno.test("`openInput()` knows the size of a file behind standard input, without a permission, and of no pipe", async () => {
  const input = new URL("../../../lib/commands/common/input.ts", import.meta.url).href;
  const directory = Deno.makeTempDirSync();
  try {
    const [file, code] = [`${directory}/log`, `${directory}/program.ts`];
    Deno.writeTextFileSync(file, "x".repeat(1_234));
    Deno.writeTextFileSync(
      code,
      `import { openInput } from "${input}"; console.log(openInput("-", "replay").size);`,
    );
    const program = '"$DENO" run --quiet --no-prompt --no-check "$CODE"';
    for (
      const [line, size] of [
        [`${program} < "$FILE"`, "1234"],
        [`${program} < /dev/null`, "null"],
        [`${program} 0<&-`, "null"],
        [`cat "$FILE" | ${program}`, "null"],
      ] as const
    ) {
      const env = { DENO: Deno.execPath(), FILE: file, CODE: code };
      const { stdout, stderr } = await new Deno.Command("sh", { args: ["-c", line], env }).output();
      const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      assert.deepEqual([out, err], [`${size}\n`, ""], line);
    }
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
