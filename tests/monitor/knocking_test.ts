/** Knocks on their way through the pipeline and the state, as a monitor has them. */
import { strict as assert } from "node:assert";
import { DecidingBans } from "../support/deciding_bans.ts";
import { SECOND } from "../../lib/core/time.ts";
import { ObserveFirewall } from "../../lib/firewall/observe.ts";
import { Knocking } from "../../lib/monitor/knocking.ts";
import { Pipeline } from "../../lib/monitor/pipeline.ts";
import type { BatchRecord } from "../../lib/state/batch_writer.ts";
import { seal } from "../../lib/deciding/knock_key.ts";
import { Whitelist } from "../../lib/deciding/whitelist.ts";
import { State } from "../../lib/state/state.ts";
import type { KnockKey } from "../../lib/deciding/knock.ts";
import type { Log } from "../../lib/core/log.ts";
import type { ModuleRules } from "../../lib/rules/rule.ts";
import { nginx } from "../../modules/nginx/nginx.ts";
import { sshd } from "../../modules/sshd.ts";
import { codeAt } from "../support/authenticator.ts";
import { type Entry, recordsOf } from "../support/records.ts";
import {
  BOOT,
  condition,
  memoryLog,
  NO_LOGINS,
  rule,
  strangers,
  type TemporaryState,
  temporaryState,
} from "../support/helpers.ts";
import { NO_OPTIONS } from "../support/messages.ts";

const ONE = "192.0.2.1";
const TWO = "192.0.2.2";
const SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const PLAIN = "open-sesame-1234567";
const HOUR = 3_600 * SECOND;
const NOW = 1_800_000_015 * SECOND;

const MODULES: readonly ModuleRules[] = [
  {
    module: { ...sshd.match, name: "SSHD", form: sshd.form(NO_OPTIONS) },
    noLog: [],
    trustedProxies: [],
    record: "all",
    rules: [rule({ name: "invalid_user", condition: condition({ texts: ["Invalid user"] }) })],
  },
  {
    module: { ...nginx.match, name: "NGINX", form: nginx.form(NO_OPTIONS) },
    noLog: [],
    trustedProxies: [],
    record: "all",
    rules: [rule({ name: "missing", status: new Set([404]) })],
  },
];

const KEYS: readonly KnockKey[] = [
  { name: "phone", kind: "totp", secret: SECRET, since: 0, used: null },
  { name: "script", kind: "plain", secret: seal(PLAIN, "5a17"), since: 0, used: null },
];

/** The part of a monitor that knocks meet. */
class Scene implements AsyncDisposable {
  readonly whitelist = new Whitelist();
  readonly bans: DecidingBans;
  readonly knocking: Knocking;
  readonly pipeline: Pipeline;

