import { CARRIAGE_RETURN, COLON, HASH, LINE_FEED, POINT, SLASH, SPACE, TAB, ZERO } from "../core/ascii.ts";
import { ADDRESS_WORDS } from "../core/address.ts";
import { AddressReader } from "../core/address_reader.ts";
import { finish } from "../core/async.ts";
import { type Bytes, decode, isDigit, makeBytes } from "../core/bytes.ts";
import { messageOf, UserError } from "../core/error.ts";
import { lookAt } from "../core/file_identity.ts";
import { NetworkSetBuilder } from "../core/network_set.ts";
import { counted } from "../core/text.ts";
import type { Micros } from "../core/time.ts";
import type { BuildTarget } from "./build_hint.ts";
import { openFile, type Wanted } from "./file.ts";
import { isWide, longestOfEach, readLine, type WhitelistMember } from "./whitelist.ts";
import { NO_CONTENT, type WhitelistContent } from "./whitelist_content.ts";

/** Largest file, in bytes: a million IPv6 addresses with a short note each. */
const MAX_FILE = 1 << 26;
/** Bytes read in one step, and the longest part of a line that is read. */
const STEP = 1 << 16;
/** Most wrong lines and wide networks that are reported of a file. */
const MOST = 20;
/** Prefix length below which a network may be wide, see `isWide()`. */
const MAY_BE_WIDE = 16;

/** The result of reading a whitelist file. */
export interface WhitelistReading {
  /** Changes when the file changes; null if the file could not be examined. */
  readonly stamp: string | null;
  readonly content: WhitelistContent;
  /** Why the file could not be read, as a sentence; null: it was read. */
  readonly error: string | null;
}

/** A whitelist file, which is read when its content is needed. */
export interface WhitelistFile {
  /** Absolute path. */
  readonly path: string;
  /** Reads the file once; later calls return the same content. */
  read(): WhitelistReading;
  /** Reads the file again, in steps of a millisecond. */
  steps(): Generator<void, WhitelistReading>;
  /** Returns why the file cannot be opened; null: it can. */
  problem(): string | null;
  /** Reads the entries of the file with their notes. */
  members(): Iterable<WhitelistMember>;
}

/** Makes the whitelist file `path` of a configuration; reads nothing yet. */
export function whitelistFile(path: string, target: BuildTarget): WhitelistFile {
  const wanted = { path, what: "the whitelist file", most: MAX_FILE, target };
  let known: WhitelistReading | null = null;
  return {
    path,
    read: () => known ??= finish(readInSteps(wanted)),
    steps: () => readInSteps(wanted),
    problem() {
      try {
        openFile(wanted).close();
        return null;
      } catch (error) {
        return messageOf(error);
      }
    },
    *members() {
      const members: WhitelistMember[] = [];
      const visit = (bytes: Bytes, from: number, to: number) => {
        const member = readLine(decode(bytes, from, to));
        if (typeof member === "object" && member !== null) members.push(member);
      };
      for (const _ of linesOf(wanted, visit)) yield* members.splice(0);
      yield* members;
    },
  };
}

/** Changes when the file `path` is written, replaced or removed; null if it cannot be examined. */
export function whitelistStamp(path: string): string | null {
  const info = lookAt(path);
  return info && [info.mtime?.getTime(), info.ctime?.getTime(), info.size, info.dev, info.ino].join();
}

/**
 * Returns why a monitor must not start with `whitelist`: it could ban somebody on an unread file.
 * Null if every file can be opened, or is known from before.
 */
export function whitelistProblem(
  { files }: { readonly files: readonly WhitelistFile[] },
  isKnown: (path: string) => boolean = () => false,
): UserError | null {
  const errors = files.flatMap((file) => {
    const problem = file.problem();
    return problem === null || isKnown(file.path) ? [] : problem;
  });
  return errors.length === 0 ? null : new UserError(errors, 78);
}

/** Reads a file step by step. Never throws: an unreadable one has an `error` and no content. */
function* readInSteps(wanted: Wanted): Generator<void, WhitelistReading> {
  // Take the stamp first: a change while the file is being read then shows at the next look.
  const stamp = whitelistStamp(wanted.path);
  try {
    const gatherer = new Gatherer(wanted.path);
    yield* linesOf(wanted, (bytes, from, to, line) => gatherer.add(bytes, { from, to, line }));
    return { stamp, content: yield* gatherer.build(), error: null };
  } catch (error) {
    return { stamp, content: NO_CONTENT, error: messageOf(error) };
  }
}

