import { compile } from "../../tools/build.ts";
import { npmBase } from "../../tools/npm_base.ts";
import type { Workshop } from "./workshop.ts";

/** Ends once a line is read; without standard input it does nothing for good. */
const SOURCE = `const line = new Uint8Array(4_096);
if (Deno.stdin.readSync(line) !== null) console.log("read");
else setInterval(() => {}, 1e6);
`;

/** The least that a program of Deno's can be, compiled as ours is: returns the path of its executable. */
export async function makeBare({ directory }: Workshop): Promise<string> {
  const [source, program] = [`${directory}/bare.ts`, `${directory}/bare`];
  await Deno.writeTextFile(source, SOURCE);
  await compile(source, { output: program, permissions: [], base: await npmBase(() => {}) });
  return program;
}
