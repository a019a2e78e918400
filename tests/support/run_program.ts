// Runs the program named by its arguments as the monitor does, and prints the result as JSON.
import { Runner } from "../../lib/core/child_process.ts";

const options = { timeout: 10_000_000, signal: new AbortController().signal, output: true };
console.log(JSON.stringify(await new Runner().run(Deno.args, options)));
