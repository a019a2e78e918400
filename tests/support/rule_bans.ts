/** Bans by a rule, and what a firewall asks the state about them. */
import type { NewBan } from "../../lib/deciding/ban.ts";

/** A ban of 192.0.2.1 by a rule of the module SSHD, for ever. */
export function ruleBan(over: Partial<NewBan> = {}): NewBan {
  return {
    address: "192.0.2.1",
    reason: "[SSHD] invalid",
    scope: "all",
    provenance: { kind: "rule", name: "SSHD invalid" },
    count: 6,
    start: 1_000,
    until: null,
    ...over,
  };
}

/** Asks for the bans by rules of SSHD that are due at 10,000. */
export const DUE = { firewall: "command", now: 10_000, limit: 10, turn: "rule SSHD" };
/** Ask for lifts that are due then, by hand and as the time of the ban was up. */
export const [UNBANNED, EXPIRED] = [{ ...DUE, turn: "unban" }, { ...DUE, turn: "expired" }];
