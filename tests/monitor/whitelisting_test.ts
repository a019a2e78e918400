import type { KeptOrigin } from "../../lib/deciding/whitelist.ts";
import { strict as assert } from "node:assert";
import { DecidingBans } from "../support/deciding_bans.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { DAY, type Micros, SECOND } from "../../lib/core/time.ts";
import { ObserveFirewall } from "../../lib/firewall/observe.ts";
import { Whitelisting } from "../../lib/monitor/whitelisting.ts";
import type { Trip } from "../../lib/rules/rule.ts";
import { modules } from "../../modules/mod.ts";
import { BOOT, eventually, memoryLog, STEADY, strangers, temporaryState } from "../support/helpers.ts";

const OLD = "198.18.7.1";
const NEW = "198.18.7.2";
const START: Micros = Date.parse("2027-01-30T12:00:00Z") * 1_000;

/** A whitelist in the making, with a clock and a DNS of its own. */
class Scene implements AsyncDisposable {
  readonly temporary = temporaryState();
  readonly log = memoryLog();
  readonly stop = new AbortController();
  /** What each name resolves to. */
  readonly dns: Record<string, string[]> = {};
  whitelisting: Whitelisting;
  readonly bans: DecidingBans;
  now = START;
  /** How often somebody was told that names are resolved. */
  changes = 0;

  constructor(keys: Record<string, unknown>, files: Record<string, string> = {}) {
    for (const [name, text] of Object.entries(files)) this.write(name, text);
    this.whitelisting = this.start(keys);
    this.bans = new DecidingBans({
      state: this.temporary.state,
      firewall: new ObserveFirewall(),
      whitelist: this.whitelisting.whitelist,
      log: this.log,
      clock: () => this.now,
      boot: () => BOOT,
      ...strangers(),
    });
  }

  /** Begins anew on the same state, by a configuration with these keys. */
  start(keys: Record<string, unknown>): Whitelisting {
    const { directory, state } = this.temporary;
    const rules = [{ name: "a", str: "x", limit: 1 }];
    this.write("config.jsonc", JSON.stringify({ modules: { SSHD: { rules } }, state: directory, ...keys }));
    const config = loadConfig(this.path("config.jsonc"), { known: modules });
    return this.whitelisting = new Whitelisting(config, {
      state,
      log: this.log,
      clock: () => this.now,
      resolve: (name) =>
        name in this.dns ? Promise.resolve(this.dns[name]!) : Promise.reject(new Error("EAI_AGAIN")),
      changed: () => {
        this.gather();
        this.changes++;
      },
    });
  }

  /** Addresses that the state has of an origin. */
  stored(origin: KeptOrigin): string[] {
    return this.temporary.state.whitelist(origin, this.now).map(({ address }) => address);
  }

  path(name: string): string {
    return `${this.temporary.directory}/${name}`;
  }

  /** Writes a file anew, as another one than before. */
  write(name: string, text: string): void {
    Deno.writeTextFileSync(this.path(`${name}.new`), text);
    Deno.renameSync(this.path(`${name}.new`), this.path(name));
  }

  /** What the monitor does every second. */
  look(): Promise<void> {
    return this.whitelisting.look(this.stop.signal);
  }

  /** Sets the time of a file's last change back: it rests. */
  rest(name: string, seconds = 60): void {
    const time = Date.now() / 1_000 - seconds;
    Deno.utimeSync(this.path(name), time, time);
  }

  /** What the monitor does at each change and each minute. */
  gather(): void {
    this.whitelisting.gather();
    this.bans?.refresh();
  }

  origin(address: string): string | null {
    return this.whitelisting.whitelist.covering(address);
  }

  /** Follows the names until `stop`, and waits until they have been resolved another time. */
  async resolved(): Promise<void> {
    const before = this.changes;
    await eventually(() => this.changes > before);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    await this.bans.stop(AbortSignal.abort());
    this.temporary[Symbol.dispose]();
  }
}

