/**
 * Scores `strongmonitor match` on labelled lines: `deno run -A tests/support/corpus.ts DIRECTORY
 * [PROGRAM…]`. The directory has `sshd.jsonl` and `nginx.jsonl` with one case a line: `{id, module,
 * line, address, match}`. `match` says whether the line must be a hit for exactly its address.
 * Without `match` only the address counts.
 */
import { canonicalAddress } from "../../lib/core/address.ts";

interface Case {
  readonly id: string;
  readonly module: string;
  readonly line: string;
  readonly address: string | null;
  readonly match?: boolean;
}

interface Verdict {
  readonly address: string | null;
  readonly hits: readonly string[];
}

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../config.jsonc", import.meta.url).pathname;

async function verdicts(program: readonly string[], cases: readonly Case[]): Promise<Verdict[]> {
  const [command, ...args] = program;
  const child = new Deno.Command(command!, {
    args: [...args, "match", "--module", cases[0]!.module, "--config", CONFIG, "--json", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = new Blob([cases.map(({ line }) => `${line}\n`).join("")]).stream().pipeTo(child.stdin);
  const { stdout, success } = await child.output();
  await input;
  if (!success) throw new Error("match failed");
  return new TextDecoder().decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
}

/** Returns the fault of a verdict; null: none. */
function fault({ address, match }: Case, verdict: Verdict): string | null {
  const expected = address === null ? null : canonicalAddress(address) ?? address;
  if (match === false) return verdict.hits.length === 0 ? null : "false positive";
  if (verdict.address !== null && verdict.address !== expected) return "wrong address";
  if (match === undefined) return null;
  return verdict.hits.length === 0 ? "missed" : null;
}

const [directory, ...program] = Deno.args;
let bad = 0;
for (const name of ["sshd", "nginx"]) {
  const cases: Case[] = Deno.readTextFileSync(`${directory}/${name}.jsonl`).trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  const found = await verdicts(program.length > 0 ? program : [Deno.execPath(), "run", "-A", MAIN], cases)
    .catch(() => null);
  if (found === null) {
    console.log(`${name}: this module is not configured`);
    continue;
  }
  const faults = cases.flatMap((item, i) => {
    const why = fault(item, found[i]!);
    return why === null ? [] : [`  ${why}: ${item.id}: got ${JSON.stringify(found[i])}: ${item.line}`];
  });
  const positives = cases.filter(({ match }) => match === true).length;
  const count = (why: string) => faults.filter((line) => line.startsWith(`  ${why}`)).length;
  const hits = cases.filter((item, i) => item.match !== undefined && found[i]!.hits.length > 0).length;
  const right = hits - count("false positive") - count("wrong address");
  console.log(
    `${name}: ${cases.length} lines, ${faults.length} faults, recall ${right}/${positives}, precision ${right}/${hits}, ` +
      `${count("wrong address")} wrong addresses`,
  );
  faults.forEach((line) => console.log(line));
  bad += faults.length;
}
Deno.exit(bad === 0 ? 0 : 1);
