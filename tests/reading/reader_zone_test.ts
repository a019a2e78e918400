import { strict as assert } from "node:assert";
import { encode } from "../../lib/core/bytes.ts";
import { HOUR, type Micros, SECOND } from "../../lib/core/time.ts";
import { type Zone, zoneOf } from "../../lib/core/zone.ts";
import { pattern as ownPattern } from "../../modules/pattern/pattern.ts";
import { ModuleHealth } from "../../lib/reading/health.ts";
import { LineReader } from "../../lib/reading/line_reader.ts";
import { inZone } from "../support/helpers.ts";
import { NO_OPTIONS, openForm } from "../support/messages.ts";
import { A, B, batchOf, C, FILE, line, NAMES, readAll, readerOf } from "../support/reader_records.ts";

Deno.test("`Reader.read()` reads the hour that clocks show twice by the line before, which `timeOf()` does not change", () =>
  inZone("Europe/Berlin", () => {
    const now = Date.UTC(2026, 10, 1) * 1_000;
    const reader = readerOf([A]);
    const [first, second] = [0, 1].map((hour) => Date.UTC(2026, 9, 25, hour, 30) * 1_000) as [Micros, Micros];
    const text = "Oct 25 02:30:00 host aa: a 192.0.2.1";
    const timeOf = (text: string) => readAll(reader, [line(text)], now)[0]?.time;
    assert.equal(timeOf(text), first);
    const { bytes, end } = encode("2026-10-25T00:59:59Z host cron: x");
    reader.timeOf({ bytes, from: 0, to: end }, { now });
    assert.equal(timeOf(text), first);
    readAll(reader, [line("2026-10-25T00:59:59Z host cron: x")], now);
    assert.equal(timeOf(text), second);
  }));

Deno.test("`Reader.read()` takes a time without a zone for one of the module's, in a head or in the message", () =>
  inZone("Europe/Berlin", () => {
    const zone = zoneOf("Asia/Tokyo")!;
    const now = Date.UTC(2026, 5, 1) * 1_000;
    const cases: readonly [text: string, time: string][] = [
      ["May 31 12:00:00 host aa: a 192.0.2.1", "2026-05-31T03:00:00Z"],
      ["May 31 12:00:00 host bb: b 192.0.2.1", "2026-05-31T10:00:00Z"],
      ["May 31 12:00:01 host aa: a 192.0.2.1", "2026-05-31T03:00:01Z"],
      ["2026-05-31T12:00:00+01:00 host aa: a 192.0.2.1", "2026-05-31T11:00:00Z"],
      ["2026-05-31 12:00:00 -03 host aa: a 192.0.2.1", "2026-05-31T15:00:00Z"],
      ["2026-05-31 12:00:00 host aa: a 192.0.2.1", "2026-05-31T03:00:00Z"],
      // The name of a zone counts for its line alone, and the outermost time for all of a line.
      ["May 31 12:00:02 EST host aa: a 192.0.2.1", "2026-05-31T17:00:02Z"],
      ["May 31 12:00:03 host aa: a 192.0.2.1", "2026-05-31T03:00:03Z"],
      ["May 31 12:00:04 EST host aa: a 192.0.2.1", "2026-05-31T17:00:04Z"],
      ["May 31 12:00:05 EST host bb: b 192.0.2.1", "2026-05-31T17:00:05Z"],
      ["May 31 12:00:06 2026-05-31T01:00:00Z host aa: a 192.0.2.1", "2026-05-31T03:00:06Z"],
      ["May 31 12:00:07 2026-05-31 01:00:00 host aa: a 192.0.2.1", "2026-05-31T03:00:07Z"],
      ["Feb 31 12:00:07 2026-05-31 12:00:00 host aa: a 192.0.2.1", "2026-05-31T03:00:00Z"],
      ["[31/May/2026:12:00:08] host aa: a 192.0.2.1", "2026-05-31T03:00:08Z"],
    ];
    const found = readAll(readerOf([{ ...A, zone }, B]), cases.map(([text]) => line(text)), now);
    assert.deepEqual(found.map((event) => event?.time), cases.map(([, time]) => Date.parse(time) * 1_000));
  }));

Deno.test("`Reader.read()` believes a head rather than a message's time without a zone", () =>
  inZone("UTC", () => {
    const form = ownPattern.form({
      ...NO_OPTIONS,
      patterns: ["^[\\d/]+ [\\d:]+ refused <ADDR>", "^[\\d-]+T[\\d:]+Z refused <ADDR>"],
    });
    const reader = readerOf([{ ...C, reader: openForm(form) }]);
    const cases: readonly [text: string, time: string][] = [
      ["2026/05/30 10:00:00 refused 192.0.2.1", "2026-05-30T10:00:00Z"],
      ["May 30 12:00:00 host x: 2026/05/30 10:00:00 refused 192.0.2.1", "2026-05-30T12:00:00Z"],
      ["May 30 12:00:00 host x: 2026-05-30T10:00:00Z refused 192.0.2.1", "2026-05-30T10:00:00Z"],
    ];
    for (const [text, time] of cases) {
      assert.equal(readAll(reader, [line(text)])[0]?.time, Date.parse(time) * 1_000, text);
    }
  }));