function trip(address: string): Trip {
  return {
    address,
    source: address,
    module: "SSHD",
    rule: "a",
    reason: "[SSHD] a",
    time: START,
    count: 2,
    banTime: null,
    growth: STEADY,
    scope: "all",
  };
}

Deno.test("whitelisted DNS name whose address changed: the ban of the new address is lifted, and it is banned no more", async () => {
  await using scene = new Scene({ whitelist: "home.example", whitelist_refresh: 1 });
  scene.dns["home.example"] = [OLD];
  const following = scene.whitelisting.followNames(scene.stop.signal);
  await scene.resolved();
  assert.deepEqual(scene.bans.decide([trip(OLD)]), []);
  const [ban] = scene.bans.decide([trip(NEW)]);
  scene.temporary.state.bans.add(ban!);
  scene.bans.enforce([ban!]);
  scene.dns["home.example"] = [NEW];
  await eventually(() => scene.origin(NEW) === "DNS name");
  assert.equal(scene.temporary.state.bans.latest(NEW)!.endReason, "whitelisted");
  assert.deepEqual(scene.bans.decide([trip(NEW)]), []);
  assert.equal(scene.bans.decide([trip(OLD)]).length, 1);
  scene.stop.abort();
  await following;
});

Deno.test("`Whitelisting.look()` lets go of everything when it has ended, by whomever it was whitelisted", async () => {
  await using scene = new Scene({
    whitelist: [{ address: "198.18.9.0/24", until: "2027-01-31T12:00:00Z" }, {
      address: "home.example",
      until: "2027-01-31T12:00:00Z",
    }],
    whitelist_files: "friends",
  }, { friends: "198.18.8.1 until 2027-01-31T12:00:00Z\n198.18.8.2\n" });
  const until = START + 86_400 * SECOND;
  scene.temporary.state.addToWhitelist("command", { address: "198.18.8.3", note: "", until, since: START });
  scene.dns["home.example"] = [OLD];
  await scene.look();
  const following = scene.whitelisting.followNames(scene.stop.signal);
  await scene.resolved();
  const all = ["198.18.9.7", "198.18.8.1", "198.18.8.2", "198.18.8.3", OLD];
  const origins = () => all.map((address) => scene.origin(address));
  const before = ["configuration", "whitelist file", "whitelist file", "command", "DNS name"];
  scene.now = until - 1;
  scene.gather();
  assert.deepEqual(origins(), before);
  await scene.look();
  assert.deepEqual(origins(), before);
  scene.now = until;
  await scene.look();
  assert.deepEqual(origins(), [null, null, "whitelist file", null, null]);
  scene.stop.abort();
  await following;
});

Deno.test("`Whitelisting.look()` follows its files, and keeps what one that vanished last said", async () => {
  await using scene = new Scene({ whitelist_files: "friends" }, { friends: "198.18.7.1\n?\n" });
  const said = (pattern: RegExp) => scene.log.lines.filter((line) => pattern.test(line)).length;
  const origins = () => [OLD, NEW].map((address) => scene.origin(address));
  await scene.look();
  assert.equal(scene.origin(OLD), "whitelist file");
  assert.equal(said(/^warn: .*\/friends:2: must be an address/), 1);
  assert.match(scene.whitelisting.problems.join(), /^\/\S+\/friends:2: must be an address.*, got "\?"$/);
  scene.write("friends", "198.18.7.2\n198.18.7.0/33\n?\n");
  scene.rest("friends");
  await scene.look();
  assert.match(
    scene.whitelisting.problems.join(),
    /:2: must be a network.*; .* names the other doubtful lines$/,
  );
  assert.deepEqual(origins(), [null, "whitelist file"]);
  assert.equal(said(/^info: whitelist file .*\/friends read: 1 entry$/), 2);
  assert.equal(said(/\/friends:2: must be a network/), 1);
  Deno.removeSync(scene.path("friends"));
  for (let second = 0; second < 3; second++) await scene.look();
  assert.deepEqual(origins(), [null, "whitelist file"]);
  assert.equal(said(/^warn: .*\/friends does not exist; its last entries stay whitelisted$/), 1);
  assert.match(scene.whitelisting.problems.join(), /\/friends does not exist; its last entries stay/);
  Deno.mkdirSync(scene.path("friends"));
  await scene.look();
  assert.equal(said(/\/friends is a directory; its last entries/), 1);
  Deno.removeSync(scene.path("friends"));
  scene.write("friends", "198.18.7.1\n");
  scene.rest("friends");
  await scene.look();
  assert.deepEqual(origins(), ["whitelist file", null]);
  assert.deepEqual(scene.whitelisting.problems, []);
  scene.write("friends", "0.0.0.0/0\n");
  await scene.look();
  assert.equal(said(/^warn: .*\/friends: whitelist 0\.0\.0\.0\/0 is so large that few or none/), 1);
  scene.rest("friends");
  await scene.look();
  assert.match(scene.whitelisting.problems.join(), /\/friends: whitelist 0\.0\.0\.0\/0 is so large/);
});

