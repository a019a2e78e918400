/**
 * Lines of records that a container's runtime or journald has torn: each line has a head of its
 * own, and lines of other streams may stand between them; but those of a stream keep their order.
 */
import { tried } from "../../lib/core/error.ts";
import { type Micros, SECOND } from "../../lib/core/time.ts";
import { LONGEST } from "./error.ts";

/** Streams of a log: lines without the name of one, and those of a container's outputs. */
export const [UNNAMED, STDOUT, STDERR] = [0, 1, 2] as const;
export type Stream = typeof UNNAMED | typeof STDOUT | typeof STDERR;

/** Head of CRI before a line. */
const CRI = /^\d{4}-\d\d-\d\dT\S+ std(?<name>out|err) (?<tag>[FP])(?::\S+)? /;
/** Start of a line of Docker's driver json-file. */
const DOCKER = '{"log":"';

/** Text of a line in its stream. */
export interface StreamText {
  readonly stream: Stream;
  /** Without the head that names the stream. */
  readonly text: string;
  /** Whether a line break ends it: runtimes also cut lines, CRI-O where its buffer ends. */
  readonly isWhole: boolean;
}

/** Returns a line's stream, and its text there. */
export function readStream(line: string): StreamText {
  const plain = { stream: UNNAMED, text: line, isWhole: true };
  const cri = CRI.exec(line);
  if (cri) {
    const { name, tag } = cri.groups!;
    const stream = name === "out" ? STDOUT : STDERR;
    return { stream, text: line.slice(cri[0].length), isWhole: tag === "F" };
  }
  if (!line.startsWith(DOCKER)) return plain;
  const entry = tried(() => JSON.parse(line));
  if (entry === null) return plain;
  const text = String(entry.log);
  return { stream: streamOf(entry.stream), text: text.replace(/\n$/, ""), isWhole: text.endsWith("\n") };
}

function streamOf(name: unknown): Stream {
  return name === "stdout" ? STDOUT : name === "stderr" ? STDERR : UNNAMED;
}

/** nginx writes a record at once, so that a runtime takes its lines over within this time. */
const LATEST = 10 * SECOND;

/** A record that may go on. */
interface OpenRecord {
  /** At most the bytes that were read of its stream since its beginning. */
  age: number;
  /** When a runtime took its beginning over; NaN: unknown. */
  readonly time: Micros;
}

/** The torn records of a file, or of a program in the journal, that may go on. */
export class OpenRecords {
  readonly #records: readonly OpenRecord[][] = [[], [], []];
  /** By stream: how many of these records, the first ones, began before the piece of the log. */
  readonly #before = [0, 0, 0];
  isAny = false;

  /** Begins a piece of the log, which has the beginnings of the last records, so many by stream. */
  beginPiece(begun: readonly number[]): void {
    for (const [stream, { length }] of this.#records.entries()) {
      this.#before[stream] = length - begun[stream]!;
    }
  }

  /** Reports whether a record that began before the piece may contain the next line of a stream. */
  isBefore(stream: Stream): boolean {
    return this.#before[stream]! > 0;
  }

  /** Reports whether any record may contain the next line of a stream. */
  isOpen(stream: Stream): boolean {
    return this.#records[stream]!.length > 0;
  }

  /** Ends the records that began long before a line that a runtime took over at `time`. */
  endBefore(time: Micros): void {
    this.#endWhere((record) => time - record.time > LATEST);
  }

  /** Takes note of a line of `size` bytes; if `time` is not null, a record begins there that may go on. */
  pass(stream: Stream, size: number, time: Micros | null): void {
    const records = this.#records[stream]!;
    for (const record of records) record.age += size;
    if (time !== null) records.push({ age: size, time });
    this.#endWhere(({ age }) => age >= LONGEST);
  }

  /** Takes note of a line of a stream as nginx itself writes it: then nobody tears its records. */
  clear(stream: Stream): void {
    this.#records[stream]!.length = this.#before[stream] = 0;
    this.#endWhere(() => false);
  }

  #endWhere(hasEnded: (record: OpenRecord) => boolean): void {
    for (const [stream, records] of this.#records.entries()) {
      for (let i = records.length - 1; i >= 0; i--) {
        if (!hasEnded(records[i]!)) continue;
        records.splice(i, 1);
        if (i < this.#before[stream]!) this.#before[stream]!--;
      }
    }
    this.isAny = this.#records.some(({ length }) => length > 0);
  }
}
