import { commandsOf, firewallsOf } from "../../config/firewalls.ts";
import type { Config } from "../../config/types.ts";
import { hindrance } from "../../config/permissions.ts";
import { asRoot } from "../common/machine.ts";
import { shellWord } from "../../core/text.ts";
import { isSudo } from "../../core/child_process.ts";

/** The packages of programs, by the same names in all distributions. */
const PACKAGES: ReadonlyMap<string, string> = new Map([["nft", "nftables"], ["sudo", "sudo"]]);

/** Returns a sentence for each program of `config` that is seen to be missing or not executable. */
export function programProblems(config: Config): string[] {
  return firewallsOf(config).flatMap(commandsOf).flatMap(({ key, command }) =>
    programsOf(command).flatMap((program) => {
      const fault = faultOf(program);
      return fault === null ? [] : [`${key.join(".")} cannot run ${program}: ${fault}`];
    })
  );
}

/** Returns why the program of `notify` cannot be run; null: it can, or this process may not look. */
export function notifyProblem({ notify }: Config): string | null {
  const fault = notify && faultOf(notify.program);
  return fault && `notify cannot run ${notify!.program}: ${fault}; docs/notify.md has programs to install`;
}

/** Returns the programs of a command: its first word, and for sudo(8) its first absolute path. */
function programsOf([program, ...args]: readonly string[]): string[] {
  if (program === undefined) return [];
  const run = isSudo(program) ? args.find((word) => word.startsWith("/")) : undefined;
  return run === undefined ? [program] : [program, run];
}

function faultOf(program: string): string | null {
  if (program.includes("/")) return faultOfFile(program);
  if (hindrance(program) !== "missing") return null;
  const name = PACKAGES.get(program);
  return `it is not installed${name === undefined ? "" : `; install the package ${name}`}`;
}

function faultOfFile(path: string): string | null {
  try {
    const { isFile, mode } = Deno.statSync(path);
    if (!isFile) return "it is not a file";
    const isExecutable = ((mode ?? 0) & 0o111) !== 0;
    return isExecutable ? null : `it is not executable; ${asRoot(`chmod +x ${shellWord(path)}`)}`;
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "there is no such file" : null;
  }
}