  constructor(readonly state: State, { log = memoryLog(), now = NOW }: { log?: Log; now?: number } = {}) {
    this.bans = new DecidingBans({
      state,
      firewall: new ObserveFirewall(),
      whitelist: this.whitelist,
      log,
      clock: () => now,
      boot: () => BOOT,
      ...strangers(),
    });
    const whitelisted = () => {
      this.whitelist.set("knock", state.whitelist("knock", now).map(({ address }) => address));
      this.pipeline.forget(this.bans.refresh());
    };
    this.knocking = new Knocking({
      log,
      config: { prefix: "knock-", time: 12 * HOUR },
      keys: () => state.knocks.keys(),
      whitelisted,
    });
    const batches = state.batches(MODULES.map(({ module }) => module.name));
    this.pipeline = new Pipeline(MODULES, {
      state: batches,
      judge: this.bans.decider,
      enforce: (decision) => this.bans.enforce(decision),
      log,
      knocking: this.knocking,
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.bans.stop(AbortSignal.abort());
  }

  /** Brings lines of sshd in one batch. */
  hear(lines: readonly string[], { time = NOW, position = "p" } = {}): void {
    const sender = { uid: 0, unit: "ssh.service" };
    const entries = lines.map((message) => ({ time, identifier: "sshd", pid: 1, message, sender }));
    this.#take(entries, position);
  }

  /** Brings lines of nginx's logs, `time` being when they were read. */
  browse(lines: readonly string[], time = NOW): void {
    this.#take(lines.map((message) => ({ time, identifier: null, pid: null, message, sender: null })), "p");
  }

  #take(entries: readonly Entry[], position: string): void {
    const reader = this.pipeline.readers.of(MODULES);
    const batch = { records: recordsOf(entries), position, damaged: 0 };
    this.pipeline.process(batch, { name: "journal", reader }, NOW);
  }
}

/** Keeps batches from being written. */
const FULL = "CREATE TRIGGER full BEFORE INSERT ON position BEGIN SELECT raise(ABORT, 'disk full'); END";

/** A state with both keys. */
function keyedState(): TemporaryState {
  const temporary = temporaryState();
  for (const key of KEYS) assert.ok(temporary.state.knocks.add(key));
  return temporary;
}

function code(time = NOW): string {
  return codeAt(time, SECRET);
}

function invalid(user: string, address = ONE): string {
  return `Invalid user ${user} from ${address} port 40000`;
}

function recorded(temporary: TemporaryState): string[] {
  return temporary.state.outbox.unshippedLog(1_000).map(({ message }) => message);
}

function hits(temporary: TemporaryState): unknown[] {
  return [...temporary.state.notes.contents()];
}

/** Everything that the state's files hold. */
function rawState({ directory }: TemporaryState): string {
  const files = ["state.db", "state.db-wal"].map((name) => Deno.readFileSync(`${directory}/${name}`));
  return files.map((bytes) => new TextDecoder("latin1").decode(bytes)).join("");
}

Deno.test("a knock whitelists its sender, is not recorded and no hit, and is logged without its code", async () => {
  using temporary = keyedState();
  const log = memoryLog();
  await using scene = new Scene(temporary.state, { log });
  const user = `knock-${code()}`;
  scene.hear([
    invalid(user),
    `Failed none for invalid user ${user} from ${ONE} port 40000 ssh2`,
    `Connection closed by invalid user ${user} ${ONE} port 40000 [preauth]`,
  ]);
  const [entry, ...others] = temporary.state.whitelist("knock", NOW);
  assert.deepEqual({ ...entry }, { address: ONE, note: "phone", until: NOW + 12 * HOUR });
  assert.deepEqual(others, []);
  assert.deepEqual(recorded(temporary), []);
  assert.deepEqual(hits(temporary), []);
  assert.deepEqual(log.lines, [`info: whitelisting ${ONE} for 12h: it knocked with the key phone`]);
  scene.hear(Array(9).fill(invalid("guess")));
  assert.deepEqual(temporary.state.bans.inForce(), []);
});

Deno.test("whoever reads the journal cannot knock with a code that was used: it counts, and bans", async () => {
  using temporary = keyedState();
  await using scene = new Scene(temporary.state);
  const user = `knock-${code()}`;
  scene.hear([invalid(user)]);
  scene.hear(Array(3).fill(invalid(user, TWO)));
  assert.deepEqual(temporary.state.bans.inForce().map(({ address }) => address), [TWO]);
  assert.deepEqual(temporary.state.whitelist("knock", NOW).map(({ address }) => address), [ONE]);
  assert.equal(recorded(temporary).length, 3);
});

Deno.test("a wrong code is an event like others", async () => {
  using temporary = keyedState();
  const wrong = code() === "000000" ? "000001" : "000000";
  await using scene = new Scene(temporary.state);
  scene.hear(Array(3).fill(invalid(`knock-${wrong}`)));
  assert.deepEqual(temporary.state.bans.inForce().map(({ count }) => count), [3]);
});

Deno.test("a knock lifts a ban of its sender that stands, and one that its own batch would make", async () => {
  using temporary = keyedState();
  await using scene = new Scene(temporary.state);
  scene.hear(Array(3).fill(invalid("guess")));
  scene.hear([invalid(`knock-${code()}`)]);
  assert.deepEqual(temporary.state.bans.inForce(), []);
  assert.equal(temporary.state.bans.latest(ONE)?.endReason, "whitelisted");

  using other = keyedState();
  const guesses = Array(3).fill(invalid("guess"));
  await using otherScene = new Scene(other.state);
  otherScene.hear([...guesses, invalid(`knock-${code()}`), ...guesses]);
  assert.equal(other.state.bans.latest(ONE), null);
});

Deno.test("a request for a path of nginx knocks as well, and its error log keeps quiet about it", async () => {
  using temporary = keyedState();
  const line = (request: string) =>
    `${ONE} - - [15/Jan/2027:08:00:15 +0000] "${request}" 404 153 "-" "curl/8.0"`;
  const request = `GET /knock-${code()}?x=1 HTTP/1.1`;
  await using scene = new Scene(temporary.state);
  scene.browse([
    line(request),
    `2027/01/15 08:00:15 [error] 7#7: *1 open() "/srv/www/knock-${code()}" failed (2: No such file or directory), ` +
    `client: ${ONE}, server: _, request: "${request}", host: "192.0.2.9"`,
    line(`GET /${PLAIN} HTTP/1.1`),
  ]);
  assert.deepEqual(temporary.state.whitelist("knock", NOW).map(({ address }) => address), [ONE]);
  assert.deepEqual(recorded(temporary), []);
  assert.deepEqual(hits(temporary), []);
});

Deno.test("a plain secret stands nowhere in the state and in no word of the log", async () => {
  using temporary = keyedState();
  const log = memoryLog();
  await using scene = new Scene(temporary.state, { log });
  for (const address of [ONE, TWO]) {
    scene.hear([
      invalid(PLAIN, address),
      `Failed password for invalid user ${PLAIN} from ${address} port 40000 ssh2`,
      `Disconnected from invalid user ${PLAIN} ${address} port 40000 [preauth]`,
    ]);
  }
  scene.hear([invalid("guess", TWO)]);
  assert.equal(temporary.state.whitelist("knock", NOW).length, 2);
  assert.ok(rawState(temporary).includes("Invalid user guess"), "what is recorded is found so");
  assert.ok(!rawState(temporary).includes(PLAIN));
  assert.ok(!log.lines.some((line) => line.includes(PLAIN)));
});

Deno.test("a knock that could not be written has not been: read again, its code opens", async () => {
  using temporary = keyedState();
  temporary.exec(FULL);
  await using scene = new Scene(temporary.state);
  const knock = () => scene.hear([invalid(`knock-${code()}`)]);
  assert.throws(knock, /disk full/);
  assert.deepEqual(temporary.state.whitelist("knock", NOW), []);
  temporary.exec("DROP TRIGGER full");
  knock();
  assert.equal(temporary.state.whitelist("knock", NOW).length, 1);
});

Deno.test("`BatchWriter.write()` spends a code and lets its sender in together with the batch, or neither", () => {
  using temporary = keyedState();
  const knock = { key: "phone", address: ONE, time: NOW, until: NOW + HOUR, step: 60_000_000 };
  const record: BatchRecord = {
    source: "journal",
    position: "p1",
    notes: { groups: [], forgotten: null, rows: [] },
    logins: NO_LOGINS,
    bans: [],
    knocks: [knock],
  };
  const batches = temporary.state.batches(["SSHD"]);
  temporary.exec(FULL);
  assert.throws(() => batches.write(record), /disk full/);
  assert.deepEqual(temporary.state.knocks.keys(), KEYS.toSorted((a, b) => a.name < b.name ? -1 : 1));
  assert.deepEqual(temporary.state.whitelist("knock", NOW), []);
  temporary.exec("DROP TRIGGER full");
  batches.write(record);
  assert.deepEqual(temporary.state.knocks.keys()[0]!.used, { step: 60_000_000, by: ONE, at: NOW });
  assert.equal(temporary.state.whitelist("knock", NOW).length, 1);
});

Deno.test("a code stays spent and a sender let in across a restart", async () => {
  using temporary = keyedState();
  const user = `knock-${code()}`;
  await using scene = new Scene(temporary.state);
  scene.hear([invalid(user)]);
  await using again = new Scene(temporary.state);
  again.hear([invalid(user, TWO), invalid(user)]);
  assert.deepEqual(recorded(temporary), [invalid(user, TWO)]);
  assert.deepEqual(temporary.state.whitelist("knock", NOW).map(({ address }) => address), [ONE]);
});

Deno.test("a knock read late lets in as long as it would have, had it been read at once", async () => {
  using temporary = keyedState();
  await using scene = new Scene(temporary.state);
  const [long, short] = [NOW - 13 * HOUR, NOW - 11 * HOUR];
  scene.hear([invalid(`knock-${code(long)}`)], { time: long });
  assert.deepEqual(temporary.state.whitelist("knock", NOW), []);
  scene.hear([invalid(`knock-${code(short)}`, TWO)], { time: short });
  assert.deepEqual(temporary.state.whitelist("knock", NOW).map(({ until }) => until), [NOW + HOUR]);
});

Deno.test("a knock never shortens what an earlier one gave", async () => {
  using temporary = keyedState();
  await using scene = new Scene(temporary.state);
  scene.hear([invalid(`knock-${code()}`)]);
  scene.hear([invalid(PLAIN)], { time: NOW - HOUR });
  assert.deepEqual(temporary.state.whitelist("knock", NOW).map(({ until }) => until), [NOW + 12 * HOUR]);
});

Deno.test("`Knocking.takeKeys()` goes by keys made and removed meanwhile", async () => {
  using temporary = temporaryState();
  await using scene = new Scene(temporary.state);
  scene.hear([invalid(PLAIN)]);
  assert.deepEqual(temporary.state.whitelist("knock", NOW), []);
  KEYS.forEach((key) => temporary.state.knocks.add(key));
  scene.knocking.takeKeys();
  scene.hear([invalid(PLAIN)]);
  assert.equal(temporary.state.whitelist("knock", NOW).length, 1);
  assert.ok(temporary.state.knocks.remove("script"));
  scene.knocking.takeKeys();
  scene.hear([invalid(PLAIN, TWO)]);
  assert.equal(temporary.state.whitelist("knock", NOW).length, 1);
});