/** When a reader says that the lines of a batch were written, and of which shifts of zones it told. */
function readWritten(
  texts: readonly string[],
  { written, isLive, zone }: { written: Micros; isLive: boolean; zone?: Zone },
): { times: string[]; told: Micros[] } {
  const told: Micros[] = [];
  const health = new ModuleHealth(NAMES, (complaint) => assert.fail(complaint));
  const reader = new LineReader([{ ...A, zone }], health, (shift) => told.push(shift));
  const records = batchOf(texts.map((text) => line(text, written)), { written, isLive });
  const times = texts.map((_, i) => {
    reader.read(records, i, written);
    return new Date(reader.event.time / 1_000).toISOString().slice(0, 19);
  });
  return { times, told };
}

const WRITTEN = Date.UTC(2026, 4, 30, 12, 0, 3) * 1_000;

Deno.test("`Reader.read()` takes lines just written, whose times are hours off, for lines of another zone", () =>
  inZone("Asia/Tokyo", () => {
    const texts = [
      "May 30 11:58:00 host aa: a 192.0.2.1",
      "May 30 12:00:02 host aa: a 192.0.2.1",
      "and more",
    ];
    assert.deepEqual(readWritten(texts, { written: WRITTEN, isLive: true }), {
      times: ["2026-05-30T11:58:00", "2026-05-30T12:00:02", "2026-05-30T12:00:03"],
      told: [9 * HOUR],
    });
    // These lay there already, and may have been copied there.
    assert.deepEqual(readWritten(texts, { written: WRITTEN, isLive: false }), {
      times: ["2026-05-30T02:58:00", "2026-05-30T03:00:02", "2026-05-30T12:00:03"],
      told: [],
    });
    const zoned = ["2026-05-30T12:00:02+09:00 host aa: a 192.0.2.1"];
    assert.deepEqual(readWritten(zoned, { written: WRITTEN, isLive: true }), {
      times: ["2026-05-30T03:00:02"],
      told: [],
    });
  }));

Deno.test("`Reader.read()` takes lines of other programs for lines of the module's zone", () =>
  inZone("UTC", () => {
    const texts = ["May 30 21:00:00 host aa: a 192.0.2.1", "May 30 21:00:02 host cron: x"];
    const zone = zoneOf("Asia/Tokyo")!;
    assert.deepEqual(readWritten(texts, { written: WRITTEN, isLive: true, zone }), {
      times: ["2026-05-30T12:00:00", "2026-05-30T12:00:02"],
      told: [],
    });
  }));

Deno.test("`Reader.read()` keeps lines of another zone as far apart as they are", () =>
  inZone("UTC", () => {
    const ahead = ["May 30 16:00:00 host aa: a 192.0.2.1", "May 30 21:00:00 host aa: a 192.0.2.1"];
    for (const isLive of [true, false]) {
      assert.deepEqual(readWritten(ahead, { written: WRITTEN, isLive }), {
        times: ["2026-05-30T07:00:00", "2026-05-30T12:00:00"],
        told: [-9 * HOUR],
      });
    }
  }));

Deno.test("`Reader.learnZone()` tells the zone of a file before its first lines are read, and `timeOf()` counts it in", () =>
  inZone("UTC", () => {
    const reader = readerOf([A]);
    const [ahead, other] = [{}, {}];
    const lineOf = (text: string) => {
      const { bytes, end } = encode(text);
      return { bytes, from: 0, to: end };
    };
    const end = { stream: ahead, now: WRITTEN, written: WRITTEN, isLive: false };
    assert.equal(reader.learnZone(lineOf("and more"), end), false);
    const here = "May 30 12:00:01 host aa: a 192.0.2.1";
    assert.ok(reader.learnZone(lineOf(here), { ...end, stream: other }));
    assert.ok(reader.learnZone(lineOf("May 30 21:00:01 host aa: a 192.0.2.1"), end));
    const first = "May 30 18:00:00 host aa: a 192.0.2.1";
    const time = Date.parse("2026-05-30T09:00:00Z") * 1_000;
    assert.equal(reader.timeOf(lineOf(first), { stream: ahead, now: WRITTEN }), time);
    assert.equal(reader.timeOf(lineOf(first), { stream: other, now: WRITTEN }), time + 9 * HOUR);
    const read = (stream: object, text: string) => readAll(reader, [line(text)], WRITTEN, stream)[0]!.time;
    assert.deepEqual([read(ahead, first), read(other, here)], [time, WRITTEN - 2 * SECOND]);
  }));

Deno.test("`Reader.read()` learns the zone of a file whose batches end with a line without a time", () =>
  inZone("UTC", () => {
    const reader = readerOf([A]);
    const [first, then] = ["21:00:01", "21:00:02"].map((time) => `May 30 ${time} host aa: a 192.0.2.1`);
    const times = [["and more"], [first!, then!, "and more"]].map((texts) => {
      const records = batchOf(texts.map((text) => line(text)), {
        written: WRITTEN,
        isLive: true,
        stream: FILE,
      });
      reader.read(records, 0, WRITTEN);
      return reader.event.time;
    });
    assert.equal(times[1], Date.parse("2026-05-30T12:00:01Z") * 1_000);
  }));
