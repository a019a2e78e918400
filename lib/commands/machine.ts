/** What other programs tell of this machine: each runs without a shell, for a bounded time, and with fixed arguments. */
import { Runner, type RunResult } from "../core/child_process.ts";
import { SECOND } from "../core/time.ts";

/** Longest time that a program may take. */
const TIMEOUT = 10 * SECOND;
/** The system user that the monitor runs as. */
export const SERVICE_USER = "strongmonitor";
/** Groups that the units give the monitor beside its own. */
const SERVICE_GROUPS = ["systemd-journal", "adm"];
const [READ, SEARCH] = [4, 1];
/** The bit of CAP_NET_ADMIN (capabilities(7)). */
const NET_ADMIN = 12n;

/** A user of the system. */
export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  /** Ids of all groups. */
  readonly groups: ReadonlySet<number>;
}

/** Runs a program and returns what it printed. Never throws. */
export function ask(argv: readonly string[], input?: string): Promise<RunResult> {
  const signal = new AbortController().signal;
  return new Runner().run(argv, {
    timeout: TIMEOUT,
    signal,
    output: true,
    ...(input === undefined ? {} : { input }),
  });
}

/**
 * Returns fields of the newest entry of the journal that has `matches` (see journalctl(1)); null where there is none, or this
 * user may not see it.
 */
export async function newestEntry(
  matches: readonly string[],
  fields: readonly string[],
): Promise<Readonly<Record<string, string>> | null> {
  const { output } = await ask([
    "journalctl",
    "--output=json",
    `--output-fields=${fields.join()}`,
    "--lines=1",
    "--no-pager",
    "--quiet",
    ...matches,
  ]);
  try {
    const entry: Record<string, unknown> = JSON.parse(output);
    const texts = Object.entries(entry).filter(([, value]) => typeof value === "string");
    return Object.fromEntries(texts) as Record<string, string>;
  } catch {
    return null;
  }
}

/** What the monitor last wrote to the journal, as journald noted it. */
export interface MonitorEntry {
  readonly unit: string;
  /** Capabilities as one number. */
  readonly capabilities: bigint;
  readonly isRoot: boolean;
}

/** Returns the monitor's newest entry from a unit; null where no unit has run it. `user` proves who wrote it. */
export async function monitorEntry(user: SystemUser | null = null): Promise<MonitorEntry | null> {
  const writer = user === null ? [] : [`_UID=${user.uid}`];
  const matches = ["SYSLOG_IDENTIFIER=strongmonitor", ...writer];
  const entry = await newestEntry(matches, ["_CAP_EFFECTIVE", "_SYSTEMD_UNIT", "_UID"]);
  const { _SYSTEMD_UNIT: unit, _CAP_EFFECTIVE: capabilities, _UID: uid } = entry ?? {};
  if (unit === undefined || !/^[0-9a-f]+$/.test(capabilities ?? "")) return null;
  return { unit, capabilities: BigInt(`0x${capabilities}`), isRoot: uid === "0" };
}

/** Reports whether who wrote an entry has CAP_NET_ADMIN: the unit without sudo gives it. */
export function mayChangeNetwork({ capabilities }: MonitorEntry): boolean {
  return ((capabilities >> NET_ADMIN) & 1n) === 1n;
}

/** Returns the user that the monitor runs as, with the groups that its units give it; null: there is none, or nobody can tell. */
export async function serviceUser(): Promise<SystemUser | null> {
  const found = /^[^:]*:[^:]*:(\d+):(\d+):/.exec((await ask(["getent", "passwd", SERVICE_USER])).output);
  if (found === null) return null;
  const { output } = await ask(["getent", "group", SERVICE_USER, ...SERVICE_GROUPS]);
  const groups = [...output.matchAll(/^[^:]*:[^:]*:(\d+):/gm)].map(([, id]) => Number(id));
  return { name: SERVICE_USER, uid: Number(found[1]), groups: new Set([Number(found[2]), ...groups]) };
}

/**
 * Reports whether the modes of a file and of the directories above it let `user` read it; those count for nothing that this
 * program may not look at. An access control list may let the user all the same.
 */
export function modesLetRead(user: SystemUser, path: string): boolean {
  const names = path.split("/").filter((name) => name !== "");
  return names.every((_, i) => {
    const info = lookAt(`/${names.slice(0, i + 1).join("/")}`);
    if (info === null) return true;
    const shift = info.uid === user.uid ? 6 : user.groups.has(info.gid ?? -1) ? 3 : 0;
    const wanted = i === names.length - 1 ? READ : SEARCH;
    return (((info.mode ?? 0) >> shift) & wanted) === wanted;
  });
}

/** Returns what there is at `path`; null: nothing, or this process may not look. */
export function lookAt(path: string): Deno.FileInfo | null {
  try {
    return Deno.statSync(path);
  } catch {
    return null;
  }
}
