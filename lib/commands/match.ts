import { decode } from "../core/bytes.ts";
import { UserError } from "../core/error.ts";
import type { ModuleRules } from "../rules/rule.ts";
import { openInput, readInput } from "./input.ts";
import { type LineMatch, LineMatcher } from "./dry_run.ts";
import { openConfig } from "./open.ts";
import { type CommonOptions, print, printJson } from "./output.ts";

/** What the rules make of one line, with its number from 1. */
type Match = LineMatch & { readonly n: number };

/** `match`: reads the lines of `file` (`-`: standard input) as one module would and tells what it makes of each. */
export async function matchCommand(
  file: string,
  options: CommonOptions & { module: string },
): Promise<number> {
  const matcher = new LineMatcher(requireModule(options));
  let n = 0;
  for await (const { records } of readInput(openInput(file, "match"))) {
    for (let i = 0; i < records.length; i++) {
      const match = { n: ++n, ...matcher.match(records, i) };
      if (options.json) printJson(match);
      else print(matchText(match, decode(records.bytes, records.from[i]!, records.to[i]!)));
    }
  }
  return 0;
}

function requireModule(options: CommonOptions & { module: string }): ModuleRules {
  const { modules, path } = openConfig(options);
  const found = modules.find(({ module }) => module.name === options.module);
  if (found) return found;
  const names = modules.map(({ module }) => module.name).join(", ");
  throw new UserError(`Cannot match by module "${options.module}": ${path} configures ${names}`, 64);
}

function matchText({ address, hits, logged }: Match, line: string): string {
  const verdict = address === null
    ? "-"
    : hits.length > 0
    ? hits.join(",")
    : logged
    ? "recorded"
    : "not recorded";
  return `${(address ?? "-").padEnd(15)}  ${verdict.padEnd(16)}  ${line}`;
}
