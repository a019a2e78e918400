import { strict as assert } from "node:assert";
import { canonicalAddress } from "../../lib/core/address.ts";
import { CONFIG as INSTALLED } from "../../lib/commands/common/output.ts";
import { script } from "../support/helpers.ts";
import { canMakeJournals, JournalDirectory, sshdEntry } from "../support/journal_files.ts";
import { exists } from "../support/probes.ts";
import { program } from "../support/program.ts";
import { SSHD_SAMPLES } from "../samples/sshd.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../config.jsonc", import.meta.url).pathname;

interface Result {
  readonly code: number;
  readonly stderr: string;
  readonly lines: string[];
}

/** Runs the program in UTC on `input` with the shipped configuration. */
async function strongmonitor(args: readonly string[], input: string | Uint8Array = ""): Promise<Result> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, ...args, "--config", CONFIG],
    env: { TZ: "UTC", NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  // A program that refuses its arguments reads nothing.
  const written = new Blob([bytes as BlobPart]).stream().pipeTo(child.stdin).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  await written;
  const decoder = new TextDecoder();
  const lines = decoder.decode(stdout).split("\n").slice(0, -1);
  return { code, stderr: decoder.decode(stderr), lines };
}

const match = (input: string | Uint8Array, ...args: string[]) =>
  strongmonitor(["match", "--module", "SSHD", ...args], input);

async function verdicts(input: string | Uint8Array): Promise<unknown[]> {
  const { code, stderr, lines } = await match(input, "--json", "-");
  assert.equal(code, 0, stderr);
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}

/** Second `s` of a day that is long gone, as syslog writes it. */
function line(s: number, message: string): string {
  const time = new Date(Date.UTC(2025, 4, 6, 0, 0, s)).toISOString();
  return `${time} web sshd[77]: ${message}`;
}

const guesses = (count: number, address: string, { from = 0, every = 1 } = {}) =>
  Array.from(
    { length: count },
    (_, i) => line(from + i * every, `Invalid user admin from ${address} port 3310`),
  );
const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");

interface Summary {
  readonly lines: number;
  readonly logged: number;
  readonly hits: number;
  readonly uncounted: number;
  readonly bans: number;
  readonly seconds: number;
}

async function replay(args: readonly string[], input: string | Uint8Array = "") {
  const { code, stderr, lines } = await strongmonitor(["replay", "--json", ...args], input);
  assert.equal(code, 0, stderr);
  const rows = lines.map((line) => JSON.parse(line));
  const { seconds, ...summary } = (rows.pop() as { summary: Summary }).summary;
  assert(seconds >= 0);
  return { bans: rows, summary };
}

Deno.test("`match` and `replay` refuse forms of journalctl that are no log, and say which one they read", async () => {
  const message = "Invalid user x from 203.0.113.5 port 22";
  const forms = {
    export: `__CURSOR=s=1;i=1\n__REALTIME_TIMESTAMP=1767610570000000\nMESSAGE=${message}\n\n`,
    "json-pretty": `{\n\t"MESSAGE" : "${message}"\n}\n`,
    "json-sse": `data: {"MESSAGE":"${message}"}\n\n`,
    verbose: `Mon 2026-01-05 10:56:10.000000 UTC [s=1;i=1]\n    MESSAGE=${message}\n`,
    "with-unit": `Mon 2026-01-05 10:56:10 UTC web ssh.service[7]: ${message}`,
  };
  for (const [form, written] of Object.entries(forms)) {
    for (const command of form === "export" ? ["match", "replay"] : ["match"]) {
      const { code, stderr } = await strongmonitor([command, "-"], written);
      const why = `it is a journal as journalctl -o ${form} writes it: write it with -o short-iso instead`;
      assert.deepEqual([code, stderr], [69, `strongmonitor: Cannot read -: ${why}\n`]);
    }
  }
  const read = [
    `Mon 2026-01-05 10:56:10 UTC web sshd[7]: ${message}`,
    '{"log":"__CURSOR=1","time":"2026-01-05T10:56:10Z"}',
  ];
  for (const line of read) assert.equal((await match(line, "-")).code, 0);
  const entries = ["0", "1000"].map((uid) =>
    `{"__CURSOR":"s=1","SYSLOG_IDENTIFIER":"sshd","_UID":"${uid}","MESSAGE":"${message}"}\n`
  );
  const { lines } = await match(entries.join(""), "--json", "-");
  assert.deepEqual(
    lines.slice(0, 2).map((line) => JSON.parse(line)).map(({ address, hits }) => [address, hits.length > 0]),
    [["203.0.113.5", true], ["203.0.113.5", false]],
  );
});

