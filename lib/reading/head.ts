/**
 * Takes heads of syslog and of log collectors off messages, part by part:
 *
 *     {"log":"2026-05-06T10:56:10Z web sshd[7]: Invalid user …\n","stream":"stdout","time":"…Z"}
 *     <38>1 2026-05-06T10:56:10Z web sshd 7 - - Invalid user …
 *     May  6 10:56:10 web sshd[7]: message repeated 2 times: [ Invalid user …]
 *
 * Only the first words decide: an attacker may have chosen the rest. Lines of a log begin alike, so
 * times and tags are first compared with those of earlier lines.
 */
import { ESCAPE, LEFT_BRACE, RIGHT_BRACKET } from "../core/ascii.ts";
import {
  type Bytes,
  decode,
  encode,
  endOfDigits,
  endWithoutBlanks,
  Literal,
  makeBytes,
  numberOf,
  startWithoutBlanks,
} from "../core/bytes.ts";
import { NO_PID, type Sender } from "../core/records.ts";
import type { Reference, Stamp } from "../core/stamp.ts";
import type { Micros } from "../core/time.ts";
import { printedText, readCollected } from "./collector_log.ts";
import { readCsvRow } from "./csv_row.ts";
import { DockerLog } from "./docker_log.ts";
import { HeadTags, type TagOptions } from "./head_tags.ts";
import { readHeadTime } from "./head_text.ts";
import { HeadTimes } from "./head_times.ts";

