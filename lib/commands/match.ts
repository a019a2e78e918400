import { Engine } from "../rules/engine.ts";
import { lineEntry } from "../sources/lines.ts";
import { type Micros, type ModuleRules, UserError } from "../types.ts";
import { inputLines, openInput } from "./input.ts";
import { openConfig } from "./open.ts";
import { type CommonOptions, print, printJson } from "./output.ts";
import { printable } from "../log.ts";

/** What the rules make of one line. */
interface Verdict {
  /** Number of the line, from 1. */
  readonly n: number;
  readonly module: string;
  readonly address: string | null;
  /** Names of the rules hit. */
  readonly hits: readonly string[];
  /** Whether the line would be recorded. */
  readonly logged: boolean;
}

/** `match`: reads the lines of `file` (`-`: standard input) as one module would and tells the verdict on each. */
export async function matchCommand(
  file: string,
  options: CommonOptions & { module: string },
): Promise<number> {
  const rules = requireModule(options);
  const engine = new Engine([rules]);
  const now = Date.now() * 1_000;
  let n = 0;
  for await (const lines of inputLines(openInput(file))) {
    for (const line of lines) {
      const verdict = { n: ++n, ...judge(line, { rules, engine, now }) };
      if (options.json) printJson(verdict);
      else print(verdictLine(verdict, line));
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

function judge(
  line: string,
  { rules, engine, now }: { rules: ModuleRules; engine: Engine; now: Micros },
): Omit<Verdict, "n"> {
  const { module, noLog } = rules;
  const { identifier, message } = lineEntry(line, { modules: [module], now, time: now });
  const parsed = module.identifiers.includes(identifier) ? module.parse(message) : null;
  if (parsed === null) return { module: module.name, address: null, hits: [], logged: false };
  return {
    module: module.name,
    address: parsed.address,
    hits: engine.match(module.name, message),
    logged: !noLog.some((prefix) => message.startsWith(prefix)),
  };
}

function verdictLine({ address, hits, logged }: Verdict, line: string): string {
  const verdict = address === null
    ? "-"
    : hits.length > 0
    ? hits.join(",")
    : logged
    ? "recorded"
    : "not recorded";
  return `${(address ?? "-").padEnd(15)}  ${verdict.padEnd(16)}  ${printable(line)}`;
}
