/**
 * Tells lines that a client may have written into an error log. nginx escapes nothing there: line
 * breaks in a path, a name or a text of a backend make a record of several lines, of which the
 * client chooses all but the start of the first and the end of the last. nginx ends a record with
 * the client's address, or cuts it at a known length. So a line names nobody if a record that
 * begins there or before may contain it and end with another client, or cut. nginx writes a record
 * at once, so that a file has all of it; where records are torn into lines, the rest may be missing.
 */
import { canonicalAddress } from "../../lib/core/address.ts";
import { addressOf } from "../../lib/core/address_text.ts";
import { HASH, LINE_FEED } from "../../lib/core/ascii.ts";
import { type Bytes, decode, makeBytes } from "../../lib/core/bytes.ts";
import type { Micros } from "../../lib/core/time.ts";
import { MESSAGE, type Place } from "../../lib/reading/message_reader.ts";
import type { ReadMessage, TextParser } from "../../lib/reading/text_reader.ts";
import { LENGTHS, LONGEST, NO_RECORD, readRecordLine, type RecordLine } from "./error.ts";
import { OpenRecords, readStream, type Stream, UNNAMED } from "./torn.ts";

/**
 * End of the head that syslog puts before a whole record. Other heads stand before each line of one: a
 * container's `nginx-1  |`, or `[pod/nginx-0/nginx]` of `kubectl logs --prefix`. So may `nginx[7]:`, if
 * a file gets what nginx prints to journald: docs/configuration.md rules this out.
 */
const SYSLOG = /(?:^|[\s>])nginx(?:(?:\[\d+\])?: *| - - (?:-|\[[^[\]]*\]) \ufeff?)$/;

