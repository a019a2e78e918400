/** Bans by a rule, and a firewall's questions to the state about them. */
import type { NewBan } from "../../lib/deciding/ban.ts";

/** Returns a ban of 192.0.2.1 by a rule of the module SSHD, without end. */
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

/** Selects the bans by rules of SSHD that are due at 10,000. */
export const DUE = { firewall: "command", now: 10_000, limit: 10, turn: "rule SSHD" };
/** Select the lifts due at the same time: by hand, and of expired bans. */
export const [UNBANNED, EXPIRED] = [{ ...DUE, turn: "unban" }, { ...DUE, turn: "expired" }];
