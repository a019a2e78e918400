/**
 * Bans by the command that the first argument names, until it has no room for another one, and prints how many that were. Then
 * it waits for a line on standard input, and prints how much room there is as soon as there is all, or after the seconds of the
 * second argument.
 */
import { CommandFirewall } from "../../lib/firewall/command.ts";
import { SECOND } from "../../lib/core/time.ts";
import type { Ban } from "../../lib/deciding/ban.ts";

const [program, seconds] = Deno.args;
const firewall = new CommandFirewall({
  ban: [program!, "%s"],
  unban: null,
  timeout: SECOND / 2,
  concurrency: 3,
});
let calls = 0;
while (firewall.parallel > 0 && calls < 10) {
  const ban = { address: `192.0.2.${++calls}` } as Ban;
  await firewall.ban([ban], new AbortController().signal);
  // Whoever can be ended is gone by then.
  await new Promise((resolve) => setTimeout(resolve, 500));
}
console.log(calls);
await Deno.stdin.read(new Uint8Array(1));
const deadline = Date.now() + Number(seconds) * 1_000;
while (firewall.parallel < 3 && Date.now() < deadline) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
console.log(firewall.parallel);
Deno.exit();
