import { strict as assert } from "node:assert";
import { askUser } from "../../lib/commands/init/questions.ts";
import type { Survey } from "../../lib/commands/init/survey.ts";

const SURVEY: Survey = {
  ...{ journal: null, hasJournal: true, sshLog: null, sshPorts: [22] },
  ...{ hasNft: true, obstacle: null, managers: [], unit: "strongmonitor", bansBySudo: false },
  ...{ origins: ["198.51.100.7", "203.0.113.9"], origin: "198.51.100.7", nginx: null },
};

/** Answers the questions by these lines; returns the questions too. */
function answered(survey: Survey, lines: readonly string[]) {
  const [left, asked] = [[...lines], [] as string[]];
  const { readSync } = Deno.stdin;
  const { writeSync } = Deno.stderr;
  Deno.stdin.readSync = (bytes) => new TextEncoder().encodeInto(`${left.shift() ?? ""}\n`, bytes).written;
  Deno.stderr.writeSync = (bytes) => {
    asked.push(new TextDecoder().decode(bytes));
    return bytes.length;
  };
  try {
    return { answers: askUser(survey), asked };
  } finally {
    Deno.stdin.readSync = readSync;
    Deno.stderr.writeSync = writeSync;
  }
}

Deno.test("`init` tells the user's own session from those of others, of whom each is asked about", () => {
  const { answers, asked } = answered(SURVEY, ["y", "perhaps", "n", ""]);
  assert.deepEqual(answers, { whitelist: ["198.51.100.7"], bans: true, isDirect: null });
  assert.match(asked[0]!, /^You are logged in from 198\.51\.100\.7\. Never ban that address\? \[Y\/n\] $/);
  assert.match(asked[1]!, /^Somebody else is logged in from 203\.0\.113\.9\. /);
  assert.equal(asked[2], asked[1], "an answer that is neither");
});

Deno.test("`init` knows of a session without its own that somebody has it", () => {
  const { asked } = answered({ ...SURVEY, origin: null }, []);
  assert.match(asked[0]!, /^Somebody is logged in from 198\.51\.100\.7\. /);
});
