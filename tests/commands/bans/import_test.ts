import { strict as assert } from "node:assert";
import { DatabaseSync } from "node:sqlite";
import { type Micros, now, SECOND } from "../../../lib/core/time.ts";
import { formatScope } from "../../../lib/core/scope.ts";
import { type ListedBan, readBanLine } from "../../../lib/commands/bans/ban_line.ts";
import { Importing } from "../../../lib/commands/bans/import.ts";
import { watchControl } from "../../../lib/monitor/control.ts";
import { Whitelist } from "../../../lib/deciding/whitelist.ts";
import type { NewBan } from "../../../lib/deciding/ban.ts";
import {
  eventually,
  inZone,
  MANUAL,
  scopeOf,
  type TemporaryState,
  temporaryState,
} from "../../support/helpers.ts";
import { program, type Result } from "../../support/program.ts";

const micros = (iso: string): Micros => Date.parse(iso) * 1_000;
const RULES = { SSHD: { rules: [{ name: "a", str: "x", limit: 1 }] } };

/** A state with a configuration of its own. */
interface Stage {
  readonly temporary: TemporaryState;
  cli(...words: string[]): Promise<Result>;
  /** Writes a file beside the configuration and returns its path. */
  file(name: string, text: string): string;
}

async function stage(keys: Record<string, unknown>, play: (stage: Stage) => Promise<void>): Promise<void> {
  using temporary = temporaryState();
  const { directory } = temporary;
  const file = (name: string, text: string) => {
    Deno.writeTextFileSync(`${directory}/${name}`, text);
    return `${directory}/${name}`;
  };
  const config = file("config.jsonc", JSON.stringify({ modules: RULES, state: directory, ...keys }));
  await play({ temporary, file, cli: (...words) => program([...words, "--config", config]) });
}

/** A line of a list, and what it says or what is said of it. */
const LINES: readonly (readonly [line: string, expected: Record<string, unknown> | string | null])[] = [
  ["192.0.2.1", { address: "192.0.2.1" }],
  ["  10.1.2.3/8 # scanners ", { address: "10.0.0.0/8", reason: "scanners" }],
  ["2001:DB8::1#", { address: "2001:db8::1" }],
  ["192.0.2.1 \t2026-01-31 12:00:00 + 600 = 2026-01-31 12:10:00", {
    address: "192.0.2.1",
    start: micros("2026-01-31T12:00:00Z"),
    until: micros("2026-01-31T12:10:00Z"),
  }],
  ["192.0.2.1 \t2026-01-31 12:00:00 + -1 = 9999-12-31 23:59:59", {
    address: "192.0.2.1",
    start: micros("2026-01-31T12:00:00Z"),
    until: null,
  }],
  [
    '{"address":"192.0.2.1","scope":"tcp 22,80-90","reason":"r","count":2,"start":"2026-01-31T12:00:00.000001Z","until":null}',
    {
      address: "192.0.2.1",
      scope: scopeOf("tcp 22,80-90"),
      reason: "r",
      count: 2,
      start: micros("2026-01-31T12:00:00Z") + 1,
      until: null,
      ended: false,
    },
  ],
  ['{"address":"192.0.2.1","ended":"2026-01-31T12:00:00Z"}', {
    address: "192.0.2.1",
    scope: "all",
    count: 0,
    ended: true,
  }],
  ['{"address":"192.0.2.1","scope":"tcp 90,80-90,22","provenance":"rule","name":"SSHD x"}', {
    address: "192.0.2.1",
    scope: scopeOf("tcp 22,80-90"),
    provenance: { kind: "rule", name: "SSHD x" },
    count: 0,
    ended: false,
  }],
  ['{"address":"192.0.2.1","reason":"a\\u0000b\\nc","provenance":"rule","name":"SSHD\\u0000x"}', {
    address: "192.0.2.1",
    scope: "all",
    provenance: { kind: "rule", name: "SSHD x" },
    reason: "a b c",
    count: 0,
    ended: false,
  }],
  ["192.0.2.1 until 2027-01-31T12:00:00Z # scanners", {
    address: "192.0.2.1",
    reason: "scanners",
    until: micros("2027-01-31T12:00:00Z"),
  }],
  ["192.0.2.1 until 2027-01-31 12:00:00", { address: "192.0.2.1", until: micros("2027-01-31T12:00:00Z") }],
  ["192.0.2.1 until soon", 'expected a date and a time behind "until", got "soon"'],
  ["", null],
  ["# a list", null],
  ["192.0.2.300", 'expected an address or a network, got "192.0.2.300"'],
  ["192.0.2.1 192.0.2.2", 'expected an address or a network, got "192.0.2.1 192.0.2.2"'],
  ["host.example.org", 'expected an address or a network, got "host.example.org"'],
  ['{"address":7}', "address must be an address or a network, got 7"],
  [
    '{"address":"192.0.2.1","scope":"icmp"}',
    'scope must be "all", such as "tcp 22,8000-8010", or "module NGINX", got "icmp"',
  ],
  [
    '{"address":"192.0.2.1","scope":"tcp 65536"}',
    'scope must be "all", such as "tcp 22,8000-8010", or "module NGINX", got "tcp 65536"',
  ],
  [
    '{"address":"192.0.2.1","provenance":"me"}',
    'provenance must be one of rule, network, manual, import, fleet, got "me"',
  ],
  ['{"address":"192.0.2.1","until":"soon"}', 'until must be a date and a time, or null, got "soon"'],
  ['{"address":"192.0.2.1","start":5}', "start must be a date and a time, got 5"],
  ['{"address":"192.0.2.1","count":-1}', "count must be a whole number, got -1"],
];

