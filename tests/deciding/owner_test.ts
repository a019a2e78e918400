/** The cases in which whoever owns the machine must stay in. */
import { SECOND } from "../../lib/core/time.ts";
import { strict as assert } from "node:assert";
import { DecidingBans } from "../support/deciding_bans.ts";
import { ObserveFirewall } from "../../lib/firewall/observe.ts";
import { Pipeline } from "../../lib/monitor/pipeline.ts";
import { Logins, type TrustOptions } from "../../lib/deciding/logins.ts";
import { Whitelist } from "../../lib/deciding/whitelist.ts";
import type { ModuleRules } from "../../lib/rules/rule.ts";
import { sshd } from "../../modules/sshd.ts";
import { recordsOf } from "../support/records.ts";
import { BOOT, condition, memoryLog, rule, type TemporaryState, temporaryState } from "../support/helpers.ts";
import { NO_OPTIONS } from "../support/messages.ts";

const NOW = 1_800_000_000 * SECOND;
const TRUST: TrustOptions = { span: 86_400 * SECOND, methods: new Set(["publickey"]), factor: 3 };
const OWNER = "192.0.2.7";
const LIMIT = 2;
const RULES: ModuleRules = {
  module: {
    name: "SSHD",
    ...sshd.match,
    form: sshd.form(NO_OPTIONS),
  },
  noLog: [],
  trustedProxies: [],
  record: "all",
  rules: [
    rule({
      name: "password",
      condition: condition({ texts: ["Failed password"] }),
      limit: LIMIT,
      window: null,
    }),
  ],
};

/** A monitor's inside, on a real state, that reads what sshd says. */
class Scene {
  readonly whitelist = new Whitelist();
  readonly log = memoryLog();
  readonly #state: TemporaryState["state"];
  readonly #bans: DecidingBans;
  readonly #pipeline: Pipeline;
  #second = 0;

  constructor({ state }: TemporaryState, trust: TrustOptions | null = TRUST) {
    this.#state = state;
    const logins = new Logins(trust);
    const step = { ipv4: 24, ipv6: 48, limit: 2, window: 3_600 * SECOND, banTime: null };
    this.#bans = new DecidingBans({
      state,
      firewall: new ObserveFirewall(),
      whitelist: this.whitelist,
      logins,
      known: () => ({ logins: state.logins.logins(), sessions: state.logins.sessions() }),
      networks: [{ ...step, growth: { factor: 1, most: null, forgetAfter: null } }],
      log: this.log,
      clock: () => NOW,
      boot: () => BOOT,
    });
    this.#pipeline = new Pipeline([RULES], {
      state: state.batches(["SSHD"]),
      judge: this.#bans.decider,
      enforce: (decision) => this.#bans.enforce(decision),
      log: this.log,
      counting: {
        ipv6Prefix: 64,
        lenience: (address, time) => logins.lenience(address, time),
      },
    });
  }

  /** sshd writes these, a second apart, read in one batch. */
  read(...messages: string[]): void {
    const entries = messages.map((message) => ({
      time: NOW - 3_600 * SECOND + this.#second++ * SECOND,
      identifier: "sshd",
      pid: 1,
      message,
      sender: { uid: 0, unit: "ssh.service" },
    }));
    const reader = this.#pipeline.readers.of([RULES]);
    const batch = { records: recordsOf(entries), position: "p", damaged: 0 };
    this.#pipeline.process(batch, { name: "journal", reader }, NOW);
  }

  refresh(): void {
    this.#bans.refresh();
  }

  get banned(): string[] {
    return this.#state.bans.inForce().map(({ address }) => address);
  }

  stop(): Promise<void> {
    return this.#bans.stop(AbortSignal.abort());
  }
}

function typo(address = OWNER): string {
  return `Failed password for root from ${address} port 5 ssh2`;
}

function login(address = OWNER, { method = "publickey", port = 4 } = {}): string {
  return `Accepted ${method} for root from ${address} port ${port} ssh2`;
}

function logout(address = OWNER, port = 4): string {
  return `Disconnected from user root ${address} port ${port}`;
}

function typos(count: number, address = OWNER): string[] {
  return Array(count).fill(typo(address));
}

