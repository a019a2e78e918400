/** Explains why a file cannot be read, with a remedy. */
import { directoryOf } from "./file_identity.ts";
import { denial, joining } from "./denial.ts";
import { shellWord } from "./text.ts";

/** The obstacle: the file, or the first directory in its path that this user may not enter. */
interface Obstacle {
  readonly path: string;
  /** Missing permissions, as in a mode's last digit. */
  readonly wanted: number;
  /** Null: this program may not look. */
  readonly info: Deno.FileInfo | null;
}

const [READ, SEARCH] = [4, 1];
/** Directories that `ProtectHome=yes` hides from a service: they then have mode 0. */
const HOMES = ["/home", "/root", "/run/user"];
/** Directories that `PrivateTmp=yes` replaces by a service's own. */
const TEMPORARY = ["/tmp", "/var/tmp"];
/** The group of users who may read logs. No other has the same id on every system. */
const [LOGS, LOGS_ID] = ["adm", 4];

/**
 * Returns that the system denies this process's user to read the log `path`, and a remedy: a group,
 * an access control list, or a setting of the service's unit.
 */
export function readDenial(path: string): string {
  return denial("read it", (user) => remedyFor(user, path, grantLog) ?? joining(LOGS)(user));
}

/** Returns the same for a configuration file at `place`; the service or sudo may read it. */
export function settingDenial(path: string, place: string): string {
  return denial(`read ${path}`, (user) => {
    const remedy = remedyFor(user, place, grant);
    return remedy === null ? "use sudo" : `use sudo, or ${remedy}`;
  });
}

/** Returns what would let a user read a file; null if this program cannot see the obstacle. */
function remedyFor(user: string, path: string, grant: Grant): string | null {
  const { path: place, wanted, info } = obstacleTo(path);
  const mode = info?.mode ?? null;
  if (info === null || mode === null) return null;
  if (HOMES.includes(place) && (mode & 0o777) === 0) {
    return `ProtectHome of its unit hides ${place}; ` +
      `let it with ProtectHome=read-only in: sudo systemctl edit strongmonitor`;
  }
  if (((mode >> 3) & wanted) === wanted && info.gid === LOGS_ID) return joining(LOGS)(user);
  return grant(user, { path: place, wanted, info });
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

/** Makes a remedy if no group may pass an obstacle. */
type Grant = (user: string, obstacle: Obstacle) => string;

function grant(user: string, { path, wanted }: Obstacle): string {
  const rights = `${wanted & READ ? "r" : ""}${wanted & SEARCH ? "x" : ""}`;
  return `let it with: sudo setfacl -m u:${user}:${rights} ${shellWord(path)}`;
}

/** Adds a default entry for the directory: a rotated log gets a new file, which needs the same. */
function grantLog(user: string, obstacle: Obstacle): string {
  const { path, info } = obstacle;
  const command = grant(user, obstacle);
  if (info?.isDirectory) return command;
  return `${command}, and those that follow with: sudo setfacl -m d:u:${user}:r ${
    shellWord(directoryOf(path))
  }`;
}