Deno.test("`readBanLine()` reads plain lists, lists with times, and JSON", () => {
  inZone("UTC", () => {
    for (const [line, expected] of LINES) assert.deepEqual(readBanLine(line), expected, line);
  });
  assert.match(readBanLine('{"address":') as string, /^expected an object of JSON: /);
});

Deno.test("`bans --import` bans who is listed but for the whitelisted, tells wrong lines, and changes nothing the second time", () =>
  stage({ whitelist: "198.51.100.0/24", whitelist_files: "friends" }, async ({ temporary, file, cli }) => {
    file("friends", "203.0.113.9 # a friend\n");
    const list = file(
      "list",
      "# scanners\n192.0.2.1\n192.0.2.1\n\n10.0.0.0/8 # a botnet\nnobody\n198.51.100.7\n203.0.113.0/24\n",
    );
    const first = await cli("bans", "--import", list, "--for", "2h", "--reason", "scanners");
    assert.equal(first.code, 1, first.stderr);
    assert.equal(
      first.stdout,
      `${list}: 2 banned, 1 was banned already, 2 are whitelisted, 1 could not be read\n`,
    );
    assert.deepEqual(first.stderr.split("\n").slice(0, 3), [
      `${list}:6: expected an address or a network, got "nobody"`,
      `${list}:7: 198.51.100.7: it is whitelisted (configuration)`,
      `${list}:8: 203.0.113.0/24: an address in it is whitelisted (whitelist file)`,
    ]);
    const { bans } = temporary.state;
    const told = bans.inForce().map(({ address, reason, start, until }) => [address, reason, until! - start]);
    assert.deepEqual(told, [["192.0.2.1", "scanners", 7_200 * SECOND], [
      "10.0.0.0/8",
      "a botnet",
      7_200 * SECOND,
    ]]);
    const change = bans.lastChange();
    const again = await cli("bans", "--import", list, "--for", "1h", "--json");
    assert.deepEqual(JSON.parse(again.stdout), {
      file: list,
      banned: 0,
      extended: 0,
      unchanged: 3,
      whitelisted: 2,
      over: 0,
      wrong: 1,
    });
    assert.equal(bans.lastChange(), change);
    const longer = await cli("bans", "--import", file("one", "192.0.2.1\n"));
    assert.equal(longer.code, 0);
    assert.equal(bans.inForceOf(["192.0.2.1"])[0]!.until, null);
    assert.match(longer.stdout, /: 0 banned, 1 was banned already, now for longer or from more\n$/);
  }));

