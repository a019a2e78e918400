import { strict as assert } from "node:assert";
import { MAX_MESSAGE } from "../../../lib/core/records.ts";
import { ExportParser } from "../../../lib/sources/journal/export.ts";
import type { JournalRecords } from "../../../lib/sources/journal/journal_records.ts";
import { BEGINNING, exportText, type Fields, sshdEntry } from "../../support/journal_files.ts";
import { entriesOf, type Entry } from "../../support/records.ts";

const encoder = new TextEncoder();

/** As journalctl prints it: the cursor first. */
function exported(n: number, message: string | Uint8Array, more: Fields = []): Fields {
  return [["__CURSOR", cursor(n)], ...sshdEntry(n, message, more)];
}

function cursor(n: number): string {
  return `s=5a;i=${n};b=0123456789abcdef0123456789abcdef;m=1;t=2;x=${n}`;
}

/** Returns records of the entries that a chunk completes. */
function push(parser: ExportParser, chunk: Uint8Array): JournalRecords {
  parser.begin();
  parser.put(chunk);
  return parser.parse();
}

function parse(bytes: Uint8Array, sizes: (at: number) => number = () => bytes.length) {
  const parser = new ExportParser();
  const entries: (Entry & { cursor: string })[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = sizes(at);
    const records = push(parser, bytes.subarray(at, at + size));
    entries.push(...entriesOf(records).map((entry, i) => ({ ...entry, cursor: records.cursor(i) })));
    at += size;
  }
  return { entries, damaged: parser.damaged, cursor: parser.cursor };
}

function messages(bytes: Uint8Array): string[] {
  return parse(bytes).entries.map(({ message }) => message);
}

/** Numbers from 0 up to `below`, always the same. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

/** Everything that makes a journal hard to read, in one. */
const HARD: readonly Fields[] = [
  exported(1, "plain"),
  exported(2, "grüße 🙂"),
  exported(3, encoder.encode("two\nlines, a = sign, and\n\nan empty line")),
  exported(4, new Uint8Array([0x61, 0x00, 0xff, 0xfe, 0x0a, 0xe2, 0x82, 0x62])),
  exported(5, "", [["OTHER", new Uint8Array(300).fill(0x0a)], ["OTHER", "="]]),
  exported(6, new Uint8Array(0)),
  exported(7, "x".repeat(MAX_MESSAGE)),
  exported(8, "ü".repeat(MAX_MESSAGE + 1)),
  exported(9, new Uint8Array(50_000).fill(0xff)),
  exported(10, "y".repeat(60_000)),
  exported(11, "🙂".repeat(30_000)),
  exported(12, encoder.encode("\nz").slice(), [["HUGE", "w".repeat(70_000)], [
    "HUGE",
    new Uint8Array(70_000),
  ]]),
  [["__CURSOR", cursor(13)], ["__REALTIME_TIMESTAMP", "1"], ["SYSLOG_IDENTIFIER", "sshd"]],
  exported(14, "last"),
];

Deno.test("`ExportParser` reads an entry with the writer that journald vouches for", () => {
  const { entries, cursor: reached, damaged } = parse(
    exportText([exported(7, "Connection closed by 192.0.2.1")]),
  );
  assert.deepEqual(entries, [{
    time: BEGINNING + 7_000,
    identifier: "sshd",
    pid: 1_007,
    message: "Connection closed by 192.0.2.1",
    sender: { uid: 0, unit: "ssh.service" },
    cursor: cursor(7),
  }]);
  assert.equal(reached, cursor(7));
  assert.equal(damaged, 0);
});

Deno.test("`ExportParser` says null for what an entry does not have", () => {
  const fields: Fields = [["__CURSOR", "c"], ["__REALTIME_TIMESTAMP", "5"], ["MESSAGE", "m"]];
  assert.deepEqual(parse(exportText([fields])).entries, [{
    time: 5,
    identifier: "",
    pid: null,
    message: "m",
    sender: { uid: null, unit: "" },
    cursor: "c",
  }]);
});

Deno.test("`ExportParser` gives the same entries however the bytes are cut", () => {
  const bytes = exportText(HARD);
  const whole = parse(bytes);
  const random = randomNumbers(20_240);
  for (const most of [20, 200, 1_000, 5_000, 40_000, 65_536, 100_000]) {
    for (let run = 0; run < (most < 1_000 ? 1 : 10); run++) {
      assert.deepEqual(parse(bytes, () => 1 + random(most)), whole, `chunks of up to ${most} bytes`);
    }
  }
});

Deno.test("`ExportParser` gives the same entries when cut in two at any byte", () => {
  const bytes = exportText(HARD.slice(0, 6));
  const whole = parse(bytes);
  assert.equal(whole.entries.length, 6);
  for (let cut = 1; cut < bytes.length; cut++) {
    assert.deepEqual(parse(bytes, (at) => at === 0 ? cut : bytes.length), whole, `cut at ${cut}`);
  }
});

