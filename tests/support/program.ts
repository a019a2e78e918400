/** The program's main file. */
export const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** Output and exit code of a command. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program in UTC with all permissions, or with `rights`, and with the variables `env`. */
export async function program(
  args: readonly string[],
  rights: readonly string[] = ["--allow-all"],
  env: Record<string, string> = {},
): Promise<Result> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...rights, MAIN, ...args],
    env: { TZ: "UTC", NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