Deno.test("a file that is being written anew keeps its entries until it rests, and new ones count at once", async () => {
  await using scene = new Scene({ whitelist_files: "friends" }, { friends: "198.18.7.1\n" });
  const origins = () => [OLD, NEW].map((address) => scene.origin(address));
  await scene.look();
  for (const text of ["", "198.18.7.2\n"]) {
    Deno.writeTextFileSync(scene.path("friends"), text);
    await scene.look();
    assert.deepEqual(origins(), ["whitelist file", text === "" ? null : "whitelist file"]);
    // So it stands after a restart and after a reload, too.
    scene.start({ whitelist_files: "friends" });
    assert.deepEqual(origins(), ["whitelist file", null]);
    await scene.look();
    assert.deepEqual(origins(), ["whitelist file", text === "" ? null : "whitelist file"]);
  }
  scene.rest("friends", 3);
  await scene.look();
  assert.deepEqual(origins(), [null, "whitelist file"]);
  Deno.writeTextFileSync(scene.path("friends"), "");
  scene.rest("friends", 50);
  await scene.look();
  assert.deepEqual(origins(), [null, "whitelist file"]);
  scene.rest("friends", 61);
  await scene.look();
  assert.deepEqual(origins(), [null, null]);
});

Deno.test("a file is read again that was rewritten in place, with its size and its time kept", async () => {
  await using scene = new Scene({ whitelist_files: "friends" }, { friends: "198.18.7.1\n" });
  const path = scene.path("friends");
  const write = (text: string) => {
    Deno.writeTextFileSync(path, text);
    Deno.utimeSync(path, 1_800_000_000, 1_800_000_000);
    return Deno.statSync(path).ctime!.getTime();
  };
  const before = write("198.18.7.1\n");
  await scene.look();
  while (write("198.18.7.2\n") === before);
  await scene.look();
  assert.equal(scene.origin(NEW), "whitelist file");
});

Deno.test("a file that is away at a start counts as it last was, and one that has not changed is not read again", async () => {
  const keys = { whitelist_files: "friends" };
  await using scene = new Scene(keys, {
    friends: "198.18.7.1\n2001:db8::/32 until 2027-02-28\nhome.example\n?\n",
  });
  scene.dns["home.example"] = [NEW];
  await scene.look();
  const reads = () => scene.log.lines.filter((line) => /read: 3 entries/.test(line)).length;
  assert.equal(reads(), 1);
  scene.start(keys);
  await scene.look();
  assert.equal(reads(), 1);
  Deno.removeSync(scene.path("friends"));
  scene.start(keys);
  const following = scene.whitelisting.followNames(scene.stop.signal);
  await scene.resolved();
  await scene.look();
  const origins = () => [OLD, NEW, "2001:db8::1"].map((address) => scene.origin(address));
  assert.deepEqual(origins(), ["whitelist file", "DNS name", "whitelist file"]);
  scene.now = Date.parse("2027-03-01") * 1_000;
  scene.gather();
  assert.deepEqual(origins(), ["whitelist file", "DNS name", null]);
  scene.stop.abort();
  await following;
  scene.start({});
  assert.equal(scene.temporary.state.whitelistCopy(scene.path("friends")), null);
});

