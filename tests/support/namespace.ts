import { works } from "./probes.ts";

/** Output and exit code of a program. */
export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with a text as input. */
export type Run = (words: readonly string[], input?: string) => Promise<Answer>;

/** Reports whether this user can make a network namespace in which each of `programs` works. */
export function lacking(...programs: readonly string[]): boolean {
  if (Deno.uid() !== 0) return true;
  const probes: Record<string, string[]> = { ip: ["link"], nft: ["list", "ruleset"], ipset: ["list"] };
  return programs.some((program) => !works("unshare", ["--net", program, ...probes[program]!]));
}

/** Makes a network namespace, gives `use` a function that runs programs in it, and removes it. */
export async function inNamespace(use: (run: Run, name: string) => Promise<void>): Promise<void> {
  const name = `strongmonitor-${crypto.randomUUID().slice(0, 8)}`;
  const run: Run = (words, input = "") => spawn(["ip", "netns", "exec", name, ...words], input);
  const { code, stderr } = await spawn(["ip", "netns", "add", name], "");
  if (code !== 0) throw new Error(`Cannot make a network namespace: ${stderr}`);
  try {
    await use(run, name);
  } finally {
    await spawn(["ip", "netns", "delete", name], "");
  }
}

async function spawn([program, ...args]: readonly string[], input: string): Promise<Answer> {
  const child = new Deno.Command(program!, { args, stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  const writing = writer.write(new TextEncoder().encode(input)).then(() => writer.close());
  const { code, stdout, stderr } = await child.output();
  await writing;
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
