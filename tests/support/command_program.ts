/**
 * Bans by the command of the first argument until no slot is free, and prints the number of bans.
 * After a line on standard input it prints the number of free slots, as soon as all are free, or
 * after the seconds of the second argument.
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
  // Commands that can be ended have ended by then.
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
