/** Kinds of trouble for a running program. */
import type { Journald } from "../support/journald.ts";
import type { TestPostgres } from "../support/postgres_server.ts";
import { exists } from "../support/probes.ts";
import type { Random } from "../support/random.ts";
import type { Scene } from "./scene.ts";

/** Input of a trouble. */
export interface World {
  readonly scene: Scene;
  readonly random: Random;
  readonly postgres: TestPostgres | null;
  readonly journald: Journald | null;
  /** Waits until the program has stored all lines and made all bans. */
  caughtUp(): Promise<void>;
}

/** A kind of trouble. */
export interface Trouble {
  readonly name: string;
  /** Reports whether its needs are there. */
  isPossible(world: World): boolean;
  /** Whether lines may be lost that journald has not written yet. */
  readonly isOfJournald?: boolean;
  /** Begins the trouble. Returns a function that ends it. */
  strike(world: World): Promise<(() => void | Promise<void>) | void> | void;
}

const always = () => true;
const state = ({ scene }: World, name: string) => `${scene.stateDirectory}/${name}`;

/** All kinds of trouble. */
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
    name: "disk read-only at a start",
    isPossible: ({ scene }) => scene.hasDisk,
    async strike({ scene }) {
      await scene.end("SIGKILL");
      scene.setReadOnly(true);
      scene.start();
      await pause(1_500);
      return () => scene.setReadOnly(false);
    },
  },
  {
    name: "garbage for a state at a start",
    isPossible: always,
    async strike(world) {
      const { scene, journald, postgres } = world;
      await world.caughtUp();
      await scene.end();
      scene.keep();
      if (postgres !== null) await keepShipped(postgres);
      // Without positions the program would read all files again.
      scene.rotate({ isLast: true });
      await journald?.rotate();
      journald?.vacuum();
      Deno.writeFileSync(state(world, "state.db"), new Uint8Array(100_000).fill(0x47));
      scene.start();
      await scene.ready();
    },
  },
  {
    name: "no descriptor left for what is new",
    isPossible: () => hasPrlimit,
    strike({ scene }) {
      limitDescriptors(scene.pid!, 10);
      scene.rotate();
      if (scene.journalctl !== null) tryTo(() => Deno.kill(scene.journalctl!, "SIGKILL"));
      return Promise.resolve(() => limitDescriptors(scene.pid!, 4_096));
    },
  },
  {
    name: "clock stepped",
    isPossible: always,
    strike({ scene, random }) {
      scene.stepClock(random.pick([-7_200, -600, 600, 7_200]));
      return Promise.resolve(() => scene.stepClock(0));
    },
  },
  {
    name: "journald killed",
    isPossible: ({ journald }) => journald !== null,
    isOfJournald: true,
    strike: ({ journald }) => journald!.kill(),
  },
  ...[
    { name: "live journal overwritten at its head", from: 0 },
    { name: "live journal overwritten in its middle", from: 200_000 },
    { name: "live journal truncated and overwritten", from: 0, truncate: true },
  ].map(({ name, from, truncate }) => ({
    name,
    isPossible: ({ journald }: World) => journald !== null,
    isOfJournald: true,
    strike: ({ journald, random }: World) =>
      journald!.overwrite(from, Uint8Array.from({ length: 65_536 }, () => random.below(256)), { truncate }),
  })),
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
    // The process stays stopped: the program must notice.
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
      await keepShipped(postgres!);
    },
  },
];

/** Drops the table `log` of PostgreSQL, after keeping its rows for the count. */
async function keepShipped(postgres: TestPostgres): Promise<void> {
  await postgres.query(`BEGIN; LOCK TABLE log; CREATE TABLE IF NOT EXISTS kept (message text);
    INSERT INTO kept SELECT message FROM log; DROP TABLE log CASCADE; COMMIT`);
}

const hasPrlimit = exists("/usr/bin/prlimit");

/** Limits the number of open files of a process. Open files stay open. */
function limitDescriptors(pid: number, most: number): void {
  const args = [`--pid=${pid}`, `--nofile=${most}:`];
  if (!new Deno.Command("prlimit", { args }).outputSync().success) {
    throw new Error("cannot limit descriptors");
  }
}

/** Runs an action that fails if another process was faster. */
export function tryTo(work: () => void): void {
  try {
    work();
  } catch {
    // The file or process is gone.
  }
}

/** Waits for some milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