Deno.test("`bans --import` makes in another state the bans that `bans --export json` wrote", () =>
  stage({}, async (source) => {
    const time = now();
    const bans: NewBan[] = [
      {
        address: "192.0.2.1",
        scope: "all",
        provenance: { kind: "rule", name: 'SSHD "x"\n#' },
        reason: '[SSHD] "x"\n#',
        count: 3,
        start: time - 7 * SECOND - 1,
        until: null,
      },
      {
        address: "10.0.0.0/8",
        scope: "all",
        provenance: MANUAL,
        reason: "[MANUAL] ban",
        count: 0,
        start: time - 5,
        until: time + 9_000 * SECOND + 7,
      },
      {
        address: "2001:db8::/64",
        scope: scopeOf("tcp 22,8000-8010"),
        provenance: { kind: "import", name: "host" },
        reason: "[SSHD] y",
        count: 9,
        start: time - 1,
        until: null,
      },
    ];
    const over: NewBan = {
      address: "192.0.2.2",
      scope: "all",
      provenance: MANUAL,
      reason: "r",
      count: 1,
      start: 1_000_000,
      until: 2_000_000,
    };
    for (const ban of [...bans, over]) source.temporary.state.bans.add(ban);
    const { stdout } = await source.cli("bans", "--export", "json");
    await stage({}, async (target) => {
      const result = await target.cli("bans", "--import", target.file("bans.json", stdout));
      assert.equal(result.code, 0, result.stderr);
      const made = target.temporary.state.bans.inForce()
        .map(({ address, scope, provenance, reason, count, start, until }) => ({
          address,
          scope,
          provenance,
          reason,
          count,
          start,
          until,
        }));
      // A reason and a name are one line.
      const cleaned = {
        ...bans[0]!,
        provenance: { kind: "rule", name: 'SSHD "x" #' },
        reason: '[SSHD] "x" #',
      };
      assert.deepEqual(made, [cleaned, ...bans.slice(1)]);
      const again = (await target.cli("bans", "--export", "json")).stdout;
      assert.equal(again, stdout.replaceAll('\\"x\\"\\n#', '\\"x\\" #'));
    });
  }));