/** Parts of heads. `OBJECT` is JSON of Docker or another collector, which may follow an `ENVELOPE`. */
const [NONE, OBJECT, TIME, FACILITY, TAG, REPEATED, ENVELOPE] = [0, 1, 2, 3, 4, 5, 6] as const;
type Part = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/** Most parts of a head. */
const MAX_PARTS = 8;
const REPEAT = new Literal("message repeated ");
const TIMES = new Literal(" times: [");
/** Most digits of a count. */
const MAX_DIGITS = 9;
/** Colours of terminals before a part of a line, and what ends them. */
const COLOURS = new RegExp(`^(?:${String.raw`\x1b\[[\d;]*m`})+`);
const RESET = new Literal("\x1b[0m");
/** Most bytes of colours. */
const LONGEST_COLOURS = 64;
/** First bytes of a colour and of a byte order mark. */
const BEFORE_TEXT = new Set([ESCAPE, 0xef]);

/** What a head reader must know of the modules, and of the current line. */
export interface HeadOptions<Program> extends TagOptions<Program> {
  /** Whether JSON is read that may be a service's own. */
  readonly isObjectRead: boolean;
  /** Instants around the current line; the caller keeps them up to date. */
  readonly reference: Reference;
}

/** Where a message may begin behind a time. */
export interface Beginning {
  readonly from: number;
  /** The line's time; null: the head's. */
  readonly stamp: Stamp | null;
}

/** Takes heads off lines and messages, part by part. */
export class HeadReader<Program> {
  /** The remaining text is `bytes[from, to)`, without blanks at its ends. */
  bytes: Bytes = makeBytes(0);
  from = 0;
  to = 0;
  /** Process of the innermost tag that names one. */
  pid = NO_PID;
  /** Program of the last tag; null before the first. */
  program: Program | null = null;
  /** How often the message was written, according to the line. */
  count = 1;
  readonly #docker = new DockerLog();
  readonly #isObjectRead: boolean;
  readonly #programOf: (identifier: string) => Program;
  readonly #times: HeadTimes;
  readonly #tags: HeadTags<Program>;
  #last: Part = NONE;
  #isLine = false;
  #isTimed = false;
  #parts = 0;
  /** Where the time just taken begins. */
  #timeFrom = 0;
  /** Whether the line is JSON of a collector that may be a service's own; its writer in the journal. */
  isObject = false;
  sender: Sender | null = null;

  constructor({ programOf, isKnown, isObjectRead, reference, mayBegin }: HeadOptions<Program>) {
    this.#times = new HeadTimes(reference, mayBegin);
    this.#tags = new HeadTags({ programOf, isKnown, mayBegin });
    this.#programOf = programOf;
    this.#isObjectRead = isObjectRead;
  }

  /** Returns where the message begins if what was taken off is the whole head. */
  beginning(): Beginning {
    return { from: this.from, stamp: this.#last === TIME ? this.#times.nameless : null };
  }

  /**
   * Returns where words begin that were taken for the zone or the half of a day of the time just
   * taken: they may be a stranger's name. Null: there are none.
   */
  wordless(): Beginning | null {
    const { words: from, isFirst } = this.#times;
    if (this.#last !== TIME || from < 0) return null;
    const time = readHeadTime(decode(this.bytes, this.#timeFrom, from));
    return time && { from, stamp: isFirst ? time.stamp : null };
  }

  /** Reports whether `bytes[from, to)` surely is no message: it begins with an earlier line's time. */
  isAt(bytes: Bytes, from: number, to: number): boolean {
    return this.#times.areAt(bytes, from, to);
  }

  /**
   * When the line was written: its outermost time that is an instant, by the reference as it is
   * now; otherwise NaN.
   */
  get time(): Micros {
    return this.#times.time;
  }

  /** Whether that time does not tell in figures how far its clock is ahead of UTC. */
  get isZoneless(): boolean {
    return this.#times.isZoneless;
  }

  /** Whether the last `next()` took a time off, and nothing behind it. */
  get isTime(): boolean {
    return this.#last === TIME;
  }

  /**
   * When a runtime took the line over: its first time, if the message follows at once. A collector may
   * have found any other time in the message. NaN: unknown.
   */
  get collected(): Micros {
    return this.#last === TIME && this.#times.isFirst ? this.#times.time : NaN;
  }

  /** Whether the last `next()` took a tag off: `program` is new. */
  get isTag(): boolean {
    return this.#last === TAG;
  }

  /**
   * Begins with `bytes[from, to)`: a line, or a message that may contain another line with its own
   * time, as a container's message does in the journal. Returns whether a byte order mark or a colour
   * precedes the text, which may be a bare message then; blanks precede continued ones.
   */
  begin(bytes: Bytes, from: number, to: number, isLine: boolean): boolean {
    this.bytes = bytes;
    this.#took(NONE, from, endWithoutBlanks(bytes.array, from, to));
    this.#times.begin();
    this.pid = NO_PID;
    this.program = null;
    this.count = 1;
    this.isObject = false;
    this.sender = null;
    this.#isLine = isLine;
    this.#isTimed = false;
    this.#parts = 0;
    return this.from > from && BEFORE_TEXT.has(bytes.array[from]!);
  }

  /**
   * Takes the next part of the head off, and with a time the tag behind it if no message begins like
   * that tag. Returns false if there is none.
   */
  next(): boolean {
    if (this.#last === REPEATED || this.#parts++ >= MAX_PARTS || this.from >= this.to) return false;
    return this.#takeKnown() || this.#takeRepetition() || this.#takeObject() || this.#takeRow() ||
      (this.#times.readNew(this.bytes, this.from, this.to) && this.#tookTime()) || this.#takeTag();
  }

  /** Takes a time or, behind it, a tag off that an earlier line had, as most lines of a log do. */
  #takeKnown(): boolean {
    const { bytes, from, to } = this;
    const mayBeTag = this.#isTimed && this.#last !== TAG;
    if (mayBeTag && this.#tags.readKnown(bytes, from, to, this.#times.isIso)) return this.#tookTag();
    if (!this.#times.readKnown(bytes, from, to)) return false;
    this.#tookTime();
    const { isIso } = this.#times;
    return !this.#tags.readKnown(bytes, this.from, to, isIso, true) || this.#tookTag();
  }

  /** Takes `message repeated 2 times: [ … ]` off, which rsyslog writes around a message. */
  #takeRepetition(): boolean {
    const { bytes, from, to } = this;
    const digits = from + REPEAT.length;
    if (digits >= to || !REPEAT.isAt(bytes, from) || bytes.array[to - 1] !== RIGHT_BRACKET) return false;
    const end = endOfDigits(bytes.array, digits);
    const inner = end + TIMES.length;
    if (end === digits || end - digits > MAX_DIGITS || inner >= to || !TIMES.isAt(bytes, end)) return false;
    const count = numberOf(bytes.array, digits, end);
    if (count === 0) return false;
    this.count = count;
    return this.#took(REPEATED, inner, endWithoutBlanks(bytes.array, inner, to - 1));
  }

  /** Takes the line of a collector off that is an object, perhaps behind a tag and before a bracket. */
  #takeObject(): boolean {
    const { array } = this.bytes;
    const isEnveloped = this.#last === ENVELOPE;
    if (!this.#isLine || array[this.from] !== LEFT_BRACE || (this.#last !== NONE && !isEnveloped)) {
      return false;
    }
    if (!isEnveloped && this.#takeDocker()) return true;
    const isClosed = isEnveloped && array[this.to - 1] === RIGHT_BRACKET;
    const line = decode(this.bytes, this.from, isClosed ? this.to - 1 : this.to);
    const isDoubtful = isEnveloped && this.#tags.kind === "doubtful envelope";
    const printed = isEnveloped && !isDoubtful ? printedText(line) : null;
    if (printed !== null) return this.#tookText(encode(printed), null);
    const collected = readCollected(line, !this.#isObjectRead);
    if (collected === null) return false;
    const { text, isSure, stamp, program, pid, sender } = collected;
    if (isDoubtful && program === null && !isSure) return false;
    this.isObject = !isSure;
    this.sender = sender;
    if (stamp !== null) this.#times.take(stamp);
    if (pid !== NO_PID) this.pid = pid;
    return this.#tookText(encode(text), program);
  }

  #takeDocker(): boolean {
    const docker = this.#docker;
    if (!docker.read(this.bytes, this.from, this.to)) return false;
    if (!this.#times.readWhole(this.bytes, docker.timeFrom, docker.timeTo)) return false;
    return this.#tookText(docker, null);
  }

  #takeRow(): boolean {
    const { bytes, from, to } = this;
    const row = this.#isLine && this.#last === NONE ? readCsvRow(bytes, from, to) : null;
    if (row === null) return false;
    this.#times.take(row.stamp);
    return this.#tookText(encode(row.text), row.program);
  }

  /** Takes the text of an object or row, which is in another buffer, perhaps with a program. */
  #tookText({ bytes, end }: { bytes: Bytes; end: number }, program: string | null): true {
    this.bytes = bytes;
    if (program !== null) this.program = this.#programOf(program);
    return this.#took(program === null ? OBJECT : TAG, 0, endWithoutBlanks(bytes.array, 0, end));
  }

  #tookTime(): true {
    const { pid, isTime, end } = this.#times;
    this.#timeFrom = this.from;
    if (pid !== NO_PID) this.pid = pid;
    this.#isTimed ||= isTime;
    return this.#took(TIME, end, this.to);
  }

  /**
   * Takes a tag off at a line's start, behind a time, or behind a tag if its program is known;
   * elsewhere it is the message's text.
   */
  #takeTag(): boolean {
    if (this.#last === NONE && !this.#isLine) return false;
    const time = this.#isTimed ? this.#times : null;
    return this.#tags.readNew(this.bytes, this.from, this.to, { time, isBehindTag: this.#last === TAG }) &&
      this.#tookTag();
  }

  #tookTag(): true {
    const { pid, program, kind, stamp, end } = this.#tags;
    if (kind === "container") this.#isTimed = false;
    if (stamp !== null) this.#times.take(stamp);
    if (pid !== NO_PID) this.pid = pid;
    if (program !== null) this.program = program;
    return this.#took(program !== null ? TAG : kind.endsWith("envelope") ? ENVELOPE : FACILITY, end, this.to);
  }

  /** Keeps `[from, to)` as the remaining text; it has no blanks before `to`. */
  #took(part: Part, from: number, to: number): true {
    this.#last = part;
    this.to = to;
    this.from = startWithoutBlanks(this.bytes.array, from, to);
    if (this.from < to && this.bytes.array[this.from] === ESCAPE) this.#skipColours();
    return true;
  }

  /** Takes colours off at the beginning, and the reset at the end. */
  #skipColours(): void {
    const { bytes } = this;
    const { array } = bytes;
    const colours = COLOURS.exec(decode(bytes, this.from, Math.min(this.to, this.from + LONGEST_COLOURS)));
    if (colours === null) return;
    const end = this.to - RESET.length;
    if (end > this.from && RESET.isAt(bytes, end)) this.to = endWithoutBlanks(array, this.from, end);
    this.from = startWithoutBlanks(array, Math.min(this.from + colours[0].length, this.to), this.to);
  }
}
