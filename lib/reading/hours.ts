import { DELETE, LOWER_A, LOWER_M, LOWER_P, POINT, SPACE } from "../core/ascii.ts";
import { type Bytes, endOfDigits, isDigit, isEqual, isLower, isUpper, Literal } from "../core/bytes.ts";
import type { Reference } from "../core/stamp.ts";
import type { TimePart } from "./head_text.ts";
import { DayResolver, type StampZone } from "./day_resolver.ts";

/** Hours that are remembered, as lines of a log may have two times, and gaps of each hour. */
const [HOURS, GAPS] = [3, 4];

/** What may precede a zone's name in a gap. */
const BEFORE_NAME = /^\W*(?:(?:[AP]M|[ap]\.?m\.?)\W+)?/;

/** A time up to a word in it. Times have only bytes of ASCII before their words. */
const BEFORE_WORDS = /^[ -~\t]*?\d:\d\d:\d\d\S*[ \t]+(?=[\w+-])(?!std(?:out|err)\b)/;

/** Zone and gap between a second and the text behind the time. */
export interface Gap extends StampZone {
  readonly literal: Literal;
  /** Offset in it of words such as a zone or half of a day; below 0: there are none. */
  readonly words: number;
}

/** An hour of a log, `Mar  9 04:`, with the text before it. */
export interface Hour {
  readonly literal: Literal;
  readonly part: TimePart;
  readonly gaps: Gap[];
  readonly times: DayResolver;
  /** False: its date or time of day does not exist. */
  readonly exists: boolean;
  /** Whether a message may begin like this hour. */
  readonly mayBeMessage: boolean;
}

/** The last hours of a log, to compare further lines with. */
export class Hours {
  /** The last used hour comes first. */
  readonly list: Hour[] = [];
  readonly #reference: Reference;
  readonly #mayBegin: (text: string) => boolean;

  /** @param mayBegin reports whether a message may begin with a text */
  constructor(reference: Reference, mayBegin: (text: string) => boolean) {
    this.#reference = reference;
    this.#mayBegin = mayBegin;
  }

  /** Notes that a line has the hour at `index`. */
  use(index: number): void {
    if (index === 0) return;
    const hour = this.list[index]!;
    this.list[index] = this.list[0]!;
    this.list[0] = hour;
  }

  /** Remembers the time at the start of `text`, to compare later times of its hour with it. */
  learn(text: string, part: TimePart): Hour {
    const { stamp, minute, length } = part;
    const { offset, name } = stamp!;
    const hour = this.#hourOf(text.slice(0, minute!.from), part);
    const gap = text.slice(minute!.end, length);
    const literal = new Literal(gap);
    const words = wordsIn(text.slice(0, length)) - minute!.end;
    if (!hour.gaps.some((gap) => isEqual(gap.literal.bytes, literal.bytes))) {
      // A word behind the gap is not part of the gap.
      const isNamed = name !== undefined && gap.replace(BEFORE_NAME, "").startsWith(name);
      hour.gaps.unshift({ literal, words, offset, name: isNamed ? name : undefined });
      if (hour.gaps.length > GAPS) hour.gaps.pop();
    }
    return hour;
  }

  #hourOf(text: string, part: TimePart): Hour {
    const hours = this.list;
    const literal = new Literal(text);
    // The year, and the half of the day, may stand behind the second.
    const { year, hour } = part.stamp!;
    const known = hours.find(({ literal: other, part: { stamp } }) =>
      isEqual(other.bytes, literal.bytes) && stamp!.year === year && stamp!.hour === hour
    );
    if (known) return known;
    const times = new DayResolver(this.#reference);
    times.begin(part.stamp!);
    times.resolve(0, 0, 0, part.stamp!);
    const exists = !Number.isNaN(times.time);
    const made = { literal, part, gaps: [], times, exists, mayBeMessage: this.#mayBegin(text) };
    hours.unshift(made);
    if (hours.length > HOURS) hours.pop();
    return made;
  }
}

/** Returns where words behind the clock of a time begin; -1 if there are none. */
export function wordsIn(time: string): number {
  return BEFORE_WORDS.exec(time)?.[0].length ?? -1;
}

/** Returns the gap at `at`, unless the text behind may belong to it; null: none. */
export function gapAt({ gaps }: Hour, bytes: Bytes, at: number, to: number): Gap | null {
  for (let i = 0; i < gaps.length; i++) {
    const gap = gaps[i]!;
    const end = at + gap.literal.length;
    if (end < to && gap.literal.isAt(bytes, at) && !mayContinueGap(bytes, end)) return gap;
  }
  return null;
}

const STREAM = new Literal("std");
/** By byte: 1 if it belongs to the gap before it. */
const OF_GAP = Uint8Array.from({ length: 256 }, (_, byte) => {
  const isOther = byte <= SPACE || byte >= DELETE;
  return isOther || "[+-:".includes(String.fromCharCode(byte)) ? 1 : 0;
});

/**
 * Reports whether the text at `at` may belong to the gap before it: a zone, a year, a half of a day,
 * a stream.
 */
function mayContinueGap(bytes: Bytes, at: number): boolean {
  const { array } = bytes;
  const first = array[at]!;
  if (OF_GAP[first] === 1) return true;
  if (isUpper(first)) {
    let end = at + 1;
    while (isUpper(array[end]!)) end++;
    return end - at <= 5 && !isLower(array[end]!);
  }
  if (isDigit(first)) return endOfDigits(array, at) === at + 4;
  if (first === LOWER_A || first === LOWER_P) return array[at + 1] === LOWER_M || array[at + 1] === POINT;
  return STREAM.isAt(bytes, at);
}
