/** A pipeline without a state, a log and bans, for commands that only print. */
import { addressOf } from "../../core/address_text.ts";
import { encode } from "../../core/bytes.ts";
import type { Log } from "../../core/log.ts";
import type { Records } from "../../core/records.ts";
import { now } from "../../core/time.ts";
import { NO_DECISION } from "../../deciding/decider.ts";
import { ModuleReaders } from "../../monitor/module_readers.ts";
import { Pipeline } from "../../monitor/pipeline.ts";
import type { BatchState, Judge } from "../../monitor/pipeline_parts.ts";
import { Recording } from "../../monitor/recording.ts";
import { valueOf } from "../../reading/field_text.ts";
import { MESSAGE, type MessageReader, NEVER } from "../../reading/message_reader.ts";
import type { RecordReader } from "../../reading/event.ts";
import { Engine } from "../../rules/engine.ts";
import type { ModuleRules } from "../../rules/rule.ts";
import { RecordBuffer } from "../../core/record_buffer.ts";

/** Counts lines that would be recorded, and stores nothing; `addHits` gets the hits of each commit. */
export class NoState implements BatchState {
  readonly lines = {
    length: 0,
    size: 0,
    add(): void {
      this.length++;
    },
    clear(): void {
      this.length = 0;
    },
  };
  readonly rollups: BatchState["rollups"];
  readonly notes = { seed: 0, groups: () => [], contents: () => [], add(): void {} };

  constructor(addHits: BatchState["rollups"]["addHits"] = () => {}) {
    this.rollups = { add() {}, addHits, reset() {} };
  }

  write(): number {
    return this.lines.length;
  }
}

/** Discards all log messages. */
export const QUIET: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Bans nobody. */
const IDLE: Judge = {
  note() {},
  decide: () => NO_DECISION,
  takeLogins: () => ({ logins: [], opened: [], closed: [] }),
  reset() {},
};

/** Makes a pipeline of one module that stores nothing and bans nobody; `note` gets its logins. */
export function idlePipeline(rules: ModuleRules, note: Judge["note"] = () => {}): Pipeline {
  return new Pipeline([rules], { state: new NoState(), judge: { ...IDLE, note }, log: QUIET });
}

/** Result of matching one line against the rules of a module. */
export interface LineMatch {
  /** Null: no module finds an address in the line. */
  readonly module: string | null;
  /** Whether the module knows the form of the message, even if it names nobody. */
  readonly isUnderstood: boolean;
  readonly address: string | null;
  /** Fields that the module read from the line. */
  readonly fields: Readonly<Record<string, string>>;
  readonly hits: readonly string[];
  /** Whether hits of the line count; false: not until `trusted_proxies` is set. */
  readonly counted: boolean;
  /** Whether the line would be recorded. */
  readonly logged: boolean;
}

/** Returns one line as a record. */
export function recordOf(line: string): RecordBuffer {
  const buffer = new RecordBuffer(0);
  buffer.begin();
  const { bytes, end } = encode(line);
  buffer.put(bytes.array.subarray(0, end));
  buffer.addLine({ from: 0, to: end, isASCII: true, most: Infinity }, now());
  buffer.bytes.logged = end;
  buffer.bytes.isLast = true;
  return buffer;
}

/** Matches lines against the rules of one module without counting hits. */
export class LineMatcher {
  readonly #rules: ModuleRules;
  readonly #engine: Engine;
  readonly #recording: Recording;
  #reader!: RecordReader;

  constructor(rules: ModuleRules) {
    const { module: { name, form } } = this.#rules = rules;
    this.#engine = new Engine([{ name, form, rules: rules.rules }]);
    this.#recording = new Recording([rules]);
    this.begin();
  }

  /** Forgets earlier lines, by which a reader may understand later ones. */
  begin(): void {
    const modules = [this.#rules];
    this.#reader = new ModuleReaders(modules, { engine: this.#engine, log: QUIET }).of(modules);
  }

  match(records: Records, i: number): LineMatch {
    const isFound = this.#reader.read(records, i, now());
    const { event } = this.#reader;
    const isUnderstood = isFound && event.isUnderstood;
    const address = isUnderstood ? addressOf(event.reader.address) : null;
    const hits = address === null || !event.isTrusted ? [] : this.#engine.match(event);
    return {
      module: this.#rules.module.name,
      isUnderstood,
      address,
      fields: isUnderstood ? fieldsOf(event.reader) : {},
      hits,
      counted: address === null || event.reader.counting !== NEVER,
      logged: address !== null && this.#recording.isRecorded(event, hits.length > 0),
    };
  }
}

function fieldsOf(reader: MessageReader): Record<string, string> {
  return Object.fromEntries(
    reader.fields.flatMap((name, field) => {
      const value = field === MESSAGE ? null : valueOf(reader, field);
      return value === null ? [] : [[name, value]];
    }),
  );
}
