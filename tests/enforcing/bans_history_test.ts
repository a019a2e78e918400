/** Random histories of trips, unbans, whitelisting, logins, failed commits and restarts: `Bans` on a real state against a plain model. */
import { strict as assert } from "node:assert";
import { DecidingBans } from "../support/deciding_bans.ts";
import { prepareStateDirectory } from "../../lib/monitor/control.ts";
import { canonicalNetwork } from "../../lib/core/address.ts";
import { NetworkSet } from "../../lib/core/network_set.ts";
import { formatDuration, type Micros, SECOND } from "../../lib/core/time.ts";
import { ObserveFirewall } from "../../lib/firewall/observe.ts";
import type { Login } from "../../lib/deciding/login_change.ts";
import { Logins } from "../../lib/deciding/logins.ts";
import type { NetworkStep } from "../../lib/deciding/networks.ts";
import { Whitelist } from "../../lib/deciding/whitelist.ts";
import { formatScope, isOfPackets, type Scope } from "../../lib/core/scope.ts";
import { BanTable } from "../../lib/state/ban_table.ts";
import { Database } from "../../lib/state/database.ts";
import { EnforcementTable } from "../../lib/state/enforcement_table.ts";
import type { Growth } from "../../lib/rules/rule.ts";
import { trip } from "../support/bans_scene.ts";
import { BOOT, memoryLog, scopeOf } from "../support/helpers.ts";
import { Random } from "../support/random.ts";

/** How many are made up, 20 ms each. Their seeds are always the same: ask for 10,000 after a change of what they prove. */
const HISTORIES = Number(Deno.env.get("HISTORIES") ?? 1_000);
const STEPS = 16;
const ADDRESSES = [
  ...["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.3.1", "192.0.3.2", "192.0.3.3"],
  ...["2001:db8:0:1::/64", "2001:db8:0:2::/64", "2001:db8:0:3::/64", "2001:db8:1::/64"],
];

const SCOPES = ["all", "tcp 22", "tcp 22,80", "tcp", "udp 53"].map(scopeOf);

/** A firewall that is never told anything: only decisions count here. */
class DeafFirewall extends ObserveFirewall {
  override readonly parallel = 0;
}

/** What a history is made with. */
interface World {
  readonly banTime: Micros | null;
  readonly growth: Growth;
  readonly steps: readonly NetworkStep[];
  readonly trust: { span: Micros; methods: ReadonlySet<string>; factor: number } | null;
  /** Nobody is spared, so that a restart may come at any time. */
  readonly isRestarted: boolean;
}

function makeWorld(random: Random): World {
  const growth = {
    factor: random.pick([1, 2, 3]),
    most: random.pick([null, 50 * SECOND]),
    forgetAfter: random.pick([null, 60 * SECOND]),
  };
  const first = { ipv4: 24, ipv6: 48, limit: 2, window: 100 * SECOND, banTime: 30 * SECOND, growth };
  const second = { ipv4: 16, ipv6: 32, limit: 1, window: 300 * SECOND, banTime: null, growth };
  const isRestarted = random.pick([true, false]);
  return {
    banTime: random.pick([10 * SECOND, 10 * SECOND, null]),
    growth,
    steps: random.pick([[], [first], [first, second]]),
    trust: isRestarted ? null : { span: 80 * SECOND, methods: new Set(["publickey"]), factor: 3 },
    isRestarted,
  };
}

interface ModelBan {
  readonly address: string;
  readonly scope: Scope;
  readonly reason: string;
  readonly start: Micros;
  readonly until: Micros | null;
  ended: Micros | null;
  endReason: string | null;
}

/** The same rules, written down as plainly as can be: everything is found by looking at all bans there ever were. */
class Model {
  readonly bans: ModelBan[] = [];
  whitelist: string[] = [];
  readonly logins: Login[] = [];
  readonly #world: World;
  /** For each step and network, the bans that count towards it. */
  readonly #counting = new Map<string, { address: string; start: Micros }[]>();

  constructor(world: World) {
    this.#world = world;
  }

