/**
 * A journalctl for tests. It prints the entries of the file `entries` in the directory of its first
 * argument, from the given cursor on, and follows the file. It dies if there is a file `dead`.
 */
import { exists } from "./probes.ts";

const [directory, ...args] = Deno.args;
const after = Number(args.find((arg) => arg.startsWith("--cursor="))?.slice("--cursor=".length) ?? 0);
if (args.includes("--lines=0")) Deno.exit(0);

for (let printed = 0;;) {
  if (exists(`${directory}/dead`)) {
    console.error("journal on fire");
    Deno.exit(3);
  }
  const entries = Deno.readTextFileSync(`${directory}/entries`).split("\n\n").slice(0, -1);
  for (const entry of entries.slice(printed)) {
    const cursor = Number(/^__CURSOR=(\d+)/.exec(entry)?.[1]);
    if (cursor >= after) Deno.stdout.writeSync(new TextEncoder().encode(`${entry}\n\n`));
  }
  printed = entries.length;
  if (!args.includes("--follow")) Deno.exit(0);
  await new Promise((resolve) => setTimeout(resolve, 20));
}
