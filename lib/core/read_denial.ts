/** Explains why a file cannot be read, with a remedy. */
import { denial, joining } from "./denial.ts";
import { SERVICE_USER } from "./program.ts";
import { shellWord } from "./text.ts";

/** A file, or the first directory in its path, that a user may not use. */
export interface Obstacle {
  readonly path: string;
  /** Missing permissions, as in a mode's last digit. */
  readonly wanted: number;
  /** Null: this program may not look. */
  readonly info: Deno.FileInfo | null;
}

/** Permissions, as in a mode's last digit. */
export const [READ, WRITE, SEARCH] = [4, 2, 1] as const;
/** Directories that `ProtectHome=yes` hides from a service: they then have mode 0. */
const HOMES = ["/home", "/root", "/run/user"];
/** Directories that `PrivateTmp=yes` replaces by a service's own. */
const TEMPORARY = ["/tmp", "/var/tmp"];
/** The group of users who may read logs. No other has the same id on every system. */
export const LOG_GROUP = "adm";
const LOGS_ID = 4;

/**
 * Returns that the system denies this process's user to read the log `path`, and a remedy: a group,
 * a mode, an access control list, or a setting of the service's unit.
 */
export function readDenial(path: string): string {
  return denial("read it", (user) => remedyFor(user, path, LOG_GROUP) ?? joining(LOG_GROUP)(user));
}

/** Returns the same for a configuration file at `place`: only the service reads it without sudo. */
export function settingDenial(path: string, place: string): string {
  return denial(
    `read ${path}`,
    (user) => (user === SERVICE_USER ? remedyFor(user, place, user) : null) ?? "use sudo",
  );
}

/** Returns what would let a user read a file; null if this program cannot see the obstacle. */
function remedyFor(user: string, path: string, group: string): string | null {
  const { path: place, wanted, info } = obstacleTo(path);
  const mode = info?.mode ?? null;
  if (info === null || mode === null) return null;
  if (HOMES.includes(place) && (mode & 0o777) === 0) {
    return `ProtectHome of its unit hides ${place}; ` +
      `let it with ProtectHome=read-only in: sudo systemctl edit strongmonitor`;
  }
  if (((mode >> 3) & wanted) === wanted && info.gid === LOGS_ID) return joining(LOG_GROUP)(user);
  return `let it ${grant(user, { path: place, wanted, info }, { group })}`;
}

/** Returns that there is no file at `path` yet, and the setting of a unit that may hide one. */
export function absence(path: string): string {
  const isBelow = (directory: string) => path.startsWith(`${directory}/`);
  const place = TEMPORARY.find(isBelow);
  if (place) return `there is no such file yet; with PrivateTmp=yes, a service has a ${place} of its own`;
  const home = HOMES.find(isBelow);
  return home
    ? `there is no such file yet; with ProtectHome=tmpfs, a service sees none in ${home}`
    : "there is no such file yet";
}

function obstacleTo(path: string): Obstacle {
  const names = path.split("/").filter((name) => name !== "");
  let directory = { path: "/", info: look("/") };
  for (const name of names) {
    const next = `${directory.path === "/" ? "" : directory.path}/${name}`;
    const info = look(next);
    if (info === "denied") return { ...directory, wanted: SEARCH, info: known(directory.info) };
    directory = { path: next, info };
  }
  const info = known(directory.info);
  return { path, wanted: info?.isDirectory ? READ | SEARCH : READ, info };
}

/** Returns null if there is nothing, or this program may not look. */
function look(path: string): Deno.FileInfo | "denied" | null {
  try {
    return Deno.statSync(path);
  } catch (error) {
    return error instanceof Deno.errors.PermissionDenied ? "denied" : null;
  }
}

function known(info: Deno.FileInfo | "denied" | null): Deno.FileInfo | null {
  return info === "denied" ? null : info;
}

/**
 * Returns root's commands that let `user` pass an obstacle, each after `prefix`: they give it to
 * `group`, or make an access control list for what another group may use. Minimal systems lack
 * setfacl.
 */
export function grant(
  user: string,
  { path, wanted, info }: Obstacle,
  { group, prefix = "sudo " }: { group: string; prefix?: string },
): string {
  const place = shellWord(path);
  const rights = [[READ, "r"], [WRITE, "w"], [SEARCH, "x"]] as const;
  const letters = rights.map(([right, letter]) => wanted & right ? letter : "").join("");
  const isOthers = info !== null && ![0, LOGS_ID].includes(info.gid ?? 0) && ((info.mode ?? 0) & 0o070) > 0;
  return isOthers
    ? `with the package acl: ${prefix}setfacl -m u:${user}:${letters} ${place}`
    : `with: ${prefix}chgrp ${group} ${place} && ${prefix}chmod g+${letters} ${place}`;
}