  trip(address: string, { scope, now }: { scope: Scope; now: Micros }): void {
    if (this.#isSpared(address, now)) return;
    const { banTime, growth } = this.#world;
    const ban = this.#ban(address, { scope, reason: "[SSHD] invalid", first: banTime, growth, start: now });
    for (let next = ban; next !== null;) next = this.#fill(next);
  }

  pass(now: Micros): void {
    for (const ban of this.bans) {
      if (ban.ended !== null || ban.until === null || ban.until > now) continue;
      [ban.ended, ban.endReason] = [ban.until, "expired"];
    }
  }

  end(address: string, reason: string, now: Micros): void {
    for (const ban of this.#inForce(address)) [ban.ended, ban.endReason] = [now, reason];
  }

  endWhitelisted(now: Micros): void {
    for (const { address, ended } of this.bans) {
      if (ended === null && this.#isWhitelisted(address)) this.end(address, "whitelisted", now);
    }
  }

  #inForce(address: string): ModelBan[] {
    return this.bans.filter((ban) => ban.address === address && ban.ended === null);
  }

  #ban(
    address: string,
    { scope, reason, first, growth, start }: {
      scope: Scope;
      reason: string;
      first: Micros | null;
      growth: Growth;
      start: Micros;
    },
  ): ModelBan | null {
    const until = first === null ? null : start + this.#grown(address, { first, growth, start });
    const inForce = this.#inForce(address);
    const isCovered = (ban: ModelBan) => portsOf(scope).every((port) => portsOf(ban.scope).includes(port));
    if (inForce.some((ban) => isCovered(ban) && (until ?? Infinity) <= (ban.until ?? Infinity))) return null;
    const ban = { address, scope, reason, start, until, ended: null, endReason: null };
    const same = inForce.find((ban) => ban.scope === scope);
    if (same) Object.assign(same, { until });
    else this.bans.push(ban);
    return ban;
  }

  #grown(
    address: string,
    { first, growth, start }: { first: Micros; growth: Growth; start: Micros },
  ): Micros {
    let time = first;
    let free = start;
    for (const ban of this.bans.filter((ban) => ban.address === address && ban.ended !== null).reverse()) {
      if (ban.endReason !== "expired") continue;
      if (growth.forgetAfter !== null && free - ban.ended! >= growth.forgetAfter) break;
      time *= growth.factor;
      free = ban.start;
    }
    return growth.most === null ? time : Math.min(time, growth.most);
  }

  #fill({ address, start }: ModelBan): ModelBan | null {
    const bits = Number(address.split("/")[1] ?? (address.includes(":") ? 128 : 32));
    const step = this.#world.steps.find(({ ipv4, ipv6 }) => (address.includes(":") ? ipv6! : ipv4!) < bits);
    if (!step) return null;
    const length = address.includes(":") ? step.ipv6 : step.ipv4;
    const network = canonicalNetwork(`${address.split("/")[0]}/${length}`)!;
    const recent = (this.#counting.get(network) ?? []).filter((ban) => ban.start > start - step.window);
    const counted = [...recent.filter((ban) => ban.address !== address), { address, start }];
    this.#counting.set(network, counted.length > step.limit ? [] : counted);
    if (counted.length <= step.limit || this.#isSpared(network, start)) return null;
    const reason = `[NETWORK] ${counted.length} bans within ${formatDuration(step.window)}`;
    return this.#ban(network, { scope: "all", reason, first: step.banTime, growth: step.growth, start });
  }

  #isSpared(target: string, now: Micros): boolean {
    const span = this.#world.trust?.span ?? 0;
    const isTrusted = this.logins.some(({ address, time }) =>
      (address === target || new NetworkSet([target]).covers(address)) && time > now - span
    );
    return this.#isWhitelisted(target) || isTrusted;
  }

  #isWhitelisted(target: string): boolean {
    return this.whitelist.some((member) => member === target || new NetworkSet([target]).covers(member));
  }
}

/** All that a scope cuts off, as far as the scopes of this test differ. */
function portsOf(scope: Scope): string[] {
  const all = ["tcp 1", "tcp 22", "tcp 80", "udp 1", "udp 53"];
  if (scope === "all") return all;
  if (!isOfPackets(scope)) return [];
  const { protocol, ports } = scope;
  return all.filter((port) =>
    port.startsWith(protocol) &&
    (ports.length === 0 || ports.some(({ first, last }) => {
      const number = Number(port.split(" ")[1]);
      return first <= number && number <= last;
    }))
  );
}

