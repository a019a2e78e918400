import { strict as assert } from "node:assert";
import { decode, encode } from "../../lib/core/bytes.ts";
import { type Micros, now, SECOND } from "../../lib/core/time.ts";
import { AddressReader } from "../../lib/core/address_reader.ts";
import { LogLines } from "../../lib/state/log_lines.ts";
import { RecordedLines } from "../../lib/state/recorded_lines.ts";
import type { State } from "../../lib/state/state.ts";
import { temporaryState } from "../support/helpers.ts";

const START = 1_700_000_000 * SECOND;
const MODULES = ["SSHD", 'a "module" \\ of ünïcode'];
const MESSAGES = [
  "Invalid user oracle from 192.0.2.1 port 22",
  "",
  '192.0.2.1 - - [x] "GET /\\"?a=\\\\ HTTP/1.1" 404 0 "-" "\\x22\\n"',
  '"',
  "\\",
  "ends with a backslash \\",
  "\x1b[2J\r\n\t\b\f\x01\x1f\x7f",
  "a NUL \0 inside",
  "\u202egpj\u200b\u2028 żółć 漢字 \u{1f600}\ufffd",
  '"],["SSHD","192.0.2.9",0,"forged',
  "x".repeat(8_192),
  '\\"'.repeat(4_000),
];

/** Records messages as one batch, each a second before the one in front of it. */
function record(state: State, messages: readonly string[], { module = 0, time = START } = {}): void {
  const lines = new LogLines(MODULES);
  messages.forEach((message, i) => {
    const { bytes, end } = encode(message);
    const address = new AddressReader();
    address.readText(i % 2 === 0 ? "192.0.2.1" : "2001:db8::1");
    lines.add({ module, time: time - i * SECOND, bytes, from: 0, to: end, reader: { address } });
  });
  state.log.add(lines);
}

interface Line {
  readonly module: string;
  readonly time: Micros;
  readonly message: string;
}

function read(state: State, since: Micros = 0): Line[] {
  return [...state.log.recorded(since)].flatMap(({ records }) =>
    Array.from({ length: records.length }, (_, i) => ({
      module: records.origins[records.origin[i]!]!.identifier,
      time: records.times[i]!,
      message: decode(records.bytes, records.from[i]!, records.to[i]!),
    }))
  );
}

Deno.test("`LogTable.recorded()` gives back what was recorded, whatever the messages hold", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  record(state, MESSAGES);
  record(state, MESSAGES.toReversed(), { module: 1, time: START + SECOND });
  const expected = state.log.after(0, 100).map(({ module, time, message }) => ({ module, time, message }));
  assert.equal(expected.length, 2 * MESSAGES.length);
  assert.deepEqual(read(state), expected);
  const messages = MESSAGES.map((message) => message.replace("\0", "\ufffd"));
  assert.deepEqual(expected.slice(0, MESSAGES.length).map(({ message }) => message), messages);
});

Deno.test("`LogTable.recorded()` reads batches by the thousand in order, up to the last one of its beginning", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  for (let i = 0; i < 300; i++) record(state, Array.from({ length: 1 + i % 50 }, (_, n) => `${i} ${n}`));
  const numbers: number[] = [];
  let lines = 0;
  for (const { records, last } of state.log.recorded(0)) {
    if (numbers.length === 0) record(state, ["later"]);
    lines += records.length;
    numbers.push(last);
  }
  assert.equal(lines, numbers.at(-1));
  assert.equal(lines, state.log.count() - 1);
  assert.ok(numbers.every((number, i) => i === 0 || number > numbers[i - 1]!));
});

Deno.test("`LogTable.recorded()` leaves out batches that are older than a time", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  record(state, ["old", "older"], { time: START });
  record(state, ["new"], { time: START + SECOND });
  assert.deepEqual(read(state, START + SECOND).map(({ message }) => message), ["new"]);
  assert.deepEqual(read(state, START).map(({ message }) => message), ["old", "older", "new"]);
  assert.deepEqual(read(state, now()), []);
});

Deno.test("`RecordedLines.add()` reads all escapes of JSON, and lines of older versions", () => {
  const records = new RecordedLines();
  records.begin();
  const content = JSON.stringify([["SSHD", "192.0.2.1", -1, '\t\n\r\b\f\u0001\\"/'], [
    "SSHD",
    "192.0.2.1",
    5,
    "é",
  ]]);
  records.addBatch(new TextEncoder().encode(content.replace("/", "\\/")), 100);
  records.addBatch(new TextEncoder().encode("[]"), 100);
  const text = (i: number) => decode(records.bytes, records.from[i]!, records.to[i]!);
  assert.deepEqual([records.length, text(0), text(1)], [2, '\t\n\r\b\f\u0001\\"/', "é"]);
  assert.deepEqual([...records.times.subarray(0, 2)], [101, 95]);
});

for (
  const content of [
    "",
    "[",
    '[["SSHD"',
    '[["SSHD","192.0.2.1",0,"never ends',
    '[["SSHD","192.0.2.1",0,"x\\',
    "{}",
  ]
) {
  Deno.test(`\`RecordedLines.add()\` refuses ${JSON.stringify(content)}, also behind other lines`, () => {
    const records = new RecordedLines();
    records.begin();
    records.addBatch(new TextEncoder().encode('[["SSHD","192.0.2.1",0,"a long enough message"]]'), 0);
    assert.throws(() => records.addBatch(new TextEncoder().encode(content), 0), /a batch of them is damaged/);
  });
}
