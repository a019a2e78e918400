import type { Config } from "../config/types.ts";

/**
 * Programs of `config` that are missing or not executable, a sentence each. Where this process may not look, nothing
 * is said.
 */
export function programWarnings({ ban }: Config): string[] {
  const commands = ban.firewall === "nftables"
    ? [["nft_command", ban.nft] as const]
    : [["ban_command", ban.command], ["unban_command", ban.unban]] as const;
  return commands.flatMap(([key, command]) =>
    programsOf(command ?? []).flatMap((program) => {
      const fault = faultOf(program);
      return fault === null ? [] : [`${key} cannot run ${program}: ${fault}`];
    })
  );
}

/** What a command runs: its first word, and what sudo(8) is given to run by an absolute path. */
function programsOf([program, ...args]: readonly string[]): string[] {
  if (program === undefined) return [];
  const run = /(?:^|\/)sudo$/.test(program) ? args.find((word) => word.startsWith("/")) : undefined;
  return run === undefined ? [program] : [program, run];
}

function faultOf(program: string): string | null {
  if (program.includes("/")) return faultOfFile(program);
  const faults = searchPath().map((directory) => faultOfFile(`${directory}/${program}`));
  return faults.length > 0 && faults.every((fault) => fault !== null) ? "it is nowhere in PATH" : null;
}

function faultOfFile(path: string): string | null {
  try {
    const { isFile, mode } = Deno.statSync(path);
    if (!isFile) return "it is not a file";
    return ((mode ?? 0) & 0o111) === 0 ? "it is not executable" : null;
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "there is no such file" : null;
  }
}

/** Directories in which programs are looked for; none where this process may not know. */
function searchPath(): string[] {
  if (Deno.permissions.querySync({ name: "env", variable: "PATH" }).state !== "granted") return [];
  return (Deno.env.get("PATH") ?? "").split(":").filter((directory) => directory !== "");
}