/** Plays one history on both sides and compares all bans after each step. */
function play(random: Random, state: { bans: BanTable; enforcement: EnforcementTable }): void {
  const table = state.bans;
  const world = makeWorld(random);
  const { banTime, growth } = world;
  const [model, whitelist, log] = [new Model(world), new Whitelist(), memoryLog()];
  const logins = new Logins(world.trust);
  let now = 1_000 * SECOND;
  const open = () =>
    new DecidingBans({
      state,
      firewall: new DeafFirewall(),
      whitelist,
      logins,
      known: () => ({ logins: model.logins, sessions: [] }),
      networks: world.steps,
      networkRoom: { addresses: 1_000, bytes: 60 },
      log,
      clock: () => now,
      boot: () => BOOT,
    });
  let bans = open();
  const acts: (() => string)[] = [
    ...Array(6).fill(() => {
      const [address, scope] = [random.pick(ADDRESSES), random.pick(SCOPES)];
      if (world.isRestarted && random.pick([true, false, false])) {
        // The commit fails: nothing of this decision has ever been.
        bans.decide([trip(random.pick(ADDRESSES), { banTime, growth, scope, time: now })]);
        bans.reset();
      }
      const decided = bans.decide([trip(address, { banTime, growth, scope, time: now })]);
      table.addAll(decided);
      bans.enforce(decided);
      model.trip(address, { scope, now });
      return `trip ${address} ${formatScope(scope)}`;
    }),
    () => {
      const address = random.pick([...ADDRESSES, "192.0.2.0/24", "192.0.0.0/16", "2001:db8::/48"]);
      table.end(address, { reason: "unban", time: now });
      model.end(address, "unban", now);
      bans.refresh();
      return `unban ${address}`;
    },
    () => {
      if (world.isRestarted) {
        void bans.stop(AbortSignal.abort());
        bans = open();
        return "restart";
      }
      model.whitelist = random.pick([[], [random.pick(ADDRESSES)]]);
      whitelist.set("command", model.whitelist);
      model.endWhitelisted(now);
      bans.refresh();
      return `whitelist ${model.whitelist}`;
    },
    () => {
      if (world.isRestarted) return "nothing";
      const login = {
        address: random.pick(ADDRESSES.slice(0, 7)),
        method: "publickey",
        user: "u",
        time: now,
      };
      model.logins.push(login);
      logins.restore({ logins: model.logins, sessions: [] });
      return `login ${login.address}`;
    },
  ];
  const done: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    now += random.pick([1, 3, 10, 20, 50, 90]) * SECOND;
    model.pass(now);
    bans.refresh();
    done.push(`${now / SECOND}: ${random.pick(acts)()}`);
    const found = table.history(1_000).reverse().map((
      { address, scope, reason, start, until, ended, endReason },
    ) => ({
      address,
      scope,
      reason,
      start,
      until,
      ended,
      endReason,
    }));
    // To compare texts takes a fraction of the time.
    if (JSON.stringify(found) === JSON.stringify(model.bans)) continue;
    assert.deepEqual(found, model.bans, `${JSON.stringify(world)}\n${done.join("\n")}`);
  }
  void bans.stop(AbortSignal.abort());
}

Deno.test("escalation, forgetting, network bans, unbans, whitelist, logins and restarts are as a plain model has them", () => {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  prepareStateDirectory(directory);
  const database = new Database(directory);
  const state = { bans: new BanTable(database), enforcement: new EnforcementTable(database) };
  const done = new Error("rolled back");
  try {
    for (let seed = 1; seed <= HISTORIES; seed++) {
      const history = () => {
        play(new Random(seed), state);
        throw done;
      };
      assert.throws(() => state.bans.transaction(history), (error) => {
        if (error !== done) throw new Error(`seed ${seed}: ${error}`);
        return true;
      });
    }
  } finally {
    database.close();
    Deno.removeSync(directory, { recursive: true });
  }
});
