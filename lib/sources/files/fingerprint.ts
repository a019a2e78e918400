/**
 * Fingerprint of a file that is being read: its head, its trace, and the bytes just before the
 * place reached. It tells whether the file still has the part that was read.
 */
import { concatenated, isEqual } from "../../core/bytes.ts";
import type { Content } from "./content.ts";
import { continues, type Head, HEAD_SIZE, NO_HEAD, readBytes, readHead } from "./head.ts";
import { endAlike, extend, type Trace, traceBefore } from "./trace.ts";

/** Bytes that are compared before each read. */
const LAST_SIZE = 256;

/** Recognizes the part of a file that was read. */
export class Fingerprint {
  head: Head;
  trace: Trace;
  #last: Uint8Array = new Uint8Array();

  constructor(head: Head = NO_HEAD, trace: Trace = []) {
    this.head = head;
    this.trace = trace;
  }

  /** Reports whether an opened file has the part read until `reached`. Learns head and trace. */
  async recall(content: Content, reached: number): Promise<boolean> {
    if (!await continues(this.head, content)) return false;
    const head = await readHead(content, this.head.start);
    const trace = await traceBefore(content, reached);
    if (this.trace.length > 0 && !endAlike(this.trace, trace)) return false;
    [this.head, this.trace] = [head, trace];
    await this.skip(content, reached);
    return true;
  }

  /** Takes everything before another place as read. */
  async move(content: Content, reached: number): Promise<void> {
    this.trace = await traceBefore(content, reached);
    await this.skip(content, reached);
  }

  /** Reports whether the part read until `reached` is unchanged. Learns a growing head. */
  async matches(content: Content, reached: number): Promise<boolean> {
    let { head } = this;
    const { length } = this.#last;
    if (head.length < HEAD_SIZE || length < LAST_SIZE) {
      if (!await continues(head, content)) return false;
      head = await readHead(content, head.start);
    }
    const last = await readBytes(content, { from: reached - length, size: length });
    if (!isEqual(this.#last, last)) return false;
    this.head = head;
    return true;
  }

  /** Adds whole lines that were handed over. */
  addLines(lines: Uint8Array): void {
    this.trace = extend(this.trace, lines);
  }

  /** Adds bytes that were read. */
  add(bytes: Uint8Array): void {
    const more = bytes.subarray(-Math.min(bytes.length, LAST_SIZE));
    this.#last = concatenated([this.#last, more]).slice(-LAST_SIZE);
  }

  /** Passes over a hole that ends at `reached`. */
  async skip(content: Content, reached: number): Promise<void> {
    // Compressed content never changes, and going back in it would begin anew.
    const size = content.final ? 0 : Math.min(LAST_SIZE, reached);
    this.#last = await readBytes(content, { from: reached - size, size });
  }
}
