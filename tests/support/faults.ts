/** Makes states unwritable: a full disk, another process's lock, a read-only file system. */
import { DatabaseSync } from "node:sqlite";
import { prepareStateDirectory } from "../../lib/monitor/control.ts";
import { BanTable } from "../../lib/state/ban_table.ts";
import { Database } from "../../lib/state/database.ts";
import { EnforcementTable } from "../../lib/state/enforcement_table.ts";

/** A state with a switch that makes writing fail. */
export interface FaultyState {
  readonly directory: string;
  readonly bans: BanTable;
  readonly enforcement: EnforcementTable;
  /** Makes all writes fail from now on. */
  breakDown(): void;
  repair(): void;
}

/** A way in which writing fails. */
export interface Fault {
  readonly name: string;
  /** Whether the machine lacks something that the fault needs. */
  readonly ignore: boolean;
  /** SQLite's message. */
  readonly error: RegExp;
  run(work: (state: FaultyState) => void | Promise<void>): Promise<void>;
}

/** Mounts a file system. Returns false if this user may not. */
export function mount(...args: string[]): boolean {
  try {
    return new Deno.Command("mount", { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

export function unmount(directory: string): void {
  new Deno.Command("umount", { args: ["-l", directory] }).outputSync();
}

/** Reports whether this user may mount a file system. */
export function canMount(): boolean {
  const directory = Deno.makeTempDirSync();
  const isMounted = mount("-t", "tmpfs", "none", directory);
  if (isMounted) unmount(directory);
  Deno.removeSync(directory);
  return isMounted;
}

/** Opens a state in `directory` whose writes fail between `breakDown` and `repair`. */
async function open(
  directory: string,
  faults: { breakDown(database: Database): void; repair(database: Database): void },
  work: (state: FaultyState) => void | Promise<void>,
): Promise<void> {
  prepareStateDirectory(directory);
  const database = new Database(directory);
  // Otherwise a writer waits for seconds.
  database.all("PRAGMA busy_timeout = 0");
  try {
    await work({
      directory,
      bans: new BanTable(database),
      enforcement: new EnforcementTable(database),
      breakDown: () => faults.breakDown(database),
      repair: () => faults.repair(database),
    });
  } finally {
    database.close();
  }
}

async function inTemporary(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  try {
    await work(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Makes a file take all the space left in its file system. */
export function fillDisk(filler: string): void {
  try {
    for (const size of [65_536, 1]) {
      for (;;) Deno.writeFileSync(filler, new Uint8Array(size), { append: true });
    }
  } catch {
    // The disk is full. A chunk that did not fit was written in part.
  }
}

/** A full disk: a small file system in which one file takes all the space. */
const full: Fault = {
  name: "the disk is full (ENOSPC; needs root to mount a tmpfs)",
  ignore: !canMount(),
  error: /disk is full/,
  run: (work) =>
    inTemporary(async (directory) => {
      mount("-t", "tmpfs", "-o", "size=8m", "none", directory);
      const filler = `${directory}/filler`;
      try {
        await open(directory, {
          breakDown: () => fillDisk(filler),
          repair: () => Deno.removeSync(filler),
        }, work);
      } finally {
        unmount(directory);
      }
    }),
};

const busy: Fault = {
  name: "another connection holds the lock (EBUSY)",
  ignore: false,
  error: /locked/,
  run: (work) =>
    inTemporary(async (directory) => {
      let other: DatabaseSync | null = null;
      const breakDown = () => {
        other = new DatabaseSync(`${directory}/state.db`);
        other.exec("BEGIN IMMEDIATE");
      };
      await open(directory, { breakDown, repair: () => other!.close() }, work);
    }),
};

const readOnly: Fault = {
  name: "the state is read-only (EROFS)",
  ignore: false,
  error: /readonly/,
  run: (work) =>
    inTemporary((directory) =>
      open(directory, {
        breakDown: (database) => void database.all("PRAGMA query_only = 1"),
        repair: (database) => void database.all("PRAGMA query_only = 0"),
      }, work)
    ),
};

/** All faults of writing. */
export const FAULTS: readonly Fault[] = [full, busy, readOnly];
