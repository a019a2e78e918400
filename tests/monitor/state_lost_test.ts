/** The program itself while its state is damaged, lost, or cannot be written. */
import { strict as assert } from "node:assert";
import { DatabaseSync } from "node:sqlite";
import { eventually } from "../support/helpers.ts";
import { canMount } from "../support/faults.ts";
import { Scene } from "../faults/scene.ts";

const FOUR = (address: string) => Array<string>(4).fill(address);

/** The program has stored every line once and told of every ban. */
async function settled(scene: Scene): Promise<void> {
  const isDone = () =>
    scene.stored().length >= scene.ledger.length && scene.told().length >= scene.ledger.guilty.size;
  await eventually(isDone, 30).catch(() => {});
  const { lost, doubled, missed, undue } = scene.ledger.compare(scene.stored(), scene.told());
  assert.deepEqual([lost, doubled, missed, undue], [0, 0, 0, 0], scene.said);
}

const remove = (scene: Scene) => {
  for (const side of ["", "-wal", "-shm"]) Deno.removeSync(`${scene.stateDirectory}/state.db${side}`);
};
/** Removes a directory at once: the program could write into it between the removals of its files. */
function removeWhole(directory: string): void {
  const away = `${directory}-away`;
  Deno.renameSync(directory, away);
  Deno.removeSync(away, { recursive: true });
}
const LOSSES: Readonly<Record<string, (scene: Scene) => void>> = {
  "the state is deleted": remove,
  "the state's directory is deleted": (scene) => removeWhole(scene.stateDirectory),
  "the state is overwritten with garbage": (scene) =>
    Deno.writeTextFileSync(`${scene.stateDirectory}/state.db`, "garbage ".repeat(2_000)),
};
for (const [loss, lose] of Object.entries(LOSSES)) {
  Deno.test(`the program loses neither line nor ban when ${loss} while it runs, and says so`, async () => {
    await using scene = new Scene();
    scene.start();
    await scene.ready();
    scene.refuse(...FOUR("203.0.113.1"), "203.0.113.2", "203.0.113.2", "203.0.113.2");
    await settled(scene);
    lose(scene);
    await eventually(() => /^<3>The state .* is damaged/m.test(scene.said), 5);
    scene.refuse("203.0.113.2", ...FOUR("203.0.113.3"));
    await settled(scene);
    await scene.end("SIGKILL");
    scene.refuse(...FOUR("203.0.113.4"));
    scene.start();
    await eventually(() => scene.told().includes("203.0.113.4"));
    await settled(scene);
    const code = await scene.end();
    assert.equal(code, 0, scene.said);
  });
}

Deno.test("the program goes on counting after a restart when a damage hit the names of rules while it ran", async () => {
  await using scene = new Scene();
  scene.start();
  await scene.ready();
  scene.refuse("203.0.113.2", "203.0.113.2", "203.0.113.2");
  await settled(scene);
  const other = new DatabaseSync(`${scene.stateDirectory}/state.db`);
  other.exec("DELETE FROM note_group");
  other.close();
  Deno.removeSync(`${scene.stateDirectory}/state.db-shm`);
  await eventually(() => /^<3>The state .* is damaged/m.test(scene.said), 5);
  scene.refuse("203.0.113.3");
  await settled(scene);
  await scene.end("SIGKILL");
  scene.refuse("203.0.113.2");
  scene.start();
  await eventually(() => scene.told().includes("203.0.113.2"));
});

// The last connection to a file removes SQLite's log: the program must never lose its locks.
Deno.test("the program keeps its state while others open it, write and leave in a flood", async () => {
  await using scene = new Scene();
  scene.start();
  await scene.ready();
  for (let burst = 0; burst < 20; burst++) {
    scene.refuse(...Array.from({ length: 8_192 }, (_, n) => `10.${burst}.${n >> 8}.${n & 255}`));
    const other = new DatabaseSync(`${scene.stateDirectory}/state.db`);
    other.exec("PRAGMA busy_timeout = 5000; INSERT OR REPLACE INTO meta VALUES ('visits', 'x')");
    other.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await settled(scene);
  assert.doesNotMatch(scene.said, /^<3>/m);
});

Deno.test("the program starts over a state that is garbage, and bans", async () => {
  await using scene = new Scene();
  Deno.mkdirSync(scene.stateDirectory);
  Deno.writeTextFileSync(`${scene.stateDirectory}/state.db`, "garbage ".repeat(2_000));
  scene.start();
  await scene.ready();
  scene.refuse(...FOUR("203.0.113.1"));
  await settled(scene);
  assert.match(scene.said, /^<3>The state .* is damaged .*the old one is kept as .*state\.db\.damaged-/m);
});

Deno.test({
  name: "the program starts on a full disk, bans, and writes all of it when there is room (needs root)",
  ignore: !canMount(),
  async fn() {
    await using scene = new Scene();
    scene.start();
    await scene.ready();
    scene.refuse("203.0.113.1", "203.0.113.1", ...FOUR("203.0.113.2"));
    await settled(scene);
    scene.fill();
    scene.refuse(...FOUR("203.0.113.3"));
    await eventually(() => scene.told().includes("203.0.113.3"), 20);
    await scene.end("SIGKILL");
    scene.start();
    await eventually(() => /^<3>The state .* cannot be written/m.test(scene.said), 20);
    scene.refuse("203.0.113.1", "203.0.113.1", ...FOUR("203.0.113.4"));
    await eventually(() => scene.told().includes("203.0.113.1"), 20);
    await eventually(() => scene.told().includes("203.0.113.4"), 20);
    scene.empty();
    await eventually(() => /can be written again/.test(scene.said), 20);
    await eventually(() => scene.stored().length === scene.ledger.length, 20);
    const { lost, doubled, missed, undue } = scene.ledger.compare(scene.stored(), scene.told());
    assert.deepEqual([lost, doubled, missed, undue], [0, 0, 0, 0]);
    const code = await scene.end();
    assert.equal(code, 0, scene.said);
  },
});

Deno.test("a second program is turned away although somebody removed the lock, and readers of it keep none out", async () => {
  await using scene = new Scene();
  scene.start();
  await scene.ready();
  Deno.removeSync(`${scene.stateDirectory}/lock.db`);
  const second = new Scene();
  try {
    Object.defineProperty(second, "stateDirectory", { value: scene.stateDirectory });
    second.start();
    assert.equal(await second.ended(), 69);
    assert.match(second.said, /^<3>Another monitor runs on the state/m);
  } finally {
    await second[Symbol.asyncDispose]();
  }
  scene.refuse(...FOUR("203.0.113.1"));
  await settled(scene);
});