Deno.test("`bans --import` takes 100,000 lines, and leaves out those whose time is over", () =>
  stage({}, async ({ temporary, file, cli }) => {
    const lines = Array.from({ length: 100_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    const over = '{"address":"192.0.2.1","until":"2020-01-31T00:00:00Z"}';
    const result = await cli("bans", "--import", file("list", [...lines, over].join("\r\n")), "--json");
    assert.equal(result.code, 0, result.stderr);
    const { banned, over: ended } = JSON.parse(result.stdout);
    assert.deepEqual([banned, ended], [100_000, 1]);
    assert.equal(temporary.state.bans.totals().decided, 100_000);
  }));

Deno.test("`Importing` writes slices in transactions of their own, between which another writer gets its turn", async () => {
  using temporary = temporaryState();
  const { bans } = temporary.state;
  const other = new DatabaseSync(`${temporary.directory}/state.db`);
  // It waits for nobody: each of its writes finds the state free.
  other.exec("PRAGMA busy_timeout = 0; CREATE TABLE other (id INTEGER)");
  const slices: number[] = [];
  const parts = {
    bans: {
      transaction: <T>(work: () => T) => bans.transaction(work),
      inForceByAddress: (addresses: readonly string[]) => bans.inForceByAddress(addresses),
      addAll(list: readonly NewBan[]) {
        slices.push(list.length);
        bans.addAll(list);
      },
    },
    whitelist: new Whitelist(),
    now: 1_000,
    name: "list",
    complete: (ban: ListedBan) => {
      return {
        scope: "all",
        provenance: MANUAL,
        count: 0,
        start: 1_000,
        until: null,
        reason: "r",
        ...ban,
      } as const;
    },
    firewalls: new Set<string>(),
    pause: () => Promise.resolve(void other.exec("INSERT INTO other VALUES (1)")),
  };
  const lines = Array.from({ length: 100_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  const first = new Importing(parts);
  await first.take(lines.slice(0, 2_500));
  assert.deepEqual(slices, [1_000, 1_000], "an interruption leaves whole slices");
  const importing = new Importing(parts);
  await importing.take(lines);
  await importing.end();
  assert.deepEqual([importing.summary.banned, importing.summary.unchanged], [98_000, 2_000]);
  assert.equal(slices.length, 102);
  assert.ok(slices.every((length) => length <= 1_000));
  assert.equal(other.prepare("SELECT count(*) AS n FROM other").get()!.n, 100);
  assert.equal(bans.totals().decided, 100_000);
  other.close();
});

Deno.test("`bans --import` goes by address and scope as the monitor does", () =>
  stage({}, async ({ temporary, file, cli }) => {
    const list = ["tcp 22", "tcp 80,443", "tcp 443", "tcp 22", "all"].map((scope, i) =>
      JSON.stringify({
        address: "192.0.2.1",
        scope,
        until: `2100-01-0${i + 1}T00:00:00Z`,
        provenance: "fleet",
        name: "h",
      })
    );
    const { stdout } = await cli("bans", "--import", file("list", list.join("\n")), "--json");
    const { banned, extended, unchanged } = JSON.parse(stdout);
    assert.deepEqual({ banned, extended, unchanged }, { banned: 4, extended: 1, unchanged: 0 });
    const again = await cli("bans", "--import", file("list", list.slice(0, 3).join("\n")), "--json");
    assert.equal(JSON.parse(again.stdout).unchanged, 3);
    const told = (await cli("bans", "--json")).stdout.trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(
      told.map(({ scope, provenance, name, until }) => [scope, provenance, name, until.slice(8, 10)]),
      [
        ["tcp 22", "import", "h", "04"],
        ["tcp 80,443", "import", "h", "02"],
        ["tcp 443", "import", "h", "03"],
        [
          "all",
          "import",
          "h",
          "05",
        ],
      ],
    );
    const ended = await cli("unban", "192.0.2.1");
    assert.equal(ended.stdout.match(/unbanned/g)!.length, 4);
    assert.match(ended.stdout, /^192\.0\.2\.1 \(tcp 80,443\) unbanned$/m);
    assert.equal(temporary.state.bans.totals().decided, 0);
  }));

Deno.test("`bans --import` bans for a module where that has a firewall of its own, and says where it has none", async () => {
  const record = JSON.stringify({ address: "192.0.2.1", scope: "module NGINX" });
  const NGINX = { ban_command: "./deny %s" };
  for (const [modules, scope] of [[{ ...RULES, NGINX }, "module NGINX"], [RULES, "all"]] as const) {
    await stage({ modules }, async ({ temporary, file, cli }) => {
      const { code, stderr } = await cli("bans", "--import", file("list", record));
      assert.equal(code, 0, stderr);
      assert.deepEqual(temporary.state.bans.inForce().map((ban) => formatScope(ban.scope)), [scope]);
      const told = "list:1: 192.0.2.1: bans from everything, as NGINX has no firewall of its own here";
      assert.equal(stderr.includes(told), scope === "all", stderr);
    });
  }
});

Deno.test("`bans` refuses to export and import at once, options of an import without one, a format that it does not know, and a file that is not there", () =>
  stage({}, async ({ cli }) => {
    assert.equal((await cli("bans", "--export", "json", "--import", "-")).code, 64);
    for (const option of ["--for", "--reason"]) {
      const { code, stdout, stderr } = await cli("bans", option, "1h");
      assert.deepEqual([code, stdout, stderr], [
        64,
        "",
        `strongmonitor: Cannot use ${option} without --import\n`,
      ]);
    }
    const unknown = await cli("bans", "--export", "xml");
    assert.equal(unknown.code, 64);
    assert.match(unknown.stderr, /nft, ipset, plain, json/);
    const missing = await cli("bans", "--import", "/nowhere/list");
    assert.deepEqual([missing.code, missing.stderr], [
      69,
      "strongmonitor: Cannot read /nowhere/list: there is no such file\n",
    ]);
  }));

Deno.test("`bans --import` wakes the running monitor", () =>
  stage({}, async ({ temporary: { directory, state }, file, cli }) => {
    const stop = new AbortController();
    const seen = new Set<string>();
    const changed = () => state.bans.inForce().forEach(({ address }) => seen.add(address));
    const watching = watchControl(directory, { changed, signal: stop.signal });
    assert.equal((await cli("bans", "--import", file("list", "192.0.2.1\n"))).code, 0);
    await eventually(() => seen.has("192.0.2.1"));
    stop.abort();
    await watching;
  }));