Deno.test("`ExportParser` reads what entries of random fields were made of", () => {
  const random = randomNumbers(1_066);
  const letters = ["a", "=", " ", "ü", "🙂", "\t", "\ufeff", "MESSAGE"];
  const text = () => Array.from({ length: random(30) }, () => letters[random(letters.length)]!).join("");
  for (let round = 0; round < 200; round++) {
    const wanted = Array.from({ length: 5 }, text);
    const bytes = exportText(
      wanted.map((message, n) =>
        exported(n, random(2) === 0 ? message : encoder.encode(message), [[
          "NOISE",
          encoder.encode(`${text()}\n\n`),
        ]])
      ),
    );
    const { entries } = parse(bytes, () => 1 + random(60));
    assert.deepEqual(entries.map(({ message }) => message), wanted);
  }
});

Deno.test("`ExportParser` replaces invalid UTF-8 and keeps NUL, newlines and a byte order mark", () => {
  assert.deepEqual(
    messages(exportText([
      exported(1, new Uint8Array([0x61, 0x00, 0xff, 0x62])),
      exported(2, encoder.encode("one\n\ntwo=2\n")),
      exported(3, "\ufeffü"),
      exported(4, new Uint8Array([0xff])),
    ])),
    ["a\0\ufffdb", "one\n\ntwo=2\n", "\ufeffü", "\ufffd"],
  );
});

Deno.test("`ExportParser` cuts a message to its limit and counts it", () => {
  const limit = "x".repeat(MAX_MESSAGE);
  const { entries, damaged } = parse(exportText([
    exported(1, limit),
    exported(2, `${limit}y`),
    exported(3, encoder.encode(`${limit}\n`)),
    exported(4, `${limit.slice(1)}🙂`),
  ]));
  assert.deepEqual(entries.map(({ message }) => message), [limit, limit, limit, `${limit.slice(1)}\ufffd`]);
  assert.equal(damaged, 3);
});

Deno.test("`ExportParser` holds little of a field of 100 MB, and reads on behind it", () => {
  const [head, tail] = [
    (binary: boolean) => {
      const bytes = exportText([exported(1, binary ? new Uint8Array(1) : "x")]);
      // Without what ends field and entry.
      return bytes.slice(0, bytes.length - (binary ? 11 : 3));
    },
    exportText([exported(2, "behind")]),
  ];
  const size = 100 << 20;
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(size), true);
  for (const binary of [false, true]) {
    const parser = new ExportParser();
    const chunk = new Uint8Array(1 << 16).fill(0x78);
    push(parser, head(binary));
    if (binary) push(parser, length);
    const before = Deno.memoryUsage();
    for (let sent = 0; sent < size; sent += chunk.length) assert.equal(push(parser, chunk).length, 0);
    const after = Deno.memoryUsage();
    assert.ok(after.external - before.external < size / 4, `${after.external - before.external} bytes more`);
    const entries = [encoder.encode("\n\n"), tail].flatMap((bytes) => entriesOf(push(parser, bytes)));
    assert.deepEqual(entries.map(({ message }) => message.length), [MAX_MESSAGE, 6]);
    assert.equal(parser.damaged, 1);
  }
});

Deno.test("`ExportParser` takes the first of two messages", () => {
  assert.deepEqual(messages(exportText([exported(1, "first", [["MESSAGE", "second"]])])), ["first"]);
});

Deno.test("`ExportParser` drops and counts entries without message, time or cursor, but moves past them", () => {
  const [whole] = [exported(1, "m")];
  for (const missing of ["MESSAGE", "__REALTIME_TIMESTAMP", "__CURSOR"]) {
    const { entries, damaged, cursor: reached } = parse(
      exportText([whole.filter(([name]) => name !== missing)]),
    );
    assert.deepEqual(entries, [], missing);
    assert.equal(damaged, 1, missing);
    assert.equal(reached, missing === "__CURSOR" ? null : cursor(1), missing);
  }
});

Deno.test("`ExportParser` refuses an endless line that is no field", () => {
  assert.throws(() => push(new ExportParser(), new Uint8Array(100_000).fill(0x78)), {
    message: "Cannot read the journal: journalctl printed something else than its export format",
  });
});

for (const high of [1, 0x1000_0000]) {
  Deno.test(`\`ExportParser\` refuses a field of ${high} times 4 GiB, which journald never writes: it would skip the journal`, () => {
    const field = new Uint8Array(300_000);
    field.set(encoder.encode("MESSAGE\n"));
    new DataView(field.buffer).setUint32("MESSAGE\n".length + 4, high, true);
    assert.throws(() => push(new ExportParser(), field), {
      message: "Cannot read the journal: journalctl printed something else than its export format",
    });
  });
}

Deno.test("`ExportParser` tells entries that a program sent whole from lines that journald made", () => {
  const transports = ["syslog", "stdout", "journal", "syslog"];
  const { origin, origins } = push(
    new ExportParser(),
    exportText(transports.map((transport, n) => exported(n, "x", [["_TRANSPORT", transport]]))),
  );
  assert.deepEqual(transports.map((_, i) => origins[origin[i]!]!.isWhole), [true, false, false, true]);
  assert.equal(origins.length, 2);
});

Deno.test("ExportParser tells the entries of two containers with one name apart", () => {
  const { origin, origins } = push(
    new ExportParser(),
    exportText(["a1", "b2", "a1"].map((id, n) => exported(n, "x", [["CONTAINER_ID_FULL", id]]))),
  );
  assert.deepEqual([0, 1, 2].map((i) => origins[origin[i]!]!.container), ["a1", "b2", "a1"]);
  assert.equal(origins.length, 2);
});