Deno.test("`Whitelisting` resolves a name as soon as a file names it, and forgets it as soon as none does", async () => {
  await using scene = new Scene({ whitelist_files: "friends", whitelist_refresh: "1d" }, { friends: "" });
  scene.dns["home.example"] = [OLD];
  scene.dns["work.example"] = [NEW];
  await scene.look();
  const following = scene.whitelisting.followNames(scene.stop.signal);
  assert.ok(scene.whitelisting.namesResolved);
  for (
    const [text, origins] of [
      ["home.example\n", ["DNS name", null]],
      ["work.example # another\n", [null, "DNS name"]],
      ["", [null, null]],
    ] as const
  ) {
    scene.write("friends", text);
    scene.rest("friends");
    await scene.look();
    await eventually(() => String([OLD, NEW].map((address) => scene.origin(address))) === String(origins));
  }
  scene.stop.abort();
  await following;
});

Deno.test("a name that cannot be resolved at a start keeps the addresses that the state has, for as long as it fails", async () => {
  const keys = { whitelist: ["home.example", "work.example"], whitelist_refresh: 1 };
  await using scene = new Scene(keys);
  // Two names share an address, and the state has room for it once.
  Object.assign(scene.dns, { "home.example": [OLD, NEW], "work.example": [NEW] });
  const first = new AbortController();
  const before = scene.whitelisting.followNames(first.signal);
  await scene.resolved();
  first.abort();
  await before;
  scene.dns["home.example"] = [];
  delete scene.dns["work.example"];
  for (const whitelist of [keys.whitelist, ["work.example"]]) {
    scene.start({ ...keys, whitelist });
    assert.equal(scene.origin(NEW), "DNS name");
    const stop = new AbortController();
    const following = scene.whitelisting.followNames(stop.signal);
    await eventually(() => scene.whitelisting.namesResolved);
    scene.gather();
    assert.equal(scene.origin(OLD), whitelist.length === 2 ? "DNS name" : null);
    assert.equal(scene.origin(NEW), "DNS name");
    stop.abort();
    await following;
  }
  assert.deepEqual(scene.stored("name"), [NEW]);
  scene.start({});
  assert.deepEqual([scene.origin(NEW), scene.stored("name")], [null, []]);
});

Deno.test("a name that only a file holds is waited for, whoever was resolved before the file was read", async () => {
  await using scene = new Scene({ whitelist_files: "friends" }, { friends: "home.example\n" });
  const answer = Promise.withResolvers<string[]>();
  Object.defineProperty(scene.dns, "home.example", { get: () => answer.promise });
  await scene.look();
  assert.equal(scene.whitelisting.namesResolved, false);
  const following = scene.whitelisting.followNames(scene.stop.signal);
  answer.resolve([OLD]);
  await eventually(() => scene.whitelisting.namesResolved);
  assert.equal(scene.origin(OLD), "DNS name");
  scene.dns["work.example"] = [NEW];
  scene.write("friends", "home.example\nwork.example\n");
  await scene.look();
  assert.equal(scene.whitelisting.namesResolved, false);
  await eventually(() => scene.whitelisting.namesResolved);
  assert.equal(scene.origin(NEW), "DNS name");
  scene.stop.abort();
  await following;
});