/** Start of a line of JSON, perhaps behind a collector's own head, or of CSV. */
// deno-lint-ignore no-control-regex
const COLLECTED = /^(?:[^"]*\s|\x1e)?\{\s*"|^[^"]+[,\t]"/;

const encoder = new TextEncoder();
/** Stands for a byte that is no text. */
const REPLACED = "\ufffd";

/** A line in a piece of a log. */
interface Line extends RecordLine {
  readonly start: number;
  /** Place of its line break, or of the piece's end. */
  readonly end: number;
  readonly stream: Stream;
  /** Bytes of the line in its stream, with the line break. */
  readonly size: number;
  /**
   * Whether size and clients are exact. The size is the least one if bytes that are no text were
   * replaced; a runtime may have cut a line within a client.
   */
  readonly isExact: boolean;
  /** Whether the line has a head of its own, and belongs to a record that may have more lines. */
  readonly isTorn: boolean;
  /** Whether a collector wrote the line in another form, and not as a record. */
  readonly isHidden?: boolean;
}

/** Checks the messages of logs, in their order. */
export class ForgeryCheck {
  #bytes = makeBytes(0);
  #piece = 0;
  /** Lines of the piece that were looked at, by their starts. */
  readonly #lines = new Map<number, Line>();
  /** End of what the records seen in this piece may contain that nginx itself wrote into the file. */
  #reach = 0;
  readonly #torn = new WeakMap<object, OpenRecords>();
  /** Torn records of the current file, or program in the journal. */
  #open = new OpenRecords();
  #stream: object = this;
  /** When a runtime took the current message over; NaN: unknown. */
  #time: Micros = NaN;
  /** Text of the last message that was parsed. */
  #text = "";

  /** Makes a parser that tells `isForgeable()` a message's text, so that this decodes no line twice. */
  listening(parse: TextParser): TextParser {
    return (text) => parse(this.#text = text);
  }

  /** Reports whether a client may have written the message. */
  isForgeable(message: ReadMessage, isError: boolean, place: Place): boolean {
    const { stream, bytes, from, isAgain, collector } = place;
    // A line that is repeated behind its piece has no surroundings.
    const isOther = bytes !== this.#bytes || bytes.piece !== this.#piece;
    const isLost = isAgain && isOther;
    const isWithin = message.bytesOf(MESSAGE) === bytes;
    this.#time = isWithin && collector !== null ? collector.collected : NaN;
    if (!isLost && (isOther || stream !== this.#stream)) this.#begin(bytes, stream);
    if (this.#open.isAny) this.#open.endBefore(this.#time);
    if (!isError && from >= this.#reach && !this.#open.isAny) return false;
    if (isLost) return true;
    const line = from < bytes.logged ? this.#lineOf(message, from, isError) : this.#lineAlone(place, isError);
    this.#note(line);
    const isForgeable = this.#mayBeTorn(line, isError) || this.#mayBeOfOther(line, message);
    if (!isAgain) this.#pass(line);
    return isForgeable;
  }

  #begin(bytes: Bytes, stream: object): void {
    this.#bytes = bytes;
    this.#piece = bytes.piece;
    this.#stream = stream;
    this.#lines.clear();
    this.#reach = 0;
    const known = this.#torn.get(stream);
    this.#open = known ?? new OpenRecords();
    if (!known) this.#torn.set(stream, this.#open);
    const before = this.#linesBefore(!known);
    if (!known && bytes.fresh >= LONGEST) this.#openUnseen(before);
    const begun = [0, 0, 0];
    for (const line of before) {
      this.#note(line);
      if (!known) this.#pass(line);
      if (line.head === 0 && line.isOpen) begun[line.stream]!++;
    }
    this.#open.beginPiece(begun);
  }

  /** Takes for granted that a torn record began in each stream before the first piece. */
  #openUnseen(lines: readonly Line[]): void {
    const streams = new Set(lines.filter(({ isTorn }) => isTorn).map(({ stream }) => stream));
    for (const stream of streams) this.#open.pass(stream, 0, this.#time);
  }

  /** Returns the lines of the piece that were read before; at most those of a log of errors. */
  #linesBefore(isNew: boolean): Line[] {
    const { array, fresh } = this.#bytes;
    const lines: Line[] = [];
    if (!isNew && !array.subarray(0, fresh).includes(HASH)) return lines;
    // The first line may lack its beginning.
    let start = fresh < LONGEST ? 0 : array.indexOf(LINE_FEED) + 1;
    for (; start < fresh; start = lines.at(-1)!.end + 1) lines.push(this.#lineAt(start));
    return lines;
  }

  #pass({ stream, size, head, isTorn, isOpen }: Line): void {
    if (isTorn && (stream !== UNNAMED || head >= 0)) {
      this.#open.pass(stream, size, isOpen ? this.#time : null);
    } else if (head === 0) this.#open.clear(stream);
  }

  #note({ start, head, isOpen, isTorn }: Line): void {
    if (isOpen && !isTorn) this.#reach = Math.max(this.#reach, start + head + LONGEST);
  }

  /** Reports whether the line may belong to a record whose lines are not all known. */
  #mayBeTorn({ start, stream, isTorn, isOpen, isHidden }: Line, isError: boolean): boolean {
    const { logged } = this.#bytes;
    if (logged > 0 && start >= logged) return isError || this.#reach > 0 || this.#open.isOpen(stream);
    if (stream !== UNNAMED) return this.#open.isBefore(stream);
    return (isTorn && isOpen) || isHidden || this.#open.isOpen(stream);
  }

  /** Reports whether the line may be part of a record that names another client. */
  #mayBeOfOther(line: Line, message: ReadMessage): boolean {
    const address = addressOf(message.address);
    if (address === null || line.start >= this.#bytes.logged) return false;
    const isIn = (view: Stream) => this.#isIn(line, { address, view });
    return isIn(UNNAMED) || (line.stream !== UNNAMED && isIn(line.stream));
  }

  /** The same for records of a stream, or for those that nginx itself wrote into the file. */
  #isIn(line: Line, { address, view }: View): boolean {
    const isPossible = view === UNNAMED ? line.start < this.#reach : line.isOpen || this.#open.isOpen(view);
    if (!isPossible) return false;
    let room = LONGEST;
    for (let first: Line | null = line; first !== null; first = this.#before(first, view)) {
      const mayBegin = first.isOpen && (view !== UNNAMED || !first.isTorn);
      if (mayBegin && this.#mayContain(first, line, { address, view })) return true;
      room -= sizeOf(first, view);
      if (room <= 0) return false;
    }
    return false;
  }

  /** Reports whether the record that begins in `first` may contain `line`, and be of another client. */
  #mayContain(first: Line, line: Line, { address, view }: View): boolean {
    const isOther = (client: string) => canonicalAddress(client) !== address;
    let length = -first.head;
    let isExact = true;
    for (let at: Line | null = first; at !== null; at = this.#behind(at, view)) {
      length += sizeOf(at, view);
      if (length > LONGEST) return false;
      isExact &&= view === UNNAMED || at.isExact;
      const mayEnd = at.start >= line.start;
      if (mayEnd && (first.isEndless || !isExact || LENGTHS.includes(length))) return true;
      const mayTellClient = mayEnd ? !(first.isKnown && at.isSingle) : at.isBroken;
      if (mayTellClient && at.clients.some(isOther)) return true;
    }
    return view !== UNNAMED && !this.#bytes.isLast;
  }

  #before({ start }: Line, view: Stream): Line | null {
    const { array } = this.#bytes;
    while (start > 0) {
      const line = this.#lineAt(start = startOfLine(array, start - 1));
      if (view === UNNAMED || line.stream === view) return line;
    }
    return null;
  }

  #behind({ end }: Line, view: Stream): Line | null {
    const { logged } = this.#bytes;
    while (end + 1 < logged) {
      const line = this.#lineAt(end + 1);
      if (view === UNNAMED || line.stream === view) return line;
      end = line.end;
    }
    return null;
  }

  #lineAt(start: number): Line {
    const known = this.#lines.get(start);
    if (known) return known;
    const { array, logged } = this.#bytes;
    const length = array.subarray(start, logged).indexOf(LINE_FEED);
    const end = length < 0 ? logged : start + length;
    const text = end - start < 2 * LONGEST ? decode(this.#bytes, start, end) : null;
    const line = { start, end, ...readLine(text, end - start) };
    this.#lines.set(start, line);
    return line;
  }

  /**
   * Returns the line at `start`. If a collector wrote the message in another form, as JSON with escapes,
   * the message tells which record begins there, and its size: what a collector adds is not in the record.
   */
  #lineOf(message: ReadMessage, start: number, isError: boolean): Line {
    const line = this.#lineAt(start);
    if (line.stream !== UNNAMED || message.bytesOf(MESSAGE) === this.#bytes) return line;
    if (!isError) return { ...line, isHidden: true };
    const text = this.#text;
    return { ...line, ...readRecordLine(text), size: leastBytesOf(text) + 1, isTorn: true };
  }

  /** Reads a message of the journal, or a line that was rewritten, so that its place is unknown. */
  #lineAlone({ bytes, from, to }: Place, isError: boolean): Line {
    const isOfJournal = bytes.logged === 0;
    const text = !isOfJournal ? decode(bytes, from, to) : isError ? this.#text : "";
    const line = readLine(text, to - from);
    return { ...line, start: from, end: to, isTorn: isOfJournal || line.isTorn };
  }
}

