/** `deno task bench:micro`: measures the hot parts of a line's way one by one. */
import { NO_DECISION } from "../../lib/deciding/decider.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { NoState, QUIET } from "../../lib/commands/common/dry_run.ts";
import type { Records } from "../../lib/core/records.ts";
import { Pipeline } from "../../lib/monitor/pipeline.ts";
import { HeadReader } from "../../lib/reading/head.ts";
import { ExportParser } from "../../lib/sources/journal/export.ts";
import { LineSplitter } from "../../lib/sources/line_splitter.ts";
import { RecordBuffer } from "../../lib/core/record_buffer.ts";
import { LogLines } from "../../lib/state/log_lines.ts";
import { known, SHIPPED } from "../support/configs.ts";
import { NO_LOGINS } from "../support/helpers.ts";
import { exportedAuthLog, writeAccessLog, writeAuthLog } from "./corpus.ts";

const SIZE = { lines: 10_000, seed: 1 };
const NOW = Date.UTC(2026, 10) * 1_000;
const CONFIG = loadConfig(SHIPPED, { known });

/** Returns the lines of `write` as bytes. */
function bytesOf(
  write: (options: { lines: number; seed: number; write: (text: string) => void }) => unknown,
): Uint8Array {
  const pieces: string[] = [];
  write({ ...SIZE, write: (text) => void pieces.push(text) });
  return new TextEncoder().encode(pieces.join(""));
}

function recordsOf(bytes: Uint8Array): Records {
  const buffer = new RecordBuffer(bytes.length);
  const splitter = new LineSplitter();
  splitter.begin(buffer);
  buffer.put(bytes);
  splitter.take(buffer, NOW);
  return buffer;
}

const AUTH = bytesOf(writeAuthLog);
const EXPORTED = [...exportedAuthLog(SIZE)].flatMap((bytes) =>
  Array.from(
    { length: Math.ceil(bytes.length / 16_384) },
    (_, n) => bytes.slice(n * 16_384, (n + 1) * 16_384),
  )
);
const LOGS = { "auth.log": recordsOf(AUTH), "access.log": recordsOf(bytesOf(writeAccessLog)) };
const GROUP = `${SIZE.lines} lines`;

Deno.bench("LineSplitter", { group: GROUP }, () => void recordsOf(AUTH));
Deno.bench("ExportParser.parse()", { group: GROUP }, () => {
  const parser = new ExportParser();
  for (const chunk of EXPORTED) {
    parser.begin();
    parser.put(chunk);
    parser.parse();
  }
});
const heads = new HeadReader({
  programOf: (identifier) => identifier,
  isKnown: () => false,
  isObjectRead: false,
  mayBegin: () => false,
  reference: { now: NOW, before: NaN },
});
Deno.bench("HeadReader.next()", { group: GROUP }, () => {
  const { bytes, from, to, length } = LOGS["auth.log"];
  for (let i = 0; i < length; i++) {
    heads.begin(bytes, from[i]!, to[i]!, true);
    while (!heads.isTag && heads.next());
  }
});
for (const [name, records] of Object.entries(LOGS)) {
  const judge = { note() {}, decide: () => NO_DECISION, takeLogins: () => NO_LOGINS, reset() {} };
  const counting = { isStored: false, ipv6Prefix: CONFIG.ipv6Prefix };
  const pipeline = new Pipeline(CONFIG.modules, { state: new NoState(), judge, log: QUIET, counting });
  const reader = pipeline.readers.of(CONFIG.modules);
  Deno.bench(`Reader.read(), ${name}`, { group: GROUP }, () => {
    for (let i = 0; i < records.length; i++) reader.read(records, i, NOW);
  });
  Deno.bench(`Engine.match(), ${name}`, { group: GROUP }, () => {
    for (let i = 0; i < records.length; i++) {
      if (!reader.read(records, i, NOW) || !reader.event.isUnderstood) continue;
      if (reader.event.reader.address.isAddress) pipeline.engine.match(reader.event);
    }
  });
  Deno.bench(`Pipeline.process(), ${name}`, { group: GROUP }, () => {
    pipeline.process({ records, position: "", damaged: 0 }, { name, reader }, NOW);
  });
  Deno.bench(`LogLines.add(), ${name}`, { group: GROUP }, () => {
    const lines = new LogLines(CONFIG.modules.map(({ module }) => module.name));
    for (let i = 0; i < records.length; i++) {
      if (reader.read(records, i, NOW)) lines.add(reader.event);
    }
  });
}
