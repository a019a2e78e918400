import { strict as assert } from "node:assert";
import { openInput, readInput } from "../../../lib/commands/common/input.ts";
import { Rehearsal, rehearsalsOf } from "../../../lib/commands/rehearsal/rehearsal.ts";
import { loadConfig } from "../../../lib/config/load.ts";
import type { Config } from "../../../lib/config/types.ts";
import type { NewBan } from "../../../lib/deciding/ban.ts";
import { Whitelist } from "../../../lib/deciding/whitelist.ts";
import { modules } from "../../../modules/mod.ts";
import { Random } from "../../support/random.ts";

type Section = Record<string, unknown>;

const guess = { name: "guess", str: "Invalid user", limit: 3, window: "1h", ban_time: "1h" };
const root = { name: "root", str: "Failed password for root", limit: 5, window: "1d", ban_time: "1d" };
const names = {
  name: "names",
  str: "nvalid user ",
  mode: "anywhere",
  distinct: "user",
  limit: 2,
  window: "1d",
};
const closed = { name: "closed", str: "^Connection .* closed by", mode: "regex", limit: 4, window: "1h" };
const missing = { name: "missing", status: [404, 400], limit: 3, window: "1h", ban_time: "1h" };
const scan = {
  name: "scan",
  str: [".env", "/wp-"],
  mode: "anywhere",
  field: "path",
  limit: 1,
  ban_time: "1d",
};
const agent = {
  name: "agent",
  str: "zgrab",
  mode: "anywhere",
  field: "user_agent",
  limit: 1,
  ban_time: "1d",
};

/** Counts one of several messages that a scanner makes at once; the other does so by another key alone. */
const keyless = { name: "keyless", str: "Unable to negotiate", limit: 2, window: "1d" };
const dsa = { name: "dsa", str: "ssh-dss", mode: "anywhere", limit: 1, window: "1d" };

const BEFORE = { SSHD: { rules: [guess, root, keyless] }, NGINX: { rules: [missing, scan] } };

/** Other configurations, and whether they read each line as `BEFORE` does. */
const AFTER: readonly (readonly [string, Section, boolean])[] = [
  ["other limits, windows and lengths", {
    modules: {
      SSHD: { rules: [{ ...guess, limit: 1 }, { ...root, window: "1h", ban_time: "1h" }, keyless] },
      NGINX: { rules: [{ ...missing, limit: 20 }, scan] },
    },
  }, true],
  ["other bans by the same counts", {
    modules: {
      SSHD: { rules: [{ ...guess, name: "guesses", ban_time: "2h" }, root, dsa, keyless] },
      NGINX: { rules: [{ ...missing, ban_time: "3d" }, scan] },
    },
    ban_time_factor: 2,
    network_bans: [{ ipv4: 24, ipv6: 48, limit: 1, window: "1d", ban_time: "1d" }],
  }, true],
  ["more rules, in another order", {
    modules: {
      SSHD: { rules: [dsa, names, root, { ...keyless, limit: 9 }, closed, guess] },
      NGINX: { rules: [agent, { ...missing, except: [{ str: "/favicon", field: "path" }] }, scan] },
    },
  }, true],
  ["other rules alone", {
    modules: { SSHD: { rules: [closed] }, NGINX: { rules: [agent, { ...missing, status: [403] }] } },
  }, true],
  ["other trust", { modules: BEFORE, trust_logins: { factor: 3, methods: ["password"] } }, true],
  ["another whitelist", { modules: BEFORE, whitelist: ["203.0.113.1"] }, true],
  ["other networks of IPv6", { modules: BEFORE, ipv6_prefix: 56 }, false],
  ["a module less", { modules: { SSHD: BEFORE.SSHD } }, false],
  ["another zone", { modules: { ...BEFORE, SSHD: { ...BEFORE.SSHD, time_zone: "Asia/Tokyo" } } }, false],
  ["another format", {
    modules: { ...BEFORE, NGINX: { ...BEFORE.NGINX, log_format: "$remote_addr [$time_local] $status" } },
  }, false],
  ["proxies", {
    modules: { ...BEFORE, NGINX: { ...BEFORE.NGINX, trusted_proxies: ["198.51.100.0/24"] } },
  }, false],
];

