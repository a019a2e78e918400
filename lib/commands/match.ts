import { Engine } from "../rules/engine.ts";
import { now } from "../core/time.ts";
import { isRecorded, Reader, textEntry } from "../reader.ts";
import type { ModuleRules } from "../rules/rule.ts";
import { UserError } from "../core/error.ts";
import { inputLines, openInput } from "./input.ts";
import { openConfig } from "./open.ts";
import { type CommonOptions, print, printJson } from "./output.ts";
import { printable } from "../core/text.ts";

/** What the rules make of one line. */
interface Match {
  /** Number of the line, from 1. */
  readonly n: number;
  readonly module: string;
  readonly address: string | null;
  /** What the module read out of the line. */
  readonly fields: Readonly<Record<string, string>>;
  /** Names of the rules hit. */
  readonly hits: readonly string[];
  /** Whether the line would be recorded. */
  readonly logged: boolean;
}

/** `match`: reads the lines of `file` (`-`: standard input) as one module would and tells what it makes of each. */
export async function matchCommand(
  file: string,
  options: CommonOptions & { module: string },
): Promise<number> {
  const rules = requireModule(options);
  const [reader, engine] = [new Reader([rules]), new Engine([rules])];
  let n = 0;
  for await (const lines of inputLines(openInput(file))) {
    for (const line of lines) {
      const match = { n: ++n, ...matchLine(line, { rules, reader, engine }) };
      if (options.json) printJson(match);
      else print(matchText(match, line));
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

function matchLine(
  line: string,
  { rules, reader, engine }: { rules: ModuleRules; reader: Reader; engine: Engine },
): Omit<Match, "n"> {
  const { parsed, message } = reader.read(textEntry(line, now()), now()) ?? { parsed: null, message: line };
  const { address = null, fields = {} } = parsed ?? {};
  const module = rules.module.name;
  if (address === null) return { module, address, fields, hits: [], logged: false };
  const hits = engine.match(module, { message, fields });
  return { module, address, fields, hits, logged: isRecorded(rules, { message, isHit: hits.length > 0 }) };
}

function matchText({ address, hits, logged }: Match, line: string): string {
  const verdict = address === null
    ? "-"
    : hits.length > 0
    ? hits.join(",")
    : logged
    ? "recorded"
    : "not recorded";
  return `${(address ?? "-").padEnd(15)}  ${verdict.padEnd(16)}  ${printable(line)}`;
}
