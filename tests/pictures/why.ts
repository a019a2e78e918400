/** Draws docs/why.svg: `why` of an attacker in a fixed history. `--stdout` prints it instead. */
import { WIDTH } from "../../lib/commands/common/layout.ts";
import type { Line } from "../../lib/commands/watch/cell.ts";
import { storyOf } from "../../lib/commands/why/story.ts";
import { storyLines } from "../../lib/commands/why/text.ts";
import { load, SHIPPED } from "../support/configs.ts";
import { temporaryState } from "../support/helpers.ts";
import { fillHistory } from "../support/history.ts";
import { NOON } from "../support/watch_model.ts";
import { publish, terminalPicture } from "./terminal.ts";

/** An address that was banned, came back, and was banned for longer. */
const ATTACKER = "198.19.83.2";
const COMMAND = `strongmonitor why ${ATTACKER}`;
const SIZE = { columns: 84, rows: 25 };

/** Highlights labels and passed limits. */
function styled(text: string): Line {
  const [, label, rest] = text.match(/^([a-z]+ +)(.*)/)!;
  return [{ text: label!, style: "accent" }, { text: rest!, style: "plain" }];
}

Deno.env.set("TZ", "UTC");
using temporary = temporaryState();
await fillHistory(temporary.state, { now: NOON, days: 2 });
const config = load(Deno.readTextFileSync(SHIPPED));
const story = storyOf(ATTACKER, { state: temporary.state, config, time: NOON });
const rest = { isRunning: true, members: null, memberError: null, configError: null };
const told = storyLines({ ...story, ...rest }, WIDTH);
const lines: Line[] = [
  [{ text: "$ ", style: "dim" }, { text: COMMAND, style: "bold" }],
  ...told.slice(0, SIZE.rows - 1).map((text): Line =>
    /^(bans|counts|lines) /.test(text)
      ? styled(text)
      : [{ text, style: /^ {6}/.test(text) ? "dim" : "plain" }]
  ),
];
await publish("why.svg", terminalPicture({ lines, columns: SIZE.columns, label: COMMAND }));
