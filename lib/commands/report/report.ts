import { firstLineOf, tried, UserError } from "../../core/error.ts";
import { shellWord } from "../../core/text.ts";
import { now } from "../../core/time.ts";
import { dashed } from "../common/input.ts";
import { requireSince } from "../common/values.ts";
import { withState } from "../common/open_state.ts";
import { type CommonOptions, print, printData, printJson, printLines } from "../common/output.ts";
import { unusableBy } from "../status/status.ts";
import { reviewOf } from "./gather.ts";
import { reviewJson } from "./json.ts";
import { reviewPage } from "./page.ts";
import { reviewLines } from "./text.ts";

/** Options of `report`. */
export interface ReportOptions extends CommonOptions {
  readonly since: string;
  /** File for the page; `-` or true: standard output. */
  readonly html?: string | true;
}

/**
 * `report`: prints attackers since a time, when, how and with what success, as text or as a page.
 * Throws `UserError` (64: a future time; 69: an unusable state or file).
 */
export function reportCommand({ html, ...options }: ReportOptions): number {
  const [since, time] = [requireSince(options.since), now()];
  const review = withState(options, (state, loaded) => {
    const unusable = unusableBy(options, { state, loaded });
    return reviewOf(state, { since, now: time, host: Deno.hostname(), unusable });
  });
  if (options.json) printJson(reviewJson(review));
  else if (html === undefined) printLines(reviewLines(review));
  else if (html === true || html === "-") printData(reviewPage(review).trimEnd().split("\n"));
  else {
    writeWhole(reviewPage(review), html);
    print(`${html} is written.`);
  }
  return 0;
}

/** Writes a file, and moves it into place once complete. Throws `UserError` (69). */
function writeWhole(text: string, file: string): void {
  const fresh = `${file}.new`;
  try {
    // In a directory such as /tmp, another user may have laid a link here.
    tried(() => Deno.removeSync(fresh));
    Deno.writeTextFileSync(fresh, text, { mode: 0o640, createNew: true });
    Deno.renameSync(fresh, file);
  } catch (error) {
    tried(() => Deno.removeSync(fresh));
    const cause = error instanceof Deno.errors.NotCapable
      ? `this program may write its state alone; have the shell write it: ${
        dashed({ name: file, command: "report --html" })
      } > ${shellWord(file)}`
      : firstLineOf(error);
    throw new UserError(`Cannot write ${file}: ${cause}`, 69);
  }
}
