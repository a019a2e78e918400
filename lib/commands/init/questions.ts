import { printError, promptError } from "../common/output.ts";
import type { Answers } from "./draft.ts";
import type { Survey } from "./survey.ts";

/** Answers without asking: whitelists only the origin of this session; proxies stay unknown. */
export function proposed({ origin, obstacle }: Survey): Answers {
  return { whitelist: origin === null ? [] : [origin], bans: obstacle === null, isDirect: null };
}

/** Asks the user on standard error, and reads the answers from standard input. */
export function askUser({ origins, origin, obstacle, nginx }: Survey): Answers {
  const whitelist = origins.filter((address) => {
    const who = address === origin ? "You are" : origin === null ? "Somebody is" : "Somebody else is";
    return agrees(`${who} logged in from ${address}. Never ban that address?`, true);
  });
  const bans = obstacle === null &&
    agrees("Ban attackers, by nftables? (No: only say whom it would ban.)", true);
  const knowsProxies = nginx === null || nginx.proxies.length > 0 || nginx.busiest !== null;
  const isDirect = knowsProxies
    ? null
    : agrees("Do clients reach nginx directly, with no proxy or CDN in front?", false) || null;
  return { whitelist, bans, isDirect };
}

/** Asks until answered; an empty line, or the end of input, accepts the proposal. */
export function agrees(question: string, isProposed: boolean): boolean {
  for (;;) {
    promptError(`${question} [${isProposed ? "Y/n" : "y/N"}] `);
    // A terminal delivers whole lines.
    const bytes = new Uint8Array(1_024);
    const count = Deno.stdin.readSync(bytes) ?? 0;
    const answer = new TextDecoder().decode(bytes.subarray(0, count)).trim().toLowerCase();
    if (answer === "") return isProposed;
    if (["y", "yes"].includes(answer)) return true;
    if (["n", "no"].includes(answer)) return false;
    printError("Please answer y or n.");
  }
}