/** The client that a line names, and the stream that the records to look for are in. */
interface View {
  readonly address: string;
  readonly view: Stream;
}

/** Reads a line of `length` bytes; null: it is too long for one of a record. */
function readLine(line: string | null, length: number): Omit<Line, "start" | "end"> {
  if (line === null) return { ...NO_RECORD, stream: UNNAMED, size: length + 1, isExact: true, isTorn: false };
  const { stream, text, isWhole } = readStream(line);
  const record = readRecordLine(text, isWhole);
  const isNamed = stream !== UNNAMED;
  const head = text.slice(0, Math.max(0, record.head));
  const isCollected = !isNamed && (text !== line || COLLECTED.test(record.head < 0 ? line : head));
  const isTorn = isNamed || isCollected || (head !== "" && !SYSLOG.test(head));
  const isText = !text.includes(REPLACED);
  const bytes = isNamed ? leastBytesOf(text) : length;
  // A collector adds bytes that are not in a record: counted, they would let a record end too early.
  const size = isCollected ? 0 : bytes + (isWhole ? 1 : 0) - (isNamed || !isTorn ? 0 : head.length);
  return { ...record, stream, size, isExact: isText && isWhole, isTorn };
}

/** Returns the bytes of a text, the least number if bytes that are no text were replaced. */
function leastBytesOf(text: string): number {
  return encoder.encode(text.replaceAll(REPLACED, "?")).length;
}

function sizeOf({ start, end, size }: Line, view: Stream): number {
  return view === UNNAMED ? end - start + 1 : size;
}

/** Returns the start of the line that contains, or ends at, `at`. */
function startOfLine(array: Uint8Array, at: number): number {
  return at <= 0 || array[at - 1] === LINE_FEED ? Math.max(0, at) : array.lastIndexOf(LINE_FEED, at - 1) + 1;
}
