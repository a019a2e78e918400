import assert from "node:assert/strict";

const LINES = "<4>a ban failed\n<6>of \\x1b[31m\\u{202e}a\\x0ab\n";

/** What a program says on standard error whose log is told three things. */
async function said(verbose: boolean): Promise<string> {
  const code = `
    import { openLog } from "./lib/core/log.ts";
    const log = openLog({ verbose: ${verbose} });
    log.warn("a ban failed");
    log.info("of \\x1b[31m\\u202ea\\nb");
    log.debug(() => { console.error("made"); return "Error: dead\\n    at place"; });
  `;
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", code],
    cwd: new URL("../..", import.meta.url),
    stderr: "piped",
  }).output();
  return new TextDecoder().decode(stderr);
}

Deno.test("`Log.debug()` is a record with a priority for each line", async () => {
  assert.equal(await said(true), `made\n${LINES}<7>Error: dead\n<7>    at place\n`);
});

Deno.test("`Log.debug()` makes no text where nobody reads it", async () => {
  assert.equal(await said(false), LINES);
});

Deno.test("a log that nobody reads stops nobody, and tells how many of its lines are missing", async () => {
  const code = `
    import { lastLinesWritten, openLog } from "./lib/core/log.ts";
    const log = openLog({ verbose: false });
    for (let i = 0; i < 2; i++) {
      for (let line = 0; line < 150_000; line++) log.info("somebody was banned for a day");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    console.log("alive");
    await new Promise((resolve) => Deno.stdin.readSync(new Uint8Array(1)) && setTimeout(resolve, 500));
    log.info("last");
    await lastLinesWritten();
    Deno.exit(3);
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", code],
    cwd: new URL("../..", import.meta.url),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.stdout.getReader();
  assert.equal(new TextDecoder().decode((await output.read()).value), "alive\n");
  const input = child.stdin.getWriter();
  await input.write(Uint8Array.of(10));
  await input.close();
  const lines = (await new Response(child.stderr).text()).trimEnd().split("\n");
  assert.equal((await child.status).code, 3);
  await output.cancel();
  const at = lines.findIndex((line) => line.startsWith("<4>"));
  const [, missing] = /^<4>(\d+) lines are missing here: this log was not read in time$/.exec(lines[at]!)!;
  assert.equal(lines.length - 2 + Number(missing), 300_000);
  assert.equal(lines.at(-1), "<6>last");
});
