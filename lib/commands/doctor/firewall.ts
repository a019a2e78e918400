/** Tests the firewall with a ban of documentation addresses, and lifts the ban. */
import { MINUTE, now } from "../../core/time.ts";
import { firewallsOf } from "../../config/firewalls.ts";
import type { BanConfig, Config } from "../../config/types.ts";
import { UNITS } from "../../core/program.ts";
import type { Ban } from "../../deciding/ban.ts";
import type { Firewall, Outcome } from "../../firewall/firewall.ts";
import { openFirewall } from "../../monitor/firewalls.ts";
import { ask, GRANT } from "../common/machine.ts";
import { programProblems } from "../check/programs.ts";
import { AS_ROOT, failure, failureOf, type Finding, ok, warning } from "./finding.ts";

/** Documentation addresses (RFC 5737, RFC 3849), as bans spell them. */
const ADDRESSES = ["192.0.2.254", "2001:db8:ffff:ffff::/64"];
const DOCUMENTATION = "docs/firewalls.md tells what the firewall takes";
/** Time-out of the test bans in the kernel, if they cannot be lifted. */
const SPAN = MINUTE;

/** The facts about the monitor that the test needs. */
interface Monitor {
  /** It uses the firewall too. */
  readonly isRunning: boolean;
  /** Name of its unit, without ".service". */
  readonly unit: string | null;
}

/** Bans documentation addresses, looks for them in the kernel, and lifts them. */
export async function* examineFirewall(config: Config, monitor: Monitor): AsyncGenerator<Finding> {
  const faults = programProblems(config);
  for (const sentence of faults) yield failureOf("firewall", sentence, DOCUMENTATION);
  if (faults.length > 0) return;
  for (const { module, ban } of firewallsOf(config)) {
    const prefix = module === null ? "" : `for ${module}: `;
    for (const finding of await examine(ban, monitor)) yield { ...finding, text: prefix + finding.text };
  }
}

async function examine(ban: BanConfig, { isRunning, unit }: Monitor): Promise<Finding[]> {
  if (ban.firewall === "observe") {
    const keys = `"firewall": "nftables"${unit === UNITS[0] ? ' and "nft_command": "nft"' : ""}`;
    const remedy = `set ${keys}, or a ban_command: docs/firewalls.md`;
    return [warning("firewall", "nobody is really banned: the configuration only observes", remedy)];
  }
  if (ban.firewall === "command" && ban.unban === null) {
    const remedy = "set unban_command";
    return [warning("firewall", "ban_command is not tried: nothing could lift the ban again", remedy)];
  }
  const firewall = openFirewall(ban);
  const findings: Finding[] = [];
  for (const address of ADDRESSES) findings.push(...await tryBan(firewall, { address, ban }));
  if (!isRunning) await leaveNothing(firewall);
  const isSame = (finding: Finding) => findings.findIndex(({ text }) => text === finding.text);
  return findings.filter((finding, i) => isSame(finding) === i);
}

async function tryBan(
  firewall: Firewall,
  { address, ban: { command } }: { address: string; ban: BanConfig },
): Promise<Finding[]> {
  const ban = trialBan(address);
  const signal = AbortSignal.timeout(SPAN / 1_000);
  const banned = await firewall.ban([ban], signal);
  const seen = banned[0]!.error === null ? await look(firewall, { ban, command, signal }) : [];
  const lifted = await firewall.unban([ban], signal);
  return [
    ...problemsOf(banned),
    ...seen,
    ...(banned[0]!.error === null ? problemsOf(lifted) : []),
    ...(await isIn(firewall, { ban, signal }) === true
      ? [failure("firewall", `${address} is still banned after its ban was lifted`, DOCUMENTATION)]
      : []),
  ];
}

/** Removes the objects that the test ban created, unless the firewall holds other bans. */
async function leaveNothing(firewall: Firewall): Promise<void> {
  const signal = AbortSignal.timeout(SPAN / 1_000);
  const found = await firewall.inspect([], signal).catch(() => null);
  if (found?.stray.length === 0) await firewall.clear(signal);
}

function problemsOf(outcomes: readonly Outcome[]): Finding[] {
  return outcomes.flatMap(({ address, error }) =>
    error === null ? [] : [failure("firewall", error.replaceAll(address, "%s"), remedyOf(error))]
  );
}

function remedyOf(error: string): string {
  if (Deno.uid() !== 0) return AS_ROOT;
  return error.endsWith("Operation not permitted") ? GRANT : DOCUMENTATION;
}

async function look(
  firewall: Firewall,
  { command, ...trial }: Trial & Pick<BanConfig, "command">,
): Promise<Finding[]> {
  const isSeen = await isIn(firewall, trial);
  const { address } = trial.ban;
  if (isSeen === true) {
    const where = firewall.name === "nftables" ? "" : ", outside of the monitor's unit";
    return [ok("firewall", `${firewall.name} bans ${address}, and lifts the ban${where}`)];
  }
  if (firewall.name === "nftables") {
    return [failure("firewall", `nft bans ${address}, but the kernel does not have it`, DOCUMENTATION)];
  }
  const text = `ban_command bans ${address}, but neither nft nor ip shows the address`;
  const run = command?.map((word) => word.replace("%s", address)).join(" ");
  const remedy = `run \`${run}\`, see whether your firewall has the address, and lift it by unban_command`;
  return [warning("firewall", text, remedy)];
}

interface Trial {
  readonly ban: Ban;
  readonly signal: AbortSignal;
}

/** Reports whether the kernel holds a ban; null: unknown. */
async function isIn(firewall: Firewall, { ban, signal }: Trial): Promise<boolean | null> {
  const found = await firewall.inspect([ban], signal).catch(() => undefined);
  if (found === undefined) return null;
  if (found !== null) return found.missing.length === 0;
  const network = ban.address.replace(/\/64$/, "");
  const lists = await Promise.all([
    ask(["nft", "list", "ruleset"]),
    ask(["ip", "route", "show", "table", "all"]),
    ask(["ip", "-6", "route", "show", "table", "all"]),
  ]);
  return lists.some(({ output }) => output.includes(network));
}

function trialBan(address: string): Ban {
  const [start, provenance] = [now(), { kind: "manual", name: "" } as const];
  const ban = { address, scope: "all", provenance, reason: "doctor", count: 0 } as const;
  return { ...ban, id: 0, start, until: start + SPAN, ended: null, endReason: null };
}