for (const [name, keys, isReadAlike] of AFTER) {
  Deno.test(`configurations with ${name} find the same bans whether one reads for both or each for itself`, async () => {
    const directory = Deno.makeTempDirSync();
    try {
      const log = `${directory}/log`;
      Deno.writeTextFileSync(log, madeUpLines(4_000));
      const load = (name: string, keys: Section) => {
        const path = `${directory}/${name}.jsonc`;
        Deno.writeTextFileSync(path, JSON.stringify({ state: directory, ...keys }));
        return loadConfig(path, { known: modules });
      };
      const configs = [load("before", { modules: BEFORE }), load("after", keys)] as const;
      const alone = await Promise.all(configs.map(async (config) => {
        const { bans, ...one } = rehearsed(config);
        const rehearsal = new Rehearsal([one]);
        await read(log, [rehearsal]);
        assert.ok(bans.length > 0);
        assert.deepEqual(rehearsal.hits, [rehearsal.counts.hits]);
        return { bans, hits: rehearsal.counts.hits };
      }));
      const [before, after] = [rehearsed(configs[0]), rehearsed(configs[1])];
      const rehearsals = rehearsalsOf(before, after, {});
      assert.equal(rehearsals.length, isReadAlike ? 1 : 2);
      await read(log, rehearsals);
      const hits = rehearsals.flatMap((rehearsal) => rehearsal.hits);
      const together = [before, after].map(({ bans }, side) => ({ bans, hits: hits[side] }));
      assert.deepEqual(together, alone);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  });
}

Deno.test("a configuration loses no counts for want of room to addresses that another one counts", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    const log = `${directory}/log`;
    const lineOf = (text: string, i: number) =>
      `2025-05-06T00:00:00Z web sshd[7]: ${text} x from 203.0.113.${i} port 1\n`;
    const lines = Array.from(
      { length: 90 },
      (_, i) => lineOf("Invalid user", i) + lineOf("Failed password for", 100 + i),
    ).join("");
    Deno.writeTextFileSync(log, lines.repeat(2));
    const [before, after] = ["Invalid user", "Failed password"].map((str, side) => {
      const path = `${directory}/${side}.jsonc`;
      const rules = [{ name: "guess", str, limit: 1 }];
      Deno.writeTextFileSync(path, JSON.stringify({ state: directory, modules: { SSHD: { rules } } }));
      return rehearsed(loadConfig(path, { known: modules }));
    });
    await read(log, rehearsalsOf(before!, after!, { room: { addresses: 128, bytes: 96 } }));
    assert.deepEqual([before!.bans.length, after!.bans.length], [90, 90]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

const ADDRESSES = [
  "203.0.113.1",
  "203.0.113.2",
  "203.0.113.9",
  "198.51.100.7",
  "2001:db8:1:2::3",
  "2001:db8:1:3::4",
];
const USERS = ["root", "admin", "oracle", "alice"];
const REQUESTS = [
  '"GET /.env HTTP/1.1" 404 1 "-" "curl"',
  '"GET /favicon.ico HTTP/1.1" 404 1 "-" "Mozilla"',
  '"GET /wp-login.php HTTP/1.1" 200 1 "-" "Mozilla"',
  '"GET / HTTP/1.1" 403 1 "-" "zgrab/0.x"',
  '"GET / HTTP/1.1" 200 1 "-" "Mozilla"',
];

/** Returns lines of sshd and of nginx, a minute apart. */
function madeUpLines(count: number): string {
  const random = new Random(1);
  let time = Date.UTC(2025, 4, 6);
  return random.times(count, () => {
    time += 60_000;
    const address = random.pick(ADDRESSES);
    const user = random.pick(USERS);
    const stamp = new Date(time).toISOString();
    return random.pick([
      `${stamp} web sshd[7]: Invalid user ${user} from ${address} port 1`,
      `${stamp} web sshd[7]: Failed password for ${user} from ${address} port 1 ssh2`,
      `${stamp} web sshd[7]: Connection from authenticating user ${user} closed by ${address} port 1 [preauth]`,
      `${stamp} web sshd[7]: Connection closed by ${address} port 1 [preauth]`,
      `${stamp} web sshd[7]: Accepted ${
        random.pick(["publickey", "password"])
      } for alice from 198.51.100.7 port 1 ssh2`,
      `${stamp} web sshd[7]: Failed password for root from ${address} port 1 ssh2\n` +
      `${stamp} web sshd[7]: message repeated ${
        random.below(40) + 1
      } times: [ Failed password for root from ${address} port 1 ssh2]`,
      random.pick([["rsa", "dss"], ["dss", "rsa"], ["rsa"]]).map((key) =>
        `${stamp} web sshd[7]: Unable to negotiate with ${address} port 1: no matching host key type found. Their offer: ssh-${key} [preauth]`
      ).join("\n"),
      ...random.times(3, () => `${address} - - [${clfTime(time)}] ${random.pick(REQUESTS)}`),
    ]) + "\n";
  }).join("");
}

/** Returns a time of May as nginx writes it. */
function clfTime(time: number): string {
  const [date, clock] = new Date(time).toISOString().split("T");
  return `${date!.slice(8)}/May/2025:${clock!.slice(0, 8)} +0000`;
}

function rehearsed(config: Config) {
  const bans: NewBan[] = [];
  const whitelist = new Whitelist();
  whitelist.set("configuration", config.whitelist.members.map(({ address }) => address));
  return { config, whitelist, bans, banned: (ban: NewBan) => bans.push(ban) };
}

async function read(log: string, rehearsals: readonly Rehearsal[]): Promise<void> {
  for await (const batch of readInput(openInput(log, "test"))) {
    for (const rehearsal of rehearsals) rehearsal.take(batch);
  }
}