/** One owner's case: what is read, and who is banned then. */
function ownerCase(
  name: string,
  play: (scene: Scene) => void,
  { banned, trust = TRUST }: { banned: string[]; trust?: TrustOptions | null },
): void {
  Deno.test(name, async () => {
    using temporary = temporaryState();
    const scene = new Scene(temporary, trust);
    play(scene);
    assert.deepEqual(scene.banned, banned, scene.log.lines.join("\n"));
    await scene.stop();
  });
}

ownerCase("a stranger's passwords ban him", (scene) => scene.read(...typos(3)), { banned: [OWNER] });

ownerCase("own address: loopback and this machine's addresses are never banned", (scene) => {
  scene.whitelist.set("this machine", ["198.51.100.1"]);
  scene.read(...typos(9, "127.0.0.1"), ...typos(9, "198.51.100.1"));
}, { banned: [] });

ownerCase("open session: nobody is banned who is logged in, without any trust too", (scene) => {
  scene.read(login(OWNER, { method: "password" }), ...typos(9));
}, { banned: [], trust: null });

ownerCase("open session: it protects until the last one ends", (scene) => {
  scene.read(login(OWNER, { port: 1 }), login(OWNER, { port: 2 }), logout(OWNER, 1), ...typos(3));
  assert.deepEqual(scene.banned, []);
  scene.read(logout(OWNER, 2), ...typos(3));
}, { banned: [OWNER], trust: null });

ownerCase("open session: a ban in force of whoever logs in is lifted", (scene) => {
  scene.read(...typos(3));
  assert.deepEqual(scene.banned, [OWNER]);
  scene.read(login());
  scene.refresh();
}, { banned: [] });

ownerCase("key login then typos: they are reported and ban nobody", (scene) => {
  scene.read(login(), logout(), ...typos(9));
  assert.match(
    scene.log.lines.join("\n"),
    /not banning 192\.0\.2\.7, root logged in from 192\.0\.2\.7 by publickey/,
  );
}, { banned: [] });

ownerCase("key login then typos: the trust reaches a whole household's /64", (scene) => {
  scene.read(login("2001:db8::7"), logout("2001:db8::7"), ...typos(9, "2001:db8::8"));
}, { banned: [] });

ownerCase("password login then typos: the limit is three times as high", (scene) => {
  scene.read(login(OWNER, { method: "password" }), logout(), ...typos(3 * LIMIT));
  assert.deepEqual(scene.banned, []);
  scene.read(typo());
}, { banned: [OWNER] });

ownerCase("without `trust_logins` a login that is over counts for nothing", (scene) => {
  scene.read(login(), logout(), ...typos(3));
}, { banned: [OWNER], trust: null });

ownerCase("a neighbour of a whitelisted IPv6 address is banned alone, not with its /64", (scene) => {
  scene.whitelist.set("configuration", ["2001:db8::7"]);
  scene.read(...typos(3, "2001:db8::7"), ...typos(3, "2001:db8::8"));
}, { banned: ["2001:db8::8"] });

ownerCase("IPv6 is counted and banned by /64", (scene) => {
  scene.read(typo("2001:db8:1::1"), typo("2001:db8:1::2"), typo("2001:db8:1::3"));
}, { banned: ["2001:db8:1::/64"] });

ownerCase("whole network ban: three banned addresses take their /24 with them", (scene) => {
  for (const host of ["198.51.100.1", "198.51.100.2", "198.51.100.3"]) scene.read(...typos(3, host));
}, { banned: ["198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.0/24"] });

ownerCase("whole network ban avoided: a whitelisted address is in it", (scene) => {
  scene.whitelist.set("command", ["198.51.100.77"]);
  for (const host of ["198.51.100.1", "198.51.100.2", "198.51.100.3"]) scene.read(...typos(3, host));
}, { banned: ["198.51.100.1", "198.51.100.2", "198.51.100.3"] });

ownerCase("whole network ban avoided: somebody in it logged in by key lately", (scene) => {
  scene.read(login("198.51.100.77"), logout("198.51.100.77"));
  for (const host of ["198.51.100.1", "198.51.100.2", "198.51.100.3"]) scene.read(...typos(3, host));
}, { banned: ["198.51.100.1", "198.51.100.2", "198.51.100.3"] });
