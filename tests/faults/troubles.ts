/** Kinds of trouble that a running program meets with. */
import type { TestPostgres } from "../support/postgres_server.ts";
import type { Random } from "../support/random.ts";
import type { Scene } from "./scene.ts";

/** What a trouble has to do with. */
export interface World {
  readonly scene: Scene;
  readonly random: Random;
  readonly postgres: TestPostgres | null;
}

/** One kind of trouble. */
export interface Trouble {
  readonly name: string;
  /** What it needs is there. */
  isPossible(world: World): boolean;
  /** Comes; what it returns is its end. */
  strike(world: World): Promise<(() => void | Promise<void>) | void> | void;
}

const always = () => true;
const state = ({ scene }: World, name: string) => `${scene.stateDirectory}/${name}`;

/** All kinds. */
export const TROUBLES: readonly Trouble[] = [
  {
    name: "program killed",
    isPossible: always,
    async strike({ scene }) {
      await scene.end("SIGKILL");
      return () => scene.start();
    },
  },
  {
    name: "program stopped in its tracks",
    isPossible: always,
    strike({ scene }) {
      scene.signal("SIGSTOP");
      return Promise.resolve(() => scene.signal("SIGCONT"));
    },
  },
  { name: "configuration reloaded", isPossible: always, strike: ({ scene }) => scene.signal("SIGHUP") },
  { name: "log rotated", isPossible: always, strike: ({ scene }) => scene.rotate() },
  {
    name: "disk full",
    isPossible: ({ scene }) => scene.hasDisk,
    strike({ scene }) {
      scene.fill();
      return Promise.resolve(() => scene.empty());
    },
  },
  {
    name: "disk full and program killed",
    isPossible: ({ scene }) => scene.hasDisk,
    async strike({ scene }) {
      scene.fill();
      await pause(300);
      await scene.end("SIGKILL");
      scene.start();
      await pause(1_500);
      return () => scene.empty();
    },
  },
  {
    name: "state removed",
    isPossible: always,
    strike: (world) =>
      ["", "-wal", "-shm"].forEach((side) => tryTo(() => Deno.removeSync(state(world, `state.db${side}`)))),
  },
  {
    name: "state overwritten at its beginning",
    isPossible: always,
    strike(world) {
      using file = Deno.openSync(state(world, "state.db"), { write: true });
      file.writeSync(new Uint8Array(4_096).fill(0x47));
    },
  },
  {
    name: "lock removed",
    isPossible: always,
    strike: (world) => tryTo(() => Deno.removeSync(state(world, "lock.db"))),
  },
  {
    name: "journalctl killed",
    isPossible: ({ scene }) => scene.journalctl !== null,
    strike: ({ scene }) => tryTo(() => Deno.kill(scene.journalctl!, "SIGKILL")),
  },
  {
    name: "journalctl stopped in its tracks",
    isPossible: ({ scene }) => scene.journalctl !== null,
    // It never goes on: the program must notice.
    strike: ({ scene }) => tryTo(() => Deno.kill(scene.journalctl!, "SIGSTOP")),
  },
  {
    name: "PostgreSQL killed",
    isPossible: ({ postgres }) => postgres !== null,
    async strike({ postgres }) {
      await postgres!.kill();
      return () => postgres!.start();
    },
  },
  {
    name: "PostgreSQL frozen",
    isPossible: ({ postgres }) => postgres !== null,
    strike({ postgres }) {
      postgres!.freeze();
      return Promise.resolve(() => postgres!.thaw());
    },
  },
  {
    name: "table log dropped",
    isPossible: ({ postgres }) => postgres !== null,
    async strike({ postgres }) {
      // What was shipped is counted all the same.
      await postgres!.query(`BEGIN; LOCK TABLE log; CREATE TABLE IF NOT EXISTS kept (message text);
        INSERT INTO kept SELECT message FROM log; DROP TABLE log; COMMIT`);
    },
  },
];

function tryTo(work: () => void): void {
  try {
    work();
  } catch {
    // It is not there.
  }
}

/** Waits for some milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
