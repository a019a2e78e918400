import { prefixLength } from "../../core/address.ts";
import { localTime, type Micros, now } from "../../core/time.ts";
import { isLocked } from "../../state/lock.ts";
import type { State } from "../../state/state.ts";
import { type BanStatus, isConfirmed, keptText, type Trial } from "../../deciding/ban.ts";
import { whitelistedBy } from "../../deciding/whitelist.ts";
import { UserError } from "../../core/error.ts";
import { banJson } from "./bans.ts";
import { forEach, outcome, patience, tellMonitor } from "../common/change.ts";
import { requireNetworks, requireSpanOrForever } from "../common/values.ts";
import { knownWhitelist } from "../whitelist/known.ts";
import { type CommandContext, withContext } from "../common/open_state.ts";
import { type CommonOptions, printError, printResult } from "../common/output.ts";
import { coveringEntries } from "../whitelist/covering.ts";
import { CONFIRM, untilText } from "../common/words.ts";

/** Answers a shorter ban than the one in force. */
const SHORTER = "A ban keeps its later end: to make it shorter, unban it first.";

/** Default reason of a ban. */
export const BY_HAND = "[MANUAL] ban";

/** Options of `ban`. */
export interface BanOptions extends CommonOptions {
  /** A span, or `forever`, the default. */
  readonly for?: string;
  readonly reason?: string;
}

const VERBS = { banned: "banned", extended: "was banned already, now", unchanged: "was banned already" };

/**
 * `ban`: writes bans to the state, waits up to three seconds for the firewall and prints the
 * result. The bans have scope `all`; one in force keeps its reason and the later end. Exit code 1
 * if an address is whitelisted or the firewall refuses. Throws `UserError` (64, 69).
 */
export function banCommand(targets: readonly string[], options: BanOptions): Promise<number> {
  const addresses = requireNetworks(targets);
  const span = requireSpanOrForever(options.for);
  const reason = keptText(options.reason ?? "") || null;
  return withContext(options, async (context) => {
    const { state, config } = context;
    const whitelist = knownWhitelist(context);
    const written: ReturnType<typeof write>[] = [];
    const refused = await forEach(addresses, options, (address) => {
      const origin = whitelist.covering(address);
      if (origin !== null) {
        const why = whitelistedBy(address, origin) + entriesText(address, context);
        throw new UserError(`Cannot ban ${address}: ${why}`, 1);
      }
      written.push(write(state, { address, span, reason: reason ?? BY_HAND }));
      return 0;
    });
    if (written.length === 0) return refused;
    const bans = written.map(({ id }) => state.bans.get(id)!);
    const names = bans.map(({ address }) => address).join(" ");
    tellMonitor(state, `ban ${names} ${untilText(bans[0]!)}: ${bans[0]!.reason}`);
    const deadline = patience();
    const running = isLocked(state.directory);
    // The configuration may use no firewall.
    const observes = config?.ban.firewall === "observe";
    const failed = await forEach(written, options, async ({ id, before }) => {
      const settled = ({ appliedAt, ended }: BanStatus) => appliedAt !== null || ended !== null;
      const ban = await outcome(state, { id, settled, deadline });
      if (ban.ended !== null) throw new UserError(`Cannot ban ${ban.address}: ${whyEnded(context, ban)}`, 1);
      const done = before?.id !== id ? "banned" : before.until !== ban.until ? "extended" : "unchanged";
      const lines = [
        `${ban.address} ${VERBS[done]} ${untilText(ban)}: ${ban.reason}`,
        forceText(ban, { running, observes }),
        ...trialText(ban, state.trial()),
        ...done === "unchanged" && span !== null ? [SHORTER] : [],
        ...reason === null || reason === ban.reason
          ? []
          : [`The reason "${reason}" is not kept: a ban keeps the one that it began with.`],
      ];
      printResult(options, { ...banJson(ban), done, running }, ...lines);
      const size = sizeText(ban.address);
      if (size !== null) {
        printError(
          `Warning: ${ban.address} has ${size} addresses: \`strongmonitor unban ${ban.address}\` ends the ban`,
        );
      }
      return ban.error === null ? 0 : 1;
    });
    return refused || failed;
  });
}

/** Writes a ban. Returns its id, and the ban in force that it extends; null: there was none. */
function write(
  state: State,
  { address, span, reason }: { address: string; span: Micros | null; reason: string },
): { readonly id: number; readonly before: BanStatus | null } {
  const known = { address, scope: "all" } as const;
  const before = state.bans.find(known);
  const start = now();
  state.bans.add({
    ...known,
    provenance: { kind: "manual", name: "" },
    reason,
    count: 0,
    start,
    until: span === null ? null : start + span,
  });
  return { id: state.bans.find(known)!.id, before };
}

/** Most bits of an address that a wide network leaves open. */
const WIDE = { ipv4: 16, ipv6: 96 };

/** Returns the number of addresses of a network that holds more than one site; null: of any other. */
function sizeText(network: string): string | null {
  const isIPv4 = !network.includes(":");
  const open = (isIPv4 ? 32 : 128) - prefixLength(network);
  if (open <= (isIPv4 ? WIDE.ipv4 : WIDE.ipv6)) return null;
  return isIPv4 ? (2 ** open).toLocaleString("en") : `2^${open}`;
}

/** Names the whitelist entries, at most three, that keep `address` from being banned and are not itself. */
function entriesText(address: string, { config, state }: CommandContext): string {
  const entries = new Set(coveringEntries(address, config, state).map((entry) => entry.address));
  const named = [...entries].filter((entry) => entry !== address).slice(0, 3);
  return named.length === 0 ? "" : `: ${named.join(", ")}`;
}

/** Says why the monitor ended a ban at once: the monitor knows more whitelist entries. */
function whyEnded(context: CommandContext, { address, endReason }: BanStatus): string {
  if (endReason !== "whitelisted") return `the monitor ended the ban at once (${endReason})`;
  const origin = knownWhitelist(context).covering(address);
  return `the monitor never bans it: it is whitelisted ${origin === null ? "there" : `(${origin})`}`;
}

/** Says when a trial lifts a ban that would last longer. */
function trialText({ id, until }: BanStatus, trial: Trial | null): string[] {
  if (trial === null || id <= trial.lastBan || (until !== null && until <= trial.end)) return [];
  return [`The trial lifts it at ${localTime(trial.end)}, unless you say ${CONFIRM}.`];
}

function forceText(
  ban: BanStatus,
  { running, observes }: { running: boolean; observes: boolean },
): string {
  if (isConfirmed(ban)) return "It is in force.";
  if (ban.appliedAt !== null) return "It is noted only: without a firewall nobody is really banned.";
  if (!running) {
    return observes
      ? "It is noted only: by this configuration nobody is really banned."
      : "It is not in force: the monitor is not running, and will see to it when it starts.";
  }
  if (ban.error !== null) return `It is not in force yet, the monitor keeps trying: ${ban.error}`;
  return "It is not in force yet: the firewall has not answered.";
}
