/** Runs `watch` on the state of the first argument, with a fault in the code that draws it. */
import { watchCommand } from "../../lib/commands/watch/watch.ts";

Number.prototype.toLocaleString = () => {
  throw new Error("a fault of the picture");
};
const signals = () => ({ stop: new AbortController().signal, onReload: () => {} });
Deno.exit(await watchCommand({ config: "/nonexistent", state: Deno.args[0]! }, signals));
