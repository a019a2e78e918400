/** SQLite's log is copied into the file while commits go on, and nothing that was committed is lost. */
import { strict as assert } from "node:assert";
import { DatabaseSync } from "node:sqlite";
import { prepareStateDirectory } from "../../lib/monitor/control.ts";
import { checkpoint } from "../../lib/state/checkpoint.ts";
import { connect } from "../../lib/state/connect.ts";
import { State } from "../../lib/state/state.ts";
import { MANUAL, memoryLog } from "../support/helpers.ts";

/** More than the pages that are worth a checkpoint. */
const LONG = new Uint8Array(17 << 20).fill(7);

/** A monitor's state in a directory of its own. */
class Place implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  readonly file = `${this.directory}/state.db`;
  readonly log = memoryLog();
  readonly #copies: string[] = [];

  constructor() {
    prepareStateDirectory(this.directory);
    // The last connection leaves the tables in the file.
    new State(this.directory).close();
  }

  open(): State {
    return new State(this.directory, this.log);
  }

  /** Returns the addresses banned, and whether the long value is there, in the file without its log. */
  get content(): { bans: string[]; isLong: boolean } {
    const copy = `${this.directory}/copy-${this.#copies.length}.db`;
    this.#copies.push(copy);
    Deno.copyFileSync(this.file, copy);
    const db = new DatabaseSync(copy);
    try {
      const bans = db.prepare("SELECT address FROM ban ORDER BY id").all() as { address: string }[];
      const isLong = db.prepare("SELECT 1 FROM meta WHERE length(value) = ?").get(LONG.length) !== undefined;
      return { bans: bans.map(({ address }) => address), isLong };
    } finally {
      db.close();
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

function ban(state: State, address: string): void {
  state.bans.add({ address, scope: "all", provenance: MANUAL, reason: "x", count: 0, start: 1, until: null });
}

Deno.test("`State.checkpoint()` copies a long log into the file, and commits that come meanwhile", async () => {
  using place = new Place();
  const state = place.open();
  state.keepWhitelistCopy("/list", LONG);
  const done = state.checkpoint();
  ban(state, "192.0.2.1");
  assert.deepEqual(place.content, { bans: [], isLong: false });
  await done;
  assert.deepEqual(place.content, { bans: ["192.0.2.1"], isLong: true });
  state.close();
});

Deno.test("`State.checkpoint()` leaves a short log as it is", async () => {
  using place = new Place();
  const state = place.open();
  ban(state, "192.0.2.1");
  await state.checkpoint();
  assert.deepEqual(place.content.bans, []);
  state.close();
});

Deno.test("`State.checkpoint()` lets SQLite use its log from the beginning again", async () => {
  using place = new Place();
  const state = place.open();
  const sizes: number[] = [];
  for (let round = 0; round < 6; round++) {
    state.keepWhitelistCopy(`/list${round}`, LONG);
    await state.checkpoint();
    sizes.push(Deno.statSync(`${place.file}-wal`).size);
  }
  assert.deepEqual(sizes.slice(1).filter((size) => size > 1.1 * sizes[0]!), []);
  state.close();
});

Deno.test("`checkpoint()` leaves only what came meanwhile for the copy that SQLite waits for", async () => {
  using place = new Place();
  const db = connect(place.file);
  db.prepare("INSERT INTO meta VALUES ('long', ?)").run(LONG);
  let between: Place["content"] | null = null;
  const done = checkpoint({
    path: place.file,
    db,
    isInUse: () => true,
    sync: () => {
      between = place.content;
      return Promise.resolve();
    },
  });
  db.exec("INSERT INTO ban (change, address, reason, count, start) VALUES (1, '192.0.2.1', 'x', 0, 1)");
  await done;
  assert.deepEqual(between, { bans: [], isLong: true });
  assert.deepEqual(place.content, { bans: ["192.0.2.1"], isLong: true });
  db.close();
});

Deno.test("`State.checkpoint()` leaves to the next one what others still read without", async () => {
  using place = new Place();
  const state = place.open();
  ban(state, "192.0.2.1");
  const reader = new DatabaseSync(place.file, { readOnly: true });
  reader.exec("BEGIN; SELECT count(*) FROM ban");
  ban(state, "192.0.2.2");
  state.keepWhitelistCopy("/list", LONG);
  await state.checkpoint();
  assert.deepEqual(place.content, { bans: [], isLong: false });
  reader.close();
  state.keepWhitelistCopy("/list", LONG);
  await state.checkpoint();
  assert.deepEqual(place.content.bans, ["192.0.2.1", "192.0.2.2"]);
  state.close();
});

Deno.test("`State.checkpoint()` leaves a file alone that replaced its own meanwhile", async () => {
  using place = new Place();
  const state = place.open();
  ban(state, "192.0.2.1");
  state.keepWhitelistCopy("/list", LONG);
  const done = state.checkpoint();
  for (const side of ["", "-wal", "-shm"]) Deno.removeSync(place.file + side);
  assert.equal(state.look(), true);
  ban(state, "192.0.2.2");
  await done;
  assert.equal(state.look(), false);
  const reader = new State(place.directory);
  assert.deepEqual(reader.bans.inForce().map(({ address }) => address), ["192.0.2.1", "192.0.2.2"]);
  reader.close();
  state.close();
});
