import { compile } from "../../tools/compile.ts";
import { npmBase } from "../../tools/npm_base.ts";
import type { Workshop } from "./workshop.ts";

/** A program that ends after reading a line. Without standard input it waits for ever. */
const SOURCE = `const line = new Uint8Array(4_096);
if (Deno.stdin.readSync(line) !== null) console.log("read");
else setInterval(() => {}, 1e6);
`;

/** Compiles the smallest possible Deno program, as ours is compiled. Returns the executable's path. */
export async function makeBare({ directory }: Workshop): Promise<string> {
  const [source, program] = [`${directory}/bare.ts`, `${directory}/bare`];
  await Deno.writeTextFile(source, SOURCE);
  await compile(source, { output: program, permissions: [], base: await npmBase(() => {}) });
  return program;
}