/** Calls `visit` with each line of a file, without its end, and of a longer one with its start. */
function* linesOf(
  wanted: Wanted,
  visit: (bytes: Bytes, from: number, to: number, line: number) => void,
): Generator<void> {
  using file = openFile(wanted);
  const bytes = makeBytes(STEP);
  const { array } = bytes;
  let [kept, line, isTooLong] = [0, 1, false];
  const take = (from: number, to: number) => {
    if (!isTooLong) visit(bytes, from, to > from && array[to - 1] === CARRIAGE_RETURN ? to - 1 : to, line);
  };
  for (;;) {
    const count = file.readSync(array.subarray(kept, STEP));
    const end = kept + (count ?? 0);
    let from = 0;
    for (let to = array.indexOf(LINE_FEED); to >= 0 && to < end; to = array.indexOf(LINE_FEED, from)) {
      take(from, to);
      isTooLong = false;
      line++;
      from = to + 1;
    }
    if (count === null) return take(from, end);
    if (from === 0 && end === STEP) {
      take(from, end);
      isTooLong = true;
      from = end;
    }
    array.copyWithin(0, from, end);
    kept = end - from;
    yield;
  }
}

/** Collects the content of a file from its lines. */
class Gatherer {
  readonly #path: string;
  readonly #reader = new AddressReader();
  readonly #words = new Int32Array(ADDRESS_WORDS);
  readonly #networks = new Map<Micros | null, { builder: NetworkSetBuilder; count: number }>();
  readonly #names: WhitelistMember[] = [];
  readonly #wide: string[] = [];
  readonly #complaints: string[] = [];
  #entries = 0;
  #wrong = 0;

  constructor(path: string) {
    this.#path = path;
  }

  add(bytes: Bytes, { from, to, line }: { from: number; to: number; line: number }): void {
    const length = this.#readPlain(bytes, from, to);
    if (length >= 0) {
      const { w0, w1, w2, w3, isIPv6 } = this.#reader;
      const words = this.#words;
      [words[0], words[1], words[2], words[3]] = [w0, w1, w2, w3];
      this.#group(null).addWords(words, length, !isIPv6);
      this.#entries++;
    } else this.#addText(decode(bytes, from, to), line);
  }

  *build(): Generator<void, WhitelistContent> {
    const networks = [];
    for (const [until, { builder, count }] of this.#networks) {
      networks.push({ until, count, set: yield* builder.build() });
    }
    const rest = this.#wrong - this.#complaints.length;
    return {
      entries: this.#entries,
      networks,
      names: longestOfEach(this.#names),
      wide: this.#wide,
      complaints: rest > 0
        ? [...this.#complaints, `${this.#path}: ${counted(rest, "more line is", "more lines are")} wrong`]
        : this.#complaints,
    };
  }

  #addText(text: string, line: number): void {
    const member = readLine(line === 1 ? text.replace(/^\ufeff/, "") : text);
    if (member === null) return;
    if (typeof member === "string") {
      if (this.#wrong++ < MOST) this.#complaints.push(`${this.#path}:${line}: ${member}`);
      return;
    }
    this.#entries++;
    const { address, isName, until } = member;
    if (isName) return void this.#names.push(member);
    this.#group(until).add(address);
    if (isWide(address) && this.#wide.length < MOST) this.#wide.push(address);
  }

  #group(until: Micros | null): NetworkSetBuilder {
    const group = this.#networks.get(until) ?? { builder: new NetworkSetBuilder(), count: 0 };
    if (group.count++ === 0) this.#networks.set(until, group);
    return group.builder;
  }

  /**
   * Reads an address or a network that cannot be wide, perhaps with a comment: nearly all lines of
   * a long file. Returns the bits of its prefix like `putAddress()`; -1 for any other line.
   */
  #readPlain(bytes: Bytes, from: number, to: number): number {
    const { array } = bytes;
    const reader = this.#reader;
    const start = pastBlanks(array, from, to);
    let at = reader.read(bytes, start, to);
    if (!reader.isAddress || reader.hasZone) return -1;
    // An IPv4 address inside an IPv6 address has several spellings.
    for (let i = start; i < at; i++) if (array[i] === (reader.isIPv6 ? POINT : COLON)) return -1;
    const first = reader.isIPv6 ? 0 : 96;
    let bits = 128;
    if (at < to && array[at] === SLASH) {
      bits = first;
      const digits = ++at;
      for (; at < to && at - digits < 3 && isDigit(array[at]!); at++) {
        bits += (9 * (bits - first)) + array[at]! - ZERO;
      }
      if (at === digits || bits > 128 || bits - first < MAY_BE_WIDE) return -1;
    }
    const rest = pastBlanks(array, at, to);
    return rest === to || (array[rest] === HASH && at < to) ? bits : -1;
  }
}

function pastBlanks(array: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && (array[at] === SPACE || array[at] === TAB)) at++;
  return at;
}
