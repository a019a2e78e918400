import { strict as assert } from "node:assert";
import { join } from "node:path";
import { configWarnings } from "../../lib/config/warnings.ts";
import { describeConfig } from "../../lib/config/describe.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { longestOfEach, readLine } from "../../lib/config/whitelist.ts";
import { decodeCopy, encodeCopy } from "../../lib/config/whitelist_content.ts";
import { whitelistFile, whitelistProblem } from "../../lib/config/whitelist_file.ts";
import type { Micros } from "../../lib/core/time.ts";
import { inZone } from "../support/helpers.ts";
import { Random } from "../support/random.ts";
import { inDirectory, known, load, MODULES, refusalOf, top } from "../support/configs.ts";

const micros = (iso: string): Micros => Date.parse(iso) * 1_000;
const plainly = { isName: false, note: "", until: null };
const MEMBER = "must be an address, a network such as 10.0.0.0/8, or a DNS name";
const DATE = 'must be a date such as "2027-01-31" or "2027-01-31T12:00:00+01:00"';

Deno.test("`loadConfig()` takes notes and ends of who is whitelisted, the latest end of several", () => {
  const members = `[
    { "address": "198.51.100.7/24", "note": "office", "until": "2027-01-31" },
    "192.0.2.1",
    { "address": "Home.Example.ORG", "until": "2027-01-31T12:00:00+01:00" },
    { "address": "198.51.100.0/24", "note": "the office", "until": "2028-01-31T00:00Z" }
  ]`;
  inZone("Europe/Berlin", () => {
    assert.deepEqual(load(top(`"whitelist": ${members}`)).whitelist.members, [
      { ...plainly, address: "198.51.100.0/24", note: "the office", until: micros("2028-01-31T00:00:00Z") },
      { ...plainly, address: "192.0.2.1" },
      { ...plainly, address: "home.example.org", isName: true, until: micros("2027-01-31T11:00:00Z") },
    ]);
    const alone =
      load(top('"whitelist": { "address": "192.0.2.1", "until": "2027-01-31" }')).whitelist.members;
    assert.equal(alone[0]!.until, micros("2027-01-30T23:00:00Z"));
  });
});

/** What stands in the key `whitelist`, and what is said of it. */
const MISTAKES: readonly (readonly [whitelist: string, said: string])[] = [
  ['[{ "address": "192.0.2.300" }]', `whitelist[0].address: ${MEMBER}, got "192.0.2.300"`],
  ['{ "address": "x", "until": "soon" }', `whitelist.until: ${DATE}, got "soon"`],
  ['[{ "address": "x", "until": "2027-02-29" }]', `whitelist[0].until: ${DATE}, got "2027-02-29"`],
  ['[{ "note": "x" }]', "whitelist[0].address: is missing"],
  ['[{ "address": "x", "notes": "y" }]', 'whitelist[0].notes: is an unknown key, did you mean "note"?'],
  ["[7]", "whitelist[0]: must be a string or an object, got 7"],
];

Deno.test("`loadConfig()` says what is wrong inside a member of the whitelist", () => {
  for (const [whitelist, said] of MISTAKES) {
    const refusal = refusalOf(top(`"whitelist": ${whitelist}`));
    assert.ok(refusal.includes(said), `${refusal}\n${said}`);
  }
});

Deno.test("`configWarnings()` tells which members of the whitelist have ended", () => {
  const ended =
    '[{ "address": "192.0.2.1", "until": "2020-01-31" }, { "address": "192.0.2.2", "until": "2200-01-01" }]';
  const config = load(top(`"window": "1h", "ban_time": "1h", "whitelist": ${ended}`));
  assert.deepEqual(configWarnings(config), ["whitelist 192.0.2.1 has ended: it is banned like others"]);
  assert.deepEqual(configWarnings(config, micros("2020-01-01T00:00:00Z")), []);
});