Deno.test("the addresses of a name stay in the state until each file has been read", async () => {
  await using scene = new Scene({});
  const entry = (address: string, note: string) => ({ address, note, until: null });
  const stored = [entry(OLD, "home.example"), entry(NEW, "work.example")];
  scene.temporary.state.replaceWhitelist("name", stored, START);
  scene.start({ whitelist_files: "friends", whitelist: "work.example" });
  scene.gather();
  await scene.look();
  assert.deepEqual(scene.stored("name").sort(), [OLD, NEW]);
  assert.deepEqual([scene.origin(OLD), scene.origin(NEW)], [null, "DNS name"]);
  scene.write("friends", "home.example\n");
  await scene.look();
  assert.equal(scene.origin(OLD), "DNS name");
  scene.write("friends", "");
  scene.rest("friends", 61);
  await scene.look();
  assert.deepEqual([scene.origin(OLD), scene.stored("name")], [null, [NEW]]);
});

Deno.test("a name that is answered counts while another hangs", async () => {
  await using scene = new Scene({ whitelist: ["home.example", "slow.example"] });
  scene.dns["home.example"] = [OLD];
  const hanging = Promise.withResolvers<string[]>();
  Object.defineProperty(scene.dns, "slow.example", { get: () => hanging.promise });
  const following = scene.whitelisting.followNames(scene.stop.signal);
  await scene.resolved();
  assert.deepEqual([scene.origin(OLD), scene.whitelisting.namesResolved], ["DNS name", false]);
  scene.stop.abort();
  hanging.resolve([]);
  await following;
});

Deno.test("a state that cannot be written keeps nobody off the whitelist, and is complained of once", async () => {
  await using scene = new Scene({ whitelist: "home.example", whitelist_refresh: 1 });
  scene.temporary.state.replaceWhitelist = () => {
    throw new Error("database or disk is full");
  };
  scene.dns["home.example"] = [OLD];
  const following = scene.whitelisting.followNames(scene.stop.signal);
  await eventually(() => scene.origin(OLD) === "DNS name");
  scene.gather();
  const complaints = scene.log.lines.filter((line) => /disk is full/.test(line));
  assert.deepEqual(complaints, ["error: Cannot store the whitelist by name: database or disk is full"]);
  scene.stop.abort();
  await following;
});

Deno.test("the whitelist of a database counts while that is away, and no longer than it is configured", async () => {
  const keys = { DB: { host: "db", user: "u", database: "d" } };
  await using scene = new Scene(keys);
  scene.temporary.state.replaceWhitelist("database", [{ address: OLD, note: "", until: null }], START);
  scene.start(keys);
  assert.equal(scene.origin(OLD), "database");
  scene.start({});
  assert.deepEqual([scene.origin(OLD), scene.stored("database")], [null, []]);
});

Deno.test("an address that two interfaces of this machine have is stored once, and not again", async () => {
  const { networkInterfaces } = Deno;
  Deno.networkInterfaces = () => networkInterfaces().flatMap((one) => [one, { ...one, name: "br1" }]);
  try {
    await using scene = new Scene({});
    const { state } = scene.temporary;
    const replace = state.replaceWhitelist.bind(state);
    const stored: KeptOrigin[] = [];
    state.replaceWhitelist = (origin, ...rest) => {
      stored.push(origin);
      replace(origin, ...rest);
    };
    scene.gather();
    assert.deepEqual(stored, []);
  } finally {
    Deno.networkInterfaces = networkInterfaces;
  }
});

Deno.test("an address that this machine had counts for another day: at a start its interface may be down", async () => {
  await using scene = new Scene({});
  const { state } = scene.temporary;
  const present = scene.stored("machine");
  assert.ok(present.includes("127.0.0.1"));
  state.addToWhitelist("machine", { address: OLD, note: "", until: START + DAY, since: START });
  scene.start({});
  assert.equal(scene.origin(OLD), "this machine");
  scene.now += 0.6 * DAY;
  scene.gather();
  assert.equal(scene.origin(OLD), "this machine");
  scene.now += 0.6 * DAY;
  scene.gather();
  assert.deepEqual([scene.origin(OLD), scene.stored("machine").sort()], [null, present.sort()]);
});
