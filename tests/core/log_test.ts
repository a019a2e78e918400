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