/** A line of a whitelist file; who stands in it, or what is said of it. */
const LINES: readonly (readonly [line: string, expected: Record<string, unknown> | string | null])[] = [
  ["192.0.2.1", { address: "192.0.2.1" }],
  ["  10.1.2.3/8\t# office #2 ", { address: "10.0.0.0/8", note: "office #2" }],
  ["Home.Example.org.", { address: "home.example.org", isName: true }],
  ["My_PC.lan", { address: "my_pc.lan", isName: true }],
  ["::ffff:192.0.2.1", { address: "192.0.2.1" }],
  ["192.0.2.1 until 2027-01-31", { address: "192.0.2.1", until: micros("2027-01-31T00:00:00Z") }],
  ["2001:db8::/32 until 2027-01-31T12:00:00+01:00#v6", {
    address: "2001:db8::/32",
    until: micros("2027-01-31T11:00:00Z"),
    note: "v6",
  }],
  ["192.0.2.1 until 2027-01-31 12:00", { address: "192.0.2.1", until: micros("2027-01-31T12:00:00Z") }],
  ["", null],
  ["   ", null],
  ["# 192.0.2.1", null],
  ["192.0.2.300", `${MEMBER}, got "192.0.2.300"`],
  ["10.0.0.0/33", 'must be a network such as 10.0.0.0/8 or 2001:db8::/32, got "10.0.0.0/33"'],
  ["192.0.2.1 192.0.2.2", 'nothing but "until" and a date may follow, got "192.0.2.2"'],
  ["192.0.2.1 until", `until ${DATE}, got ""`],
  ["192.0.2.1 until soon", `until ${DATE}, got "soon"`],
  ["\u0000", `${MEMBER}, got "\\u0000"`],
];

Deno.test("a whitelist file is read line by line, to the same members as `readLine()` says", () => {
  inZone("UTC", () => {
    for (const [line, expected] of LINES) {
      const own = readLine(line);
      if (expected === null || typeof expected === "string") assert.equal(own, expected, line);
      else assert.deepEqual(own, { ...plainly, ...expected }, line);
      inDirectory({ list: `192.0.2.99\r\n${line}\r\n192.0.2.100` }, (directory) => {
        const path = join(directory, "list");
        const file = whitelistFile(path, { config: "" });
        const { content, error } = file.read();
        assert.equal(error, null);
        assert.deepEqual(
          content.complaints,
          typeof expected === "string" ? [`${path}:2: ${expected}`] : [],
          line,
        );
        const is = typeof own === "object" && own !== null;
        assert.equal(content.entries, is ? 3 : 2, line);
        assert.deepEqual(content.names, is && own.isName ? [own] : [], line);
        assert.deepEqual([...file.members()].slice(1, -1), is ? [own] : [], line);
        if (!is || own.isName) return;
        const { set } = content.networks.find(({ until }) => until === own.until)!;
        assert.ok(set.covers(own.address), line);
      });
    }
  });
});

Deno.test("a whitelist file says the same by its bytes as by its text, over 3,000 random lines", () => {
  const random = new Random(11);
  const pieces = [
    "192.0.2.1",
    "10.0.0.0",
    "2001:db8::1",
    "::ffff:192.0.2.1",
    "::192.0.2.7",
    "fe80::1%eth0",
    "1.2.3",
    "x",
  ];
  const tails = [
    "",
    "/8",
    "/24",
    "/33",
    "/64",
    "/129",
    "/",
    "/1x",
    " ",
    "\t# a",
    "#b",
    " 1",
    ".",
    ":",
    "\r",
    " until 2030-01-01",
  ];
  const lines = random.times(
    3_000,
    () =>
      random.pick(["", " ", "\t"]) + random.pick(pieces) + random.pick(tails) + random.pick(["", ...tails]),
  );
  inDirectory({ list: lines.join("\n") }, (directory) => {
    const { content } = whitelistFile(join(directory, "list"), { config: "" }).read();
    const members = lines.map((line) => readLine(line)).filter((member) =>
      typeof member === "object" && member !== null
    );
    assert.equal(content.entries, members.length);
    for (const { address, isName, until } of members) {
      if (!isName) {
        assert.ok(content.networks.find((part) => part.until === until)!.set.covers(address), address);
      }
    }
    assert.deepEqual(
      content.networks.map(({ until, count }) => [until, count]).sort(),
      [...Map.groupBy(members.filter(({ isName }) => !isName), ({ until }) => until)]
        .map(([until, some]) => [until, some.length]).sort(),
    );
  });
});