Deno.test("`match --json` gives one object for each line, in order, with exactly these keys", async () => {
  const { code, lines } = await match(
    text([
      "Invalid user admin from 203.0.113.5 port 33100",
      "May  6 00:00:00 web sshd[77]: Failed password for root from 2001:DB8:0::A1 port 5 ssh2",
      "",
      "Connection from 203.0.113.5 port 38200 on 192.0.2.22 port 22",
      "2025-05-06T00:00:00Z web sshd-session[77]: Accepted password for bob from ::ffff:203.0.113.5 port 5 ssh2",
      "May  6 00:00:00 web nginx[77]: Invalid user admin from 203.0.113.5 port 33100",
    ]) + "no final line end",
    "--json",
    "-",
  );
  assert.equal(code, 0);
  assert.deepEqual(lines, [
    '{"n":1,"module":"SSHD","address":"203.0.113.5","fields":{"user":"admin","port":"33100"},"hits":["invalid_user","many_names"],"counted":true,"logged":true}',
    '{"n":2,"module":"SSHD","address":"2001:db8::a1","fields":{"method":"password","user":"root","port":"5"},"hits":["failed_login","patient_guessing","many_names","root"],"counted":true,"logged":true}',
    '{"n":3,"module":"SSHD","address":null,"fields":{},"hits":[],"counted":true,"logged":false}',
    '{"n":4,"module":"SSHD","address":"203.0.113.5","fields":{"port":"38200"},"hits":[],"counted":true,"logged":false}',
    '{"n":5,"module":"SSHD","address":"203.0.113.5","fields":{"method":"password","user":"bob","port":"5","login":"password"},"hits":[],"counted":true,"logged":true}',
    '{"n":6,"module":"SSHD","address":null,"fields":{},"hits":[],"counted":true,"logged":false}',
    '{"n":7,"module":"SSHD","address":null,"fields":{},"hits":[],"counted":true,"logged":false}',
    '{"summary":{"lines":7,"events":4,"uncounted":0,"rules":[{"module":"SSHD","name":"many_names","hits":2},' +
    '{"module":"SSHD","name":"invalid_user","hits":1},{"module":"SSHD","name":"failed_login","hits":1},' +
    '{"module":"SSHD","name":"patient_guessing","hits":1},{"module":"SSHD","name":"root","hits":1}]}}',
  ]);
});

Deno.test("`match` finds the address of every sample in every dress", async () => {
  const dresses = [
    "",
    "web sshd[7]: ",
    "May  6 00:00:00 web sshd-session[7]: ",
    "2025-05-06T00:00:00+02:00 web sshd[7]: ",
  ];
  const cases = SSHD_SAMPLES.flatMap(({ message, address }) =>
    dresses.map((dress) => ({ line: dress + message, address }))
  );
  const found = await verdicts(text(cases.map(({ line }) => line))) as { address: string }[];
  assert.equal(found.length, cases.length);
  cases.forEach(({ line, address }, i) => assert.equal(found[i]!.address, address, line));
});

Deno.test("`match` reads what is no text at all", async () => {
  const bytes = Uint8Array.from({ length: 4_096 }, (_, i) => (i * 7 + (i >> 8)) % 256);
  const lines = bytes.filter((byte) => byte === 0x0a).length + (bytes.at(-1) === 0x0a ? 0 : 1);
  assert.equal((await verdicts(bytes)).length, lines);
  assert.deepEqual(await verdicts(""), []);
});

Deno.test("`match` says the same to people, with hostile text made harmless", async () => {
  const { lines } = await match("Invalid user \x1b[2J from 203.0.113.5 port 1\nx\n");
  assert.deepEqual(lines.slice(2), [
    "",
    "2 lines, 1 with an address, hits by rule:",
    "  SSHD invalid_user  1",
    "  SSHD many_names    1",
  ]);
  assert.match(lines[0]!, /^203\.0\.113\.5 +invalid_user,many_names +Invalid user /);
  assert.match(lines[1]!, /^- +- +x$/);
  assert(!lines[0]!.includes("\x1b"));
});

