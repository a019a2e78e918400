import { strict as assert } from "node:assert";
import { DatabaseSync } from "node:sqlite";
import { UserError } from "../../lib/core/error.ts";
import { isLocked, type Lock, takeLock } from "../../lib/state/lock.ts";
import { canMount, fillDisk, mount, unmount } from "../support/faults.ts";

function inDirectory(work: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  try {
    work(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("`takeLock()` lets one process in at a time", () =>
  inDirectory((directory) => {
    const lock = takeLock(directory);
    assert(lock);
    assert.equal(takeLock(directory), null);
    assert.equal(isLocked(directory), true);
    lock.release();
    assert.equal(isLocked(directory), false);
    takeLock(directory)!.release();
  }));

Deno.test("`isLocked()` makes no file, and a reader of the lock's file keeps no monitor out", () =>
  inDirectory((directory) => {
    assert.equal(isLocked(directory), false);
    assert.deepEqual([...Deno.readDirSync(directory)], []);
    takeLock(directory)!.release();
    const reader = new DatabaseSync(`${directory}/lock.db`);
    reader.exec("BEGIN; SELECT count(*) FROM sqlite_schema");
    const lock = takeLock(directory);
    assert(lock);
    lock.release();
    reader.close();
  }));

Deno.test("`Lock.look()` takes the lock anew where its file is gone or another, unless somebody was faster", () =>
  inDirectory((directory) => {
    const lock = takeLock(directory) as Lock;
    const file = `${directory}/lock.db`;
    Deno.removeSync(file);
    lock.look();
    assert.equal(takeLock(directory), null);
    Deno.writeTextFileSync(`${directory}/other`, "");
    Deno.renameSync(`${directory}/other`, file);
    lock.look();
    assert.equal(takeLock(directory), null);
    Deno.removeSync(file);
    const other = takeLock(directory);
    assert(other);
    assert.throws(() => lock.look(), (error) => error instanceof UserError && error.code === 69);
    other.release();
    lock.release();
  }));

Deno.test({
  name: "`takeLock()` takes the lock on a full disk (needs root to mount a tmpfs)",
  ignore: !canMount(),
  fn: () =>
    inDirectory((directory) => {
      mount("-t", "tmpfs", "-o", "size=1m", "none", directory);
      try {
        fillDisk(`${directory}/filler`);
        const lock = takeLock(directory);
        assert(lock);
        assert.equal(isLocked(directory), true);
        lock.release();
      } finally {
        unmount(directory);
      }
    }),
});

Deno.test({
  name: "`isLocked()` sees a monitor whose disk has become read-only (needs root to mount a tmpfs)",
  ignore: !canMount(),
  fn: () =>
    inDirectory((directory) => {
      const lock = takeLock(directory);
      assert(lock);
      mount("--bind", directory, directory);
      mount("-o", "remount,bind,ro", directory);
      try {
        assert.equal(isLocked(directory), true);
        assert.equal(takeLock(directory), null);
        lock.release();
        assert.equal(isLocked(directory), false);
      } finally {
        unmount(directory);
      }
    }),
});

Deno.test({
  name:
    "`Lock.look()` keeps others out once a disk that was read-only can be written (needs root to mount a tmpfs)",
  ignore: !canMount(),
  fn: () =>
    inDirectory((directory) => {
      mount("-t", "tmpfs", "none", directory);
      try {
        takeLock(directory)!.release();
        mount("-o", "remount,ro", directory);
        const [lock, other] = [takeLock(directory), takeLock(directory)];
        assert(lock && other);
        lock.look();
        mount("-o", "remount,rw", directory);
        lock.look();
        assert.equal(takeLock(directory), null);
        assert.throws(() => other.look(), (error) => error instanceof UserError && error.code === 69);
        other.release();
        lock.release();
      } finally {
        unmount(directory);
      }
    }),
});