Deno.test("a line beyond all measure in a whitelist file hides no other", () => {
  const long = `192.0.2.1 # ${"x".repeat(200_000)} 192.0.2.2`;
  inDirectory({ list: `\ufeff192.0.2.3\n${long}\n192.0.2.4` }, (directory) => {
    const { content } = whitelistFile(join(directory, "list"), { config: "" }).read();
    assert.deepEqual([content.entries, content.complaints], [3, []]);
  });
});

Deno.test("`decodeCopy()` reads what `encodeCopy()` wrote", () => {
  const text =
    "192.0.2.0/24\n2001:db8::/32\n198.51.100.1 until 2030-01-01\nhome.example # me\n0.0.0.0/0\n?\n";
  inDirectory({ list: text }, (directory) => {
    const { stamp, content } = whitelistFile(join(directory, "list"), { config: "" }).read();
    const copy = decodeCopy(encodeCopy({ stamp, content }));
    assert.deepEqual(copy, { stamp, content });
    const [plain, dated] = copy.content.networks;
    assert.ok(plain!.set.covers("2001:db8:7::1") && plain!.set.covers("203.0.113.1"));
    assert.deepEqual(["198.51.100.1", "198.51.100.2"].map((address) => dated!.set.covers(address)), [
      true,
      false,
    ]);
  });
});

Deno.test("`longestOfEach()` keeps of each address the entry that ends last, and none ends after all others", () => {
  const entry = (address: string, until: number | null) => ({ address, until });
  const given = [
    entry("a", 2),
    entry("b", null),
    entry("a", 3),
    entry("b", 9),
    entry("a", 1),
    entry("c", 1),
    entry("c", null),
  ];
  assert.deepEqual(longestOfEach(given), [entry("a", 3), entry("b", null), entry("c", null)]);
});

Deno.test("`loadConfig()` reads whitelist files beside it, tells wrong lines, and leaves what cannot be read to `whitelistProblem()`", () => {
  const files = {
    "config.jsonc":
      `{ "window": "1h", "ban_time": "1h", "whitelist_files": ["friends", "gone"], ${MODULES} }`,
    friends: new Uint8Array([
      ...new TextEncoder().encode("192.0.2.1 # B"),
      0xfc,
      ...new TextEncoder().encode("ro\n?\n192.0.2.2 until 2020-01-31\n"),
    ]),
  };
  inDirectory(files, (directory) => {
    const config = loadConfig(join(directory, "config.jsonc"), { known });
    const [friends, gone] = config.whitelist.files;
    assert.deepEqual([...friends!.members()].map(({ address, note }) => [address, note]), [
      ["192.0.2.1", "B\ufffdro"],
      ["192.0.2.2", ""],
    ]);
    assert.deepEqual(configWarnings(config), [
      `${directory}/friends:2: ${MEMBER}, got "?"`,
      `${directory}/friends: 192.0.2.2 ended: banned like others`,
    ]);
    assert.deepEqual([gone!.read().content.entries, gone!.read().stamp], [0, null]);
    assert.equal(whitelistProblem(config.whitelist, (path) => path.endsWith("/gone")), null);
    const problem = whitelistProblem(config.whitelist);
    assert.equal(problem?.code, 78);
    assert.equal(problem.message, `Cannot read the whitelist file: ${directory}/gone does not exist`);
    assert.match(describeConfig(config), new RegExp(`and 2 entries of ${directory}/friends\n`));
  });
});

Deno.test("a whitelist file of 100,000 lines is read whole, and at most twenty of its wrong ones are told", () => {
  const lines = Array.from(
    { length: 100_000 },
    (_, i) => i % 1_000 === 0 ? "?" : `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
  );
  inDirectory(
    { "config.jsonc": `{ "whitelist_files": "list", ${MODULES} }`, list: lines.join("\n") },
    (directory) => {
      const { files } = loadConfig(join(directory, "config.jsonc"), { known }).whitelist;
      assert.equal(files[0]!.read().content.entries, 99_900);
      assert.equal(files[0]!.read().content.complaints.length, 21);
      assert.equal(files[0]!.read().content.complaints.at(-1), `${directory}/list: 80 more lines are wrong`);
    },
  );
});