Deno.test("`replay` names the program that unpacks what gzip did not pack", async () => {
  const directory = await Deno.makeTempDir({ prefix: "strongmonitor-" });
  const file = `${directory}/auth.log.1`;
  const packed = [
    ["xzcat", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00]],
    ["zstdcat", [0x28, 0xb5, 0x2f, 0xfd, 0x04]],
    ["bzcat", [..."BZh91AY"].map((one) => one.charCodeAt(0))],
  ] as const;
  for (const [program, bytes] of packed) {
    await Deno.writeFile(file, new Uint8Array(bytes));
    const { code, stderr } = await strongmonitor(["replay", file]);
    const remedy = `${program} ${file} | strongmonitor replay - --config ${CONFIG}`;
    assert.deepEqual([code, stderr], [
      69,
      `strongmonitor: Cannot read ${file}: only gzip is unpacked: ${remedy}\n`,
    ]);
  }
  await Deno.remove(directory, { recursive: true });
});

Deno.test("`match` and `replay` read files, packed ones too, and standard input alike", async () => {
  const directory = await Deno.makeTempDir({ prefix: "strongmonitor-" });
  try {
    const content = text(guesses(6, "203.0.113.5"));
    const packed = new Blob([content]).stream().pipeThrough(new CompressionStream("gzip"));
    await Deno.writeTextFile(`${directory}/auth.log`, content);
    await Deno.writeFile(`${directory}/auth.log.1.gz`, packed);
    const expected = await replay(["-"], content);
    assert.equal(expected.bans.length, 1);
    assert.deepEqual(await replay([], content), expected);
    assert.deepEqual(await replay([`${directory}/auth.log`]), expected);
    assert.deepEqual(await replay([`${directory}/auth.log.1.gz`]), expected);
    const members = new Blob(Array(2).fill(await Deno.readFile(`${directory}/auth.log.1.gz`)));
    await Deno.writeFile(`${directory}/both.gz`, members.stream());
    const both = await replay([`${directory}/both.gz`]);
    assert.deepEqual([both.summary.lines, both.summary.bans], [12, 1], "packed twice into one file");
    const { stderr } = await strongmonitor(["replay", `${directory}/auth.log.1.gz`, `${directory}/auth.log`]);
    assert.match(
      stderr,
      /^The files are read one after another, as they are named: name the oldest first\.$/m,
    );
    const unpacked = await match(content, "--json");
    assert.deepEqual((await match("", "--json", `${directory}/auth.log.1.gz`)).lines, unpacked.lines);
    const bytes = await Deno.readFile(`${directory}/auth.log.1.gz`);
    assert.deepEqual((await match(bytes, "--json", "-")).lines, unpacked.lines, "packed on standard input");

    await Deno.writeTextFile(`${directory}/broken.gz`, "this was never packed");
    const broken = await strongmonitor(["replay", `${directory}/broken.gz`]);
    assert.equal(broken.code, 69);
    assert.match(broken.stderr, /Cannot read .*broken\.gz: /);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("`replay --json` bans at the hit past the limit, on the lines' own time, then sums up", async () => {
  const { bans, summary } = await replay(
    [],
    text([
      ...guesses(5, "203.0.113.4"),
      ...guesses(6, "203.0.113.5", { from: 10 }),
      line(20, "Connection from 203.0.113.6 port 38200 on 192.0.2.22 port 22"),
      "not a line of sshd",
    ]),
  );
  assert.deepEqual(bans, [{
    address: "203.0.113.5",
    reason: "[SSHD] invalid_user",
    time: "2025-05-06T00:00:15.000000Z",
    count: 6,
    until: "2025-05-07T00:00:15.000000Z",
  }]);
  assert.deepEqual(summary, { lines: 13, logged: 11, hits: 13, uncounted: 0, bans: 1 });
});

Deno.test("`replay` forgets hits that the window has left behind, and bans whom it banned once that has ended", async () => {
  assert.equal((await replay([], text(guesses(30, "203.0.113.5", { every: 121 })))).bans.length, 0);
  assert.equal((await replay([], text(guesses(6, "203.0.113.5", { every: 119 })))).bans.length, 1);
  const day = 86_400;
  const again = text([
    ...guesses(6, "203.0.113.5"),
    ...guesses(6, "203.0.113.5", { from: day / 2 }),
    ...guesses(6, "203.0.113.5", { from: day + 60 }),
  ]);
  assert.deepEqual((await replay([], again)).bans.map(({ time }) => time), [
    "2025-05-06T00:00:05.000000Z",
    "2025-05-07T00:01:05.000000Z",
  ]);
});

Deno.test("`replay` bans nobody whom an attacker names, and not this machine", async () => {
  const hostile = Array.from(
    { length: 30 },
    (_, i) =>
      line(
        i,
        `Failed password for invalid user x from 198.51.100.7 port 22 ssh2 from 203.0.113.5 port ${i} ssh2`,
      ),
  );
  const { bans } = await replay([], text([...hostile, ...guesses(30, "127.0.0.1", { from: 40 })]));
  assert.deepEqual([...new Set(bans.map(({ address }) => canonicalAddress(address)))], ["203.0.113.5"]);
});

Deno.test("`replay` says the same to people", async () => {
  const { lines, code } = await strongmonitor(["replay"], text(guesses(6, "203.0.113.5")));
  assert.equal(code, 0);
  assert.equal(lines[0], "2025-05-06 00:00:05  203.0.113.5  for 1d  [SSHD] invalid_user, 6 hits");
  assert.match(lines[1]!, /^6 lines, 6 to record, 7 hits, 1 ban, [\d.]+ s$/);
  assert.match(lines[2]!, /^Times are of \S+\.$/);
});

Deno.test("`match` takes a line as its argument and finds out whose it is", async () => {
  const ask = async (line: string) => {
    const { code, stderr, lines } = await strongmonitor(["match", line, "--json"]);
    assert.equal(code, 0, stderr);
    const { module, address, hits } = JSON.parse(lines[0]!);
    return [module, address, hits.length > 0];
  };
  const request = '203.0.113.5 - - [06/May/2025:00:00:00 +0000] "GET /.env HTTP/1.1" 404 1 "-" "curl"';
  assert.deepEqual(await ask("Invalid user admin from 203.0.113.5 port 33100"), [
    "SSHD",
    "203.0.113.5",
    true,
  ]);
  assert.deepEqual(await ask(request), ["NGINX", "203.0.113.5", true]);
  assert.deepEqual(await ask("nobody knows this line"), [null, null, false]);
});

Deno.test({
  name: "`match` goes by the shipped configuration where there is none",
  ignore: exists(INSTALLED),
  async fn() {
    const { code, stdout, stderr } = await program([
      "match",
      "Invalid user admin from 203.0.113.5 port 33100",
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^203\.0\.113\.5 +invalid_user,many_names/);
    assert.match(stderr, /^Going by the shipped configuration: /);
  },
});

const REFUSALS: readonly (readonly [args: string[], code: number, stderr: RegExp])[] = [
  [["replay", "--since", "the day before"], 64, /Cannot read the time "the day before"/],
  [["replay", "--until", "2026-13-45"], 64, /Cannot read the time "2026-13-45"/],
  [["replay", "--since", "30m", "--until", "1h"], 64, /Cannot read from .* to .*: the end comes first\n$/],
  [["replay", "-", "-"], 64, /Cannot read standard input twice: name - once\n$/],
  [["replay", "--since", "today", "auth.log"], 64, /Cannot replay files with --since or --until/],
  [["replay", "/nonexistent/auth.log"], 69, /Cannot read \/nonexistent\/auth\.log: there is no such file/],
  [["replay", "/"], 69, /Cannot read \/: it is a directory/],
  [["match", "--module", "SSHD", "/nonexistent/auth.log"], 69, /there is no such file\n$/],
  [
    ["match", "hello"],
    69,
    /no such file; a line of a single word is read from standard input: strongmonitor match -\n$/,
  ],
  [["match", ""], 64, /Cannot match: the line is empty\n$/],
  [["match", "--module", "NOBODY"], 64, /Cannot match by module "NOBODY": .* configures SSHD/],
  [
    ["match", "--module", "sshd"],
    64,
    /Cannot match by module "sshd": .* configures SSHD, NGINX, did you mean SSHD\?/,
  ],
  [["replay", "--nonsense"], 64, /--nonsense/],
];

for (const [args, code, stderr] of REFUSALS) {
  Deno.test(`\`${args.join(" ")}\` is refused in one sentence with exit code ${code}`, async () => {
    const result = await strongmonitor(args);
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, stderr);
    assert.deepEqual(result.lines, []);
    assert.doesNotMatch(result.stderr, /^ {4}at /m);
  });
}

Deno.test("`replay --since` says that no module of the configuration reads the journal", async () => {
  const config = Deno.makeTempFileSync();
  try {
    const module = { match: { file: "/var/log/auth.log" } };
    Deno.writeTextFileSync(config, JSON.stringify({ modules: { SSHD: module } }));
    const { code, stderr } = await program(["replay", "--since", "2h", "--config", config]);
    const why = "no module of the configuration reads it; name log files";
    assert.deepEqual([code, stderr], [64, `strongmonitor: Cannot read the journal: ${why}\n`]);
  } finally {
    Deno.removeSync(config);
  }
});

Deno.test({
  name: "`replay --since` does not doubt that a quiet journal's entries are of the modules",
  ignore: !canMakeJournals,
  async fn() {
    using journal = new JournalDirectory();
    const directory = Deno.makeTempDirSync();
    try {
      await journal.write("a", [sshdEntry(0, "Server listening on :: port 22.")]);
      const body = `exec /usr/bin/journalctl --directory=${journal.path} "$@"\n`;
      script(directory, { name: "journalctl", body });
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", MAIN, "replay", "--config", CONFIG, "--since", "2020-01-01"],
        env: { PATH: `${directory}:${Deno.env.get("PATH")}`, NO_COLOR: "1" },
        stdin: "null",
      }).output();
      const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      assert.match(out!, /^1 line, 0 to record, 0 hits, 0 bans, /);
      assert.deepEqual([code, err], [0, ""]);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
    const { stderr } = await strongmonitor(["replay", "-"], "Server listening on :: port 22.\n");
    assert.match(stderr, /are these lines of another service\?$/m);
  },
});

Deno.test("`match` marks hits that do not count without trusted_proxies, and `replay` says how many there are", async () => {
  const request =
    '203.0.113.9 - - [06/May/2025:00:00:00 +0000] "GET /../../etc/passwd HTTP/1.1" 400 157 "-" "-"';
  const input = text([request, request]);
  const until = "until trusted_proxies says which proxies stand in front, or [] for none";
  const matched = await strongmonitor(["match", "--module", "NGINX", "-"], input);
  assert.deepEqual(matched.lines, [
    ...Array(2).fill(`203.0.113.9      exploit,bad_page (not counted: trusted_proxies)  ${request}`),
    "",
    "2 lines, 2 with an address, no hit counts",
    `Hits of 2 lines not counted ${until}`,
  ]);
  const told = await strongmonitor(["match", "--module", "NGINX", "--json", "-"], input);
  const rows = told.lines.map((row) => JSON.parse(row));
  assert.deepEqual([rows[0].counted, rows[0].hits], [false, ["exploit", "bad_page"]]);
  assert.deepEqual(rows.at(-1).summary, { lines: 2, events: 2, uncounted: 2, rules: [] });
  const replayed = await strongmonitor(["replay", "-"], input);
  assert.match(replayed.lines[0]!, /^2 lines, 2 to record, 0 hits, 0 bans, /);
  assert.deepEqual(replayed.lines.slice(1), [`Hits of 2 lines not counted ${until}`]);
  assert.equal((await replay(["-"], input)).summary.uncounted, 2);
});

Deno.test("`replay` tells that standard input has no line, unless it was named", async () => {
  const words = ["replay", "--config", CONFIG];
  assert.match((await program(words)).stderr, /^Standard input has no line: name log files, or read the /);
  assert.equal((await program([...words, "-"])).stderr, "");
});
