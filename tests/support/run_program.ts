// Runs the program given as arguments as the monitor runs programs, and prints the result as JSON.
import { Runner } from "../../lib/core/child_process.ts";

const options = { timeout: 10_000_000, signal: new AbortController().signal, output: true };
console.log(JSON.stringify(await new Runner().run(Deno.args, options)));
