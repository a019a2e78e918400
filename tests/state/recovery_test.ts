/** A monitor's state whose file is damaged, lost, or cannot be written: what could be read goes on, and nothing is said twice. */
import { strict as assert } from "node:assert";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { prepareStateDirectory } from "../../lib/monitor/control.ts";
import { UserError } from "../../lib/core/error.ts";
import { State } from "../../lib/state/state.ts";
import type { NewBan } from "../../lib/deciding/ban.ts";
import { MANUAL, memoryLog, stateOfFirstRelease } from "../support/helpers.ts";
import { canMount, fillDisk, mount, unmount } from "../support/faults.ts";

const NOTHING = {
  notes: { groups: [], forgotten: null, rows: [] },
  logins: { logins: [], opened: [], closed: [] },
  bans: [],
  knocks: [],
};

/** A directory for a state, on a file system of its own where `size` is given. */
class StateDirectory implements Disposable {
  readonly directory: string;
  readonly #top = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  readonly #isMounted: boolean;
  readonly log = memoryLog();

  constructor(size: string | null = null) {
    this.#isMounted = size !== null;
    if (size !== null) assert.ok(mount("-t", "tmpfs", "-o", `size=${size}`, "none", this.#top));
    this.directory = `${this.#top}/state`;
    prepareStateDirectory(this.directory);
  }

  get file(): string {
    return `${this.directory}/state.db`;
  }

  get filler(): string {
    return `${this.#top}/filler`;
  }

  open(): State {
    return new State(this.directory, this.log);
  }

  /** Leaves a state with some of everything behind. */
  prepare(bans = 3): void {
    const state = new State(this.directory);
    fill(state, bans);
    state.close();
  }

  /** What the log was told of as errors. */
  get errors(): string[] {
    return this.log.lines.filter((line) => line.startsWith("error: "));
  }

  /** Names of what was set aside. */
  get aside(): string[] {
    return [...Deno.readDirSync(this.directory)].map(({ name }) => name).filter((name) =>
      name.includes("damaged")
    );
  }

  [Symbol.dispose](): void {
    if (this.#isMounted) unmount(this.#top);
    Deno.removeSync(this.#top, { recursive: true });
  }
}

function ban(i: number): NewBan {
  const address = `198.51.${i >> 8}.${i & 255}`;
  return { address, scope: "all", provenance: MANUAL, reason: "x", count: 0, start: i, until: null };
}

function fill(state: State, bans: number): void {
  state.batches(["SSHD"]).write({ source: "journal", position: "s=1", ...NOTHING });
  state.bans.addAll(Array.from({ length: bans }, (_, i) => ban(i)));
  state.addToWhitelist("command", { address: "192.0.2.7", note: "owner", until: null, since: 1 });
}

function addLines(state: State, count: number): void {
  const batch = state.batches(["SSHD"]);
  const bytes = new TextEncoder().encode("y".repeat(150));
  for (let i = 0; i < count; i++) {
    const address = { w0: 0, w1: 0, w2: 0xffff, w3: i };
    batch.lines.add({
      module: 0,
      time: i,
      bytes: { array: bytes } as never,
      from: 0,
      to: bytes.length,
      reader: { address },
    });
  }
  batch.write({ source: "journal", position: `s=${count}`, ...NOTHING });
  batch.lines.clear();
}

/** Reads the state as a command would, in a connection of its own. */
function read<T>(place: StateDirectory, query: (state: State) => T): T {
  const state = new State(place.directory);
  try {
    return query(state);
  } finally {
    state.close();
  }
}

const GARBAGE = new TextEncoder().encode("this is no database\n".repeat(1_000));

Deno.test("`State` of a monitor begins anew over garbage, which it sets aside by date and tells of as an error", () => {
  using place = new StateDirectory();
  Deno.writeFileSync(place.file, GARBAGE);
  const state = place.open();
  state.bans.addAll([ban(1)]);
  assert.equal(state.takeLoss(), true);
  assert.equal(state.takeLoss(), false);
  state.close();
  assert.equal(place.errors.length, 1);
  assert.match(
    place.errors[0]!,
    /is damaged \(file is not a database\).*kept as .*state\.db\.damaged-\d{4}-\d\d-\d\dT\d{6}Z/,
  );
  assert.deepEqual(Deno.readFileSync(`${place.directory}/${place.aside[0]}`), GARBAGE);
  assert.equal(read(place, ({ bans }) => bans.inForce().length), 1);
});

Deno.test("`State` of a monitor goes on in a new file where its disk reads the old one no longer", () => {
  using place = new StateDirectory();
  const state = place.open();
  fill(state, 3);
  const { readSync } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.readSync = () => {
    throw new Error("Input/output error (os error 5)");
  };
  try {
    assert.equal(state.look(), true);
  } finally {
    Deno.FsFile.prototype.readSync = readSync;
  }
  assert.equal(state.bans.inForce().length, 3);
  assert.match(place.errors.join(), /cannot be read: Input\/output error .* beginning a new one with 3 bans/);
  state.close();
  assert.equal(read(place, ({ bans }) => bans.inForce().length), 3);
});

Deno.test("`State` of a monitor keeps the three newest files that it set aside", () => {
  using place = new StateDirectory();
  for (const day of [1, 2, 3, 4]) {
    for (const side of ["", "-wal"]) {
      Deno.writeTextFileSync(`${place.file}.damaged-2026-01-0${day}T000000Z${side}`, "x");
    }
  }
  Deno.writeFileSync(place.file, GARBAGE);
  place.open().close();
  assert.deepEqual(
    place.aside.filter((name) => name.includes("2026-01")).sort(),
    [3, 4].flatMap((day) => ["", "-wal"].map((side) => `state.db.damaged-2026-01-0${day}T000000Z${side}`)),
  );
});

Deno.test("`State` of a monitor takes over from a file cut short what can still be read", () => {
  using place = new StateDirectory();
  place.prepare(5_000);
  const { size } = Deno.statSync(place.file);
  Deno.truncateSync(place.file, Math.floor(size * 0.6));
  const state = place.open();
  assert.equal(state.position("journal"), "s=1");
  assert.equal(state.whitelist("command", 0).length, 1);
  const kept = state.bans.inForce().length;
  assert.ok(kept > 100 && kept < 5_000, `${kept} bans`);
  const before = state.bans.inForce().at(-1)!.id;
  state.bans.add(ban(9_999));
  assert.ok(state.bans.find({ address: ban(9_999).address, scope: "all" })!.id > before);
  assert.equal(state.takeLoss(), true);
  state.close();
  assert.match(
    place.errors.join("\n"),
    /beginning a new one with \d+ bans, 1 positions, 1 whitelist entries/,
  );
});

Deno.test("`State` of a monitor finds a damage in the middle at its start, and loses only what stood there", () => {
  using place = new StateDirectory();
  place.prepare(5_000);
  using file = Deno.openSync(place.file, { read: true, write: true });
  const { size } = file.statSync();
  file.seekSync(Math.floor(size / 8192) * 4096, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array(8_192).fill(0x55));
  file.close();
  const state = place.open();
  const kept = state.bans.inForce().length;
  assert.ok(kept > 4_500, `${kept} bans`);
  state.bans.addAll([ban(9_999)]);
  state.close();
});

Deno.test("commands do not touch a damaged state", () => {
  using place = new StateDirectory();
  Deno.writeFileSync(place.file, GARBAGE);
  assert.throws(
    () => new State(place.directory),
    (error) => error instanceof UserError && error.code === 69,
  );
  assert.deepEqual(Deno.readFileSync(place.file), GARBAGE);
});

const LOSSES: Readonly<Record<string, (place: StateDirectory) => void>> = {
  "its file is removed": ({ file }) => ["", "-wal", "-shm"].forEach((side) => Deno.removeSync(file + side)),
  "only what lies beside it is removed": ({ file }) => Deno.removeSync(`${file}-wal`),
  "its directory is removed": ({ directory }) => Deno.removeSync(directory, { recursive: true }),
  "garbage is written over its beginning": ({ file }) => {
    using opened = Deno.openSync(file, { write: true });
    opened.writeSync(GARBAGE.subarray(0, 4_096));
  },
  "garbage is in its place": ({ file }) => Deno.writeFileSync(file, GARBAGE),
  "it is cut to nothing": ({ file }) => Deno.truncateSync(file, 0),
  "garbage is moved to its name": ({ file, directory }) => {
    Deno.writeFileSync(`${directory}/other`, GARBAGE);
    Deno.renameSync(`${directory}/other`, file);
  },
};
for (const [loss, lose] of Object.entries(LOSSES)) {
  Deno.test(`\`State.look()\` writes what it has into a fresh file when ${loss}`, () => {
    using place = new StateDirectory();
    const state = place.open();
    fill(state, 300);
    addLines(state, 1_000);
    const host = state.outbox.hostId;
    assert.equal(state.look(), false);
    lose(place);
    state.bans.add(ban(400));
    assert.equal(state.look(), true);
    assert.equal(state.look(), false);
    state.bans.add(ban(401));
    assert.equal(place.errors.length, 1, place.errors.join("\n"));
    const found = read(place, (other) => ({
      bans: other.bans.inForce().length,
      lines: other.log.count(),
      position: other.position("journal"),
      whitelist: other.whitelist("command", 0).length,
      host: other.outbox.hostId,
    }));
    assert.deepEqual(found, { bans: 302, lines: 1_000, position: "s=1000", whitelist: 1, host });
    state.close();
  });
}

Deno.test("`State.look()` gives way to another state that somebody put into its place", () => {
  using place = new StateDirectory();
  const state = place.open();
  Deno.copyFileSync(place.file, `${place.directory}/copy`);
  Deno.renameSync(`${place.directory}/copy`, place.file);
  assert.throws(() => state.look(), (error) => error instanceof UserError && error.code === 69);
  state.close();
});

Deno.test("`State` of a monitor goes on with a new file that a crash kept from its place", () => {
  using place = new StateDirectory();
  place.prepare();
  // Killed between two renames: the old file is aside, and what lay beside it is not.
  Deno.renameSync(place.file, `${place.file}.fresh`);
  Deno.writeFileSync(`${place.file}-wal`, GARBAGE);
  const state = place.open();
  assert.equal(state.bans.inForce().length, 3);
  assert.equal(state.position("journal"), "s=1");
  assert.equal(state.takeLoss(), true);
  assert.match(place.errors.join("\n"), /^error: The state .* was being replaced when the program ended/);
  assert.equal(place.errors.length, 1);
  state.close();
});

Deno.test("`State` of a monitor goes on with a new file though a command has made an empty one in its place", () => {
  using place = new StateDirectory();
  place.prepare();
  Deno.renameSync(place.file, `${place.file}.fresh`);
  new State(place.directory).close();
  const state = place.open();
  assert.deepEqual([state.bans.inForce().length, state.position("journal")], [3, "s=1"]);
  assert.match(place.errors.join("\n"), /^error: The state .* was being replaced when the program ended/);
  state.close();
});

Deno.test("`State` of a monitor takes no new file that is old, garbage or empty for its state", () => {
  using place = new StateDirectory();
  place.prepare();
  const fresh = `${place.file}.fresh`;
  Deno.copyFileSync(place.file, fresh);
  place.open().close();
  assert.throws(() => Deno.statSync(fresh), Deno.errors.NotFound, "a state is in its place");
  for (const content of [GARBAGE, new Uint8Array()]) {
    Deno.removeSync(place.file);
    Deno.writeFileSync(fresh, content);
    const state = place.open();
    assert.equal(state.bans.inForce().length, 0);
    state.close();
  }
  assert.deepEqual(place.errors, []);
});

/** Faults on the way of a new file to its place, each once; they return what puts the system right again. */
const REFUSALS: Readonly<Record<string, () => () => void>> = {
  "put into its place": () => {
    const rename = Deno.renameSync;
    let refusals = 0;
    Deno.renameSync = (from, to) => {
      if (!String(from).endsWith(".fresh")) return rename(from, to);
      if (++refusals === 2) Deno.renameSync = rename;
      throw new Error("refused");
    };
    return () => Deno.renameSync = rename;
  },
  "opened in its place": () => {
    const open = Deno.openSync;
    Deno.openSync = (path, options) => {
      if (!String(path).endsWith("/state.db") || !options?.createNew) return open(path, options);
      Deno.openSync = open;
      throw new Error("refused");
    };
    return () => Deno.openSync = open;
  },
};
for (const [what, refuse] of Object.entries(REFUSALS)) {
  Deno.test(`\`State.look()\` loses nothing when the new file cannot be ${what} at once`, async () => {
    using place = new StateDirectory();
    const state = place.open();
    fill(state, 300);
    addLines(state, 1_000);
    state.look();
    Deno.writeFileSync(place.file, GARBAGE);
    const allow = refuse();
    try {
      assert.ok(state.look() || state.look());
    } finally {
      allow();
    }
    assert.match(place.errors.join("\n"), /cannot be written .*going on in memory with 300 bans/);
    state.bans.add(ban(400));
    await leaveMemory(state, place);
    state.bans.add(ban(401));
    const found = read(place, (other) => [other.bans.inForce().length, other.log.count()]);
    assert.deepEqual(found, [302, 1_000]);
    state.close();
  });
}

Deno.test("`State.look()` keeps the lines when its directory is removed so slowly that the first new file fails", () => {
  using place = new StateDirectory();
  const state = place.open();
  addLines(state, 1_000);
  state.look();
  Deno.removeSync(place.directory, { recursive: true });
  Deno.writeTextFileSync(place.directory, "still in the way");
  assert.equal(state.look(), false);
  Deno.removeSync(place.directory);
  assert.equal(state.look(), true);
  assert.match(place.errors.join("\n"), /^[^\n]*is damaged \(somebody removed it\)[^\n]*$/);
  assert.equal(read(place, (other) => other.log.count()), 1_000);
  state.close();
});

/** Looks until the state is in its file again. */
async function leaveMemory(state: State, { log }: StateDirectory): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!log.lines.some((line) => /^info: .*can be written again/.test(line))) {
    assert.ok(performance.now() < deadline);
    await new Promise((resolve) => setTimeout(resolve, 100));
    state.look();
  }
}

for (const when of ["while it is open", "before it is opened"] as const) {
  Deno.test({
    name:
      `\`State\` of a monitor goes on in memory when the disk is full ${when}, and writes all of it later (needs root)`,
    ignore: !canMount(),
    async fn() {
      using place = new StateDirectory("12m");
      place.prepare();
      let state: State;
      if (when === "while it is open") {
        state = place.open();
        state.look();
        fillDisk(place.filler);
      } else {
        fillDisk(place.filler);
        state = place.open();
      }
      for (let i = 10; i < 2_000; i++) state.bans.add(ban(i));
      state.bans.end(ban(0).address, { reason: "unban", time: 5 });
      addLines(state, 5_000);
      assert.equal(state.bans.inForce().length, 2 + 1_990);
      assert.equal(state.position("journal"), "s=5000");
      assert.deepEqual(state.outbox.unshippedLog(1), []);
      assert.equal(place.errors.length, 1, place.errors.join("\n"));
      assert.match(place.errors[0]!, /cannot be written.*going on in memory with 3 bans/);
      // Without the files beside it, no command can open the state on a full disk.
      if (when === "while it is open") assert.ok(read(place, (command) => command.isInMemory));
      Deno.removeSync(place.filler);
      // A command was faster.
      read(place, (command) => {
        command.bans.add(ban(5_000));
        command.bans.end(ban(1).address, { reason: "unban", time: 5 });
        command.addToWhitelist("command", { address: "192.0.2.8", note: "", until: null, since: 1 });
      });
      await leaveMemory(state, place);
      assert.ok(!read(place, (command) => command.isInMemory));
      assert.equal(state.outbox.unshippedLog(5_000).length, 5_000);
      await state.outbox.settle();
      state.bans.add(ban(5_001));
      assert.equal(place.errors.length, 1);
      const found = read(place, (other) => ({
        bans: other.bans.inForce().length,
        lines: other.log.count(),
        position: other.position("journal"),
        whitelist: other.whitelist("command", 0).length,
        command: other.bans.inForceOf([ban(5_000).address]).length,
      }));
      assert.deepEqual(found, {
        bans: 2 + 1_990 - 1 + 2,
        lines: 5_000,
        position: "s=5000",
        whitelist: 2,
        command: 1,
      });
      const ids = state.bans.inForce().map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
      state.close();
    },
  });
}

Deno.test("`State` of a monitor goes on in memory while another program keeps its file locked, and writes all of it later", async () => {
  using place = new StateDirectory();
  place.prepare();
  const state = place.open();
  const other = new DatabaseSync(place.file);
  other.exec("BEGIN IMMEDIATE; DELETE FROM whitelist");
  state.bans.add(ban(10));
  addLines(state, 5);
  assert.match(
    place.errors.join("\n"),
    /^error: .*cannot be written \(database is locked\).*in memory with 3 bans[^\n]*$/,
  );
  const start = performance.now();
  while (performance.now() - start < 2_500) state.look();
  assert.ok(state.isInMemory && performance.now() - start < 3_500, "waits for the other program no more");
  other.exec("COMMIT");
  other.close();
  await leaveMemory(state, place);
  state.bans.add(ban(11));
  const found = read(place, (command) => ({
    bans: command.bans.inForce().length,
    lines: command.log.count(),
    whitelist: command.whitelist("command", 0).length,
  }));
  assert.deepEqual(found, { bans: 5, lines: 5, whitelist: 0 });
  assert.equal(place.errors.length, 1);
  state.close();
});

Deno.test("`State` of a monitor that fails for want of tables puts them back", () => {
  using place = new StateDirectory();
  const state = place.open();
  fill(state, 3);
  const other = new DatabaseSync(place.file);
  other.exec("DROP TABLE login");
  other.close();
  assert.deepEqual(state.logins.logins(), []);
  assert.equal(state.bans.inForce().length, 3);
  state.close();
});

Deno.test("`MemoryFallback` that was closed leaves nothing for the garbage collector to free twice", async () => {
  const program = fileURLToPath(new URL("../support/memory_fallback_program.ts", import.meta.url));
  const args = ["run", "--quiet", "--no-prompt", "--v8-flags=--expose-gc", program];
  const { code, signal } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
});

Deno.test("`State` of a monitor begins anew without the counters of the first release where they are garbage", () => {
  for (
    const content of ['{"forgotten":[],"addr', '{"forgotten":[1],"addresses":[],"steps":[],"rules":[]}', "4"]
  ) {
    using place = stateOfFirstRelease(`
      INSERT INTO tally VALUES (1, NULL, '${content}');
      INSERT INTO ban (change, address, reason, count, start) VALUES (1, '192.0.2.1', 'x', 5, 0)`);
    const log = memoryLog();
    const state = new State(place.directory, log);
    assert.equal(state.bans.inForce().length, 1);
    assert.match(
      log.errors.join(),
      /is damaged \(its counters in row 1 are malformed\): beginning a new one/,
    );
    state.close();
  }
});

Deno.test("`State` of a monitor takes over what can be read of a damaged state of the first release", () => {
  const rows = Array.from({ length: 3_000 }, (_, n) => `(${n + 1}, '${ban(n).address}', 'x', 5, ${n}, NULL)`);
  using place = stateOfFirstRelease(`
    INSERT INTO position VALUES ('journal', 's=1');
    INSERT INTO whitelist VALUES ('command', '192.0.2.1', '', 1, NULL);
    INSERT INTO ban (change, address, reason, count, start, until) VALUES ${rows.join()}`);
  const path = `${place.directory}/state.db`;
  using file = Deno.openSync(path, { read: true, write: true });
  file.seekSync(Math.floor(file.statSync().size / 8192) * 4096, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array(8_192).fill(0x55));
  const state = new State(place.directory, memoryLog());
  assert.equal(state.position("journal"), "s=1");
  assert.equal(state.whitelist("command", 0).length, 1);
  const kept = state.bans.inForce().length;
  assert.ok(kept > 2_000, `${kept} bans`);
  assert.equal(state.takeLoss(), true);
  state.close();
});
