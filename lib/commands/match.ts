import { decode } from "../core/bytes.ts";
import { nearest } from "../config/suggest.ts";
import { UserError } from "../core/error.ts";
import { lookAt } from "../core/file_identity.ts";
import { counted } from "../core/text.ts";
import type { ModuleRules } from "../rules/rule.ts";
import type { Batch } from "../sources/source.ts";
import { type Input, inputOrStdin, openInput, readInput } from "./common/input.ts";
import { type LineMatch, LineMatcher, recordOf } from "./common/dry_run.ts";
import { openConfigOrShipped } from "./common/open_config.ts";
import { type CommonOptions, print, printJson, printResult } from "./common/output.ts";
import { uncountedText } from "./common/words.ts";

/** Result of one line, with its number from 1. */
type Match = Omit<LineMatch, "isUnderstood"> & { readonly n: number };

/**
 * `match`: reads a line, a file or standard input (`-`) as the modules would, and prints each
 * line's result and the hits of each rule. A line belongs to the module that finds an address in
 * it, first to one whose rules it hits.
 */
export async function matchCommand(
  input: string | undefined,
  options: CommonOptions & { module?: string },
): Promise<number> {
  const name = inputOrStdin(input);
  const matchers = chosenModules(options).map((rules) => new LineMatcher(rules));
  const counts = new MatchCounts();
  for await (const { records } of batchesOf(name)) {
    for (let i = 0; i < records.length; i++) {
      const { isUnderstood: _, ...best } = bestOf(matchers.map((matcher) => matcher.match(records, i)));
      const match = { n: counts.lines + 1, ...best };
      counts.add(match);
      if (options.json) printJson(match);
      else print(matchText(match, decode(records.bytes, records.from[i]!, records.to[i]!)));
    }
  }
  const { summary } = counts;
  printResult(options, { summary }, ...summaryLines(summary));
  return 0;
}

/** Returns the configured modules, or the chosen one. Throws `UserError` (64). */
function chosenModules(options: CommonOptions & { module?: string }): readonly ModuleRules[] {
  const { modules, path } = openConfigOrShipped(options);
  if (options.module === undefined) return modules;
  const found = modules.find(({ module }) => module.name === options.module);
  if (found) return [found];
  const names = modules.map(({ module }) => module.name);
  const meant = nearest(options.module, names);
  const hint = meant === null ? "" : `, did you mean ${meant}?`;
  throw new UserError(
    `Cannot match by module "${options.module}": ${path} configures ${names.join(", ")}${hint}`,
    64,
  );
}

/** Returns the lines to match. `input` with a blank is a line, unless a file has that name. */
function batchesOf(input: string): AsyncIterable<Pick<Batch, "records">> {
  if (input === "") throw new UserError("Cannot match: the line is empty", 64);
  if (/\s/.test(input) && !lookAt(input)?.isFile) return ReadableStream.from([{ records: recordOf(input) }]);
  return readInput(openWord(input));
}

/** Opens a file. A single word may be meant as a line: the error says how to pass one. */
function openWord(word: string): Input {
  try {
    return openInput(word, "match");
  } catch (error) {
    if (!(error instanceof UserError) || /[/.]/.test(word)) throw error;
    const hint = "a line of a single word is read from standard input: strongmonitor match -";
    throw new UserError(`${error.message}; ${hint}`, error.code);
  }
}

/** Chooses the result of the module that a line belongs to. */
function bestOf(matches: readonly LineMatch[]): LineMatch {
  const isOwn = ({ address }: LineMatch) => address !== null;
  const own = matches.find(({ hits }) => hits.length > 0) ?? matches.find(isOwn);
  return own ?? (matches.length === 1 ? matches[0]! : { ...matches[0]!, module: null });
}

class MatchCounts {
  lines = 0;
  /** Lines that name an address. */
  #events = 0;
  /** Lines that rules hit without counting. */
  #uncounted = 0;
  readonly #hits = new Map<string, { module: string; name: string; hits: number }>();

  add({ module, address, hits, counted }: Match): void {
    this.lines++;
    if (address !== null) this.#events++;
    if (!counted) {
      if (hits.length > 0) this.#uncounted++;
      return;
    }
    for (const name of hits) {
      const key = `${module} ${name}`;
      const before = this.#hits.get(key) ?? { module: module!, name, hits: 0 };
      this.#hits.set(key, { ...before, hits: before.hits + 1 });
    }
  }

  /** Sums over all lines, the rules with most counted hits first. */
  get summary() {
    const rules = [...this.#hits.values()].sort((a, b) => b.hits - a.hits);
    return { lines: this.lines, events: this.#events, uncounted: this.#uncounted, rules };
  }
}

function matchText({ address, hits, counted, logged }: Match, line: string): string {
  const marks = [...counted ? [] : [" (not counted: trusted_proxies)"], ...logged ? [] : [" (not recorded)"]];
  const verdict = address === null
    ? "-"
    : hits.length > 0
    ? `${hits.join(",")}${marks.join("")}`
    : logged
    ? "recorded"
    : "not recorded";
  return `${(address ?? "-").padEnd(15)}  ${verdict.padEnd(16)}  ${line}`;
}

function summaryLines({ lines, events, uncounted, rules }: MatchCounts["summary"]): string[] {
  const width = Math.max(0, ...rules.map(({ module, name }) => module.length + name.length + 1));
  const none = uncounted === 0 ? "no rule hit" : "no hit counts";
  return [
    "",
    `${counted(lines, "line")}, ${events} with an address, ${rules.length === 0 ? none : "hits by rule:"}`,
    ...rules.map(({ module, name, hits }) => `  ${`${module} ${name}`.padEnd(width)}  ${hits}`),
    ...uncounted === 0 ? [] : [uncountedText(uncounted)],
  ];
}
