/** Asks programs about this machine: without a shell, for a bounded time, fixed arguments. */
import { NEVER } from "../../core/async.ts";
import { may } from "../../config/permissions.ts";
import { UNIT_DIRECTORIES, WANTS } from "../../config/stock.ts";
import { SERVICE_USER, UNITS } from "../../core/program.ts";
import { LOG_GROUP, type Obstacle, READ, SEARCH } from "../../core/read_denial.ts";
import { Runner, type RunResult } from "../../core/child_process.ts";
import { tried } from "../../core/error.ts";
import { lookAt } from "../../core/file_identity.ts";
import { SECOND } from "../../core/time.ts";

/** Longest run of a program. */
const TIMEOUT = 10 * SECOND;
/** Groups that the units add to the monitor's own. */
const SERVICE_GROUPS = ["systemd-journal", LOG_GROUP];
/** The bit of CAP_NET_ADMIN (capabilities(7)). */
const NET_ADMIN = 12n;

/** A user of the system. */
export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly groups: ReadonlySet<number>;
}

/** Runs a program and returns what it printed. Never throws. */
export function ask(argv: readonly string[]): Promise<RunResult> {
  return new Runner().run(argv, { timeout: TIMEOUT, signal: NEVER, output: true });
}

/**
 * Returns fields of the journal entries with `matches` (see journalctl(1)), which may be options
 * too, oldest first; none if this user may not see them.
 */
export async function journalEntries(
  matches: readonly string[],
  fields: readonly string[],
): Promise<Readonly<Record<string, string>>[]> {
  const format = ["--output=json", `--output-fields=${fields.join()}`, "--no-pager", "--quiet"];
  const { output } = await ask(["journalctl", ...format, ...matches]);
  return output.split("\n").flatMap((line) => {
    const entry: Record<string, unknown> | null = tried(() => JSON.parse(line));
    if (entry === null) return [];
    const texts = Object.entries(entry).filter(([, value]) => typeof value === "string");
    return [Object.fromEntries(texts) as Record<string, string>];
  });
}

/** Returns `journalEntries()`' newest one; null: there is none. */
export async function newestEntry(
  matches: readonly string[],
  fields: readonly string[],
): Promise<Readonly<Record<string, string>> | null> {
  const [entry] = await journalEntries(["--lines=1", ...matches], fields);
  return entry ?? null;
}

/** Reports whether this user sees the system's journal: if not, a missing entry proves nothing. */
export async function seesJournal(): Promise<boolean> {
  return await newestEntry(["_UID=0"], ["_PID"]) !== null;
}

/** The monitor's newest entry, with metadata from journald. */
export interface MonitorEntry {
  readonly unit: string;
  /** Capabilities as a bit mask. */
  readonly capabilities: bigint;
  readonly isRoot: boolean;
}

/** Returns the monitor's newest entry from a unit; null: none. `user` proves its writer. */
export async function monitorEntry(user: SystemUser | null = null): Promise<MonitorEntry | null> {
  const writer = user === null ? [] : [`_UID=${user.uid}`];
  const matches = ["SYSLOG_IDENTIFIER=strongmonitor", ...writer];
  const entry = await newestEntry(matches, ["_CAP_EFFECTIVE", "_SYSTEMD_UNIT", "_UID"]);
  const { _SYSTEMD_UNIT: unit, _CAP_EFFECTIVE: capabilities, _UID: uid } = entry ?? {};
  if (unit === undefined || !/^[0-9a-f]+$/.test(capabilities ?? "")) return null;
  return { unit, capabilities: BigInt(`0x${capabilities}`), isRoot: uid === "0" };
}

/**
 * Returns the name of the unit that starts the monitor here: of those installed, the one that ran
 * `last`, or else the one without sudo unless bans go through sudo. Null: none is installed. If
 * this program may not look for them, both count as installed.
 */
export function unitHere(last: MonitorEntry | null, isBySudo = false): string | null {
  const isInstalled = (unit: string) =>
    unitDirectories().map((directory) => `${directory}/${unit}.service`)
      .some((file) => !may("read", file) || lookAt(file) !== null);
  const units = UNITS.filter(isInstalled);
  const first = isBySudo ? units.at(-1) : units[0];
  return units.find((unit) => `${unit}.service` === last?.unit) ?? first ?? null;
}

/** Reports whether multi-user.target starts a unit at boot; null: this program may not look. */
export function isEnabled(unit: string): boolean | null {
  const links = unitDirectories().map((directory) => `${directory}/${WANTS}/${unit}.service`);
  const seen = links.filter((link) => may("read", link));
  return seen.length === 0 ? null : seen.some((link) => lookAt(link) !== null);
}

/** Returns root's commands that let `unit` run the monitor in place of `other`. */
export function switching(unit: string, other: string): string {
  return `${asRoot(`systemctl disable --now ${other}`)} && ${asRoot(`systemctl enable --now ${unit}`)}`;
}

/** Returns where units are looked for: systemd's own variable replaces the directories. */
function unitDirectories(): readonly string[] {
  const variable = "SYSTEMD_UNIT_PATH";
  return may("env", variable) ? Deno.env.get(variable)?.split(":") ?? UNIT_DIRECTORIES : UNIT_DIRECTORIES;
}

/** Remedy if root itself may not change the firewall. */
export const GRANT = "a container's host has to grant CAP_NET_ADMIN";

/** Remedy if no unit is installed. */
export const INSTALL_UNIT = "install strongmonitor.service: docs/installing.md";

/** Returns a command for root as this user types it: by sudo, unless this is root. */
export function asRoot(command: string): string {
  return Deno.uid() === 0 ? command : `sudo ${command}`;
}

/** Reports whether an entry's writer has CAP_NET_ADMIN: the unit without sudo grants it. */
export function mayChangeNetwork({ capabilities }: MonitorEntry): boolean {
  return ((capabilities >> NET_ADMIN) & 1n) === 1n;
}

/** Returns the monitor's user with the groups of its units; null: none, or unknown. */
export async function serviceUser(): Promise<SystemUser | null> {
  const found = /^[^:]*:[^:]*:(\d+):(\d+):/.exec((await ask(["getent", "passwd", SERVICE_USER])).output);
  if (found === null) return null;
  const { output } = await ask(["getent", "group", SERVICE_USER, ...SERVICE_GROUPS]);
  const groups = [...output.matchAll(/^[^:]*:[^:]*:(\d+):/gm)].map(([, id]) => Number(id));
  return { name: SERVICE_USER, uid: Number(found[1]), groups: new Set([Number(found[2]), ...groups]) };
}

/**
 * Returns the file, or the first directory in its path, whose mode does not let `user` read or enter
 * it; null: there is none. Skips those that this program may not inspect. An access control list may
 * still allow it. The user must be able to list a directory in which `pattern` has a wildcard.
 */
export function closedTo(user: SystemUser, path: string, pattern = path): Obstacle | null {
  const [names, asked] = [path, pattern].map((text) => text.split("/").filter((name) => name !== ""));
  for (const [i] of names!.entries()) {
    const place = `/${names!.slice(0, i + 1).join("/")}`;
    const info = lookAt(place);
    if (info === null) continue;
    const shift = info.uid === user.uid ? 6 : user.groups.has(info.gid ?? -1) ? 3 : 0;
    const isListed = /[*?]/.test(asked![i + 1] ?? "");
    const wanted = info.isDirectory ? SEARCH | (isListed ? READ : 0) : READ;
    if ((((info.mode ?? 0) >> shift) & wanted) !== wanted) return { path: place, wanted, info };
  }
  return null;
}
