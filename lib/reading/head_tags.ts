import { DELETE, LEFT_BRACKET, LEFT_PARENTHESIS, RIGHT_BRACKET, SPACE } from "../core/ascii.ts";
import { type Bytes, decode, endOfDigits, Literal, numberOf } from "../core/bytes.ts";
import { NO_PID } from "../core/records.ts";
import type { Stamp } from "../core/stamp.ts";
import type { Kind } from "./tag_forms.ts";
import { readTag, type TagPart, type TagPlace } from "./tag_text.ts";

/** Remembered tags, for programs that write in turn. */
const TAGS = 8;
/** Most digits of a process that are read from bytes. */
const MAX_DIGITS = 9;
/** Bytes that hold any tag, also one with structured data of RFC 5424. */
const LONGEST = 8_192;
const [KERNEL, PLAIN_END] = [new Literal("kernel:"), ": "];
/** A program whose name could be the sender that socklog writes before facility and level. */
const SENDER = /^[\da-f.:]+$/;
const encoder = new TextEncoder();

/** A tag of an earlier line: the texts before and behind its process. */
interface Tag<Program> {
  readonly before: Literal;
  readonly after: Literal;
  readonly kind: Kind;
  /** Whether the tag names a process. */
  readonly hasPid: boolean;
  readonly program: Program;
  /** Whether a message may begin like this tag. */
  readonly mayBeMessage: boolean;
}

/** What a reader of tags must know of the modules. */
export interface TagOptions<Program> {
  /** Makes `program` of a program's name; "" if RFC 5424 names none. */
  readonly programOf: (identifier: string) => Program;
  /** Whether it is the name of a module's program. */
  readonly isKnown: (identifier: string) => boolean;
  /** Reports whether a message of a module may begin with a text. */
  readonly mayBegin: (text: string) => boolean;
}

/**
 * Reads host, program and process, which precede a message. Compares a tag first with those of
 * earlier lines.
 */
export class HeadTags<Program> {
  /** Null: only facility and level. */
  program: Program | null = null;
  pid = NO_PID;
  kind: Kind = "plain";
  /** Time in the tag. */
  stamp: Stamp | null = null;
  /** Where the text behind the tag begins. */
  end = 0;
  readonly #modules: TagOptions<Program>;
  /** The last used tag comes first. */
  readonly #tags: Tag<Program>[] = [];

  constructor(modules: TagOptions<Program>) {
    this.#modules = modules;
  }

  /**
   * Reads the tag at the start of `bytes[from, to)`, behind a time, if it is an earlier line's; with
   * `isSure`, only a tag like which no message begins.
   */
  readKnown(bytes: Bytes, from: number, to: number, isIso: boolean, isSure = false): boolean {
    const tags = this.#tags;
    for (let i = 0; i < tags.length; i++) {
      const tag = tags[i]!;
      const at = from + tag.before.length;
      if (at >= to || !tag.before.isAt(bytes, from) || (tag.kind === "structured" && !isIso)) continue;
      if (isSure && tag.mayBeMessage) return false;
      if (!this.#readProcess(bytes, tag, at, to)) continue;
      this.program = tag.program;
      if (i > 0) {
        tags[i] = tags[i - 1]!;
        tags[i - 1] = tag;
      }
      return true;
    }
    return false;
  }

  /** Reads process and end of a tag at `at`; false: only expressions can tell. */
  #readProcess(bytes: Bytes, { after, kind, hasPid }: Tag<Program>, at: number, to: number): boolean {
    const { array } = bytes;
    const isStructured = kind === "structured";
    let pid = NO_PID;
    if (isStructured ? hasPid : array[at] === LEFT_BRACKET) {
      const first = isStructured ? at : at + 1;
      const end = endOfDigits(array, first);
      if (end === first || end - first > MAX_DIGITS || (!isStructured && array[end] !== RIGHT_BRACKET)) {
        return false;
      }
      pid = numberOf(array, first, end);
      at = isStructured ? end : end + 1;
    }
    const end = at + after.length;
    if (end >= to || !after.isAt(bytes, at)) return false;
    const first = array[end]!;
    // A decoration or more blanks may precede the message.
    if (
      first === LEFT_BRACKET || first === LEFT_PARENTHESIS || first <= SPACE || first >= DELETE ||
      KERNEL.isAt(bytes, end)
    ) return false;
    this.pid = pid;
    this.kind = kind;
    this.stamp = null;
    this.end = end;
    return true;
  }

  /**
   * Reads the tag at the start of `bytes[from, to)`, which `readKnown()` does not know. Returns
   * false if there is none.
   */
  readNew(bytes: Bytes, from: number, to: number, place: Omit<TagPlace, "isKnown">): boolean {
    const text = decode(bytes, from, Math.min(to, from + LONGEST));
    const part = readTag(text, { ...place, isKnown: this.#modules.isKnown });
    if (part === null) return false;
    const { identifier, pid, kind, stamp } = part;
    const end = from + encoder.encode(text.slice(0, part.length)).length;
    this.program = identifier === null ? null : this.#modules.programOf(identifier);
    if (this.program !== null && place.time !== null && !place.isBehindTag) {
      this.#learn(bytes, from, to, { ...part, end });
    }
    this.pid = pid ?? NO_PID;
    this.kind = kind;
    this.stamp = stamp;
    this.end = end;
    return true;
  }

  /** Remembers a tag if comparing it gives the same result as the expressions. */
  #learn(
    bytes: Bytes,
    from: number,
    to: number,
    { before, after, pid, kind, end }: TagPart & { end: number },
  ): void {
    if (kind !== "structured" && (after !== PLAIN_END || SENDER.test(before))) return;
    const tag: Tag<Program> = {
      before: new Literal(before),
      after: new Literal(after),
      kind,
      hasPid: pid !== null,
      program: this.program!,
      mayBeMessage: this.#modules.mayBegin(before),
    };
    if (!this.#readProcess(bytes, tag, from + tag.before.length, to)) return;
    if (this.end !== end || this.pid !== (pid ?? NO_PID)) return;
    this.#tags.unshift(tag);
    if (this.#tags.length > TAGS) this.#tags.pop();
  }
}
