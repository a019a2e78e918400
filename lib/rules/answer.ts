import { DASH } from "../core/ascii.ts";
import type { Micros } from "../core/time.ts";
import type { LogEvent } from "../reading/event.ts";
import type { MessageReader } from "../reading/message_reader.ts";
import { hashValue } from "./hash.ts";

/** First letters of methods that send nothing: GET, HEAD and OPTIONS. */
const [GET, HEAD, OPTIONS] = [71, 72, 79];
/** Letters of PUT. */
const [P, U, T] = [80, 85, 84];

const NONE = { array: new Uint8Array(0), from: 0, length: 0 };

/** Answer of a service to a request, as the current event tells of it. One object for all events. */
export class Answer {
  status = 0;
  time: Micros = 0;
  #reader!: MessageReader;
  /** Fields; -1: none. */
  readonly #user: number;
  readonly #method: number;
  readonly #path: number;

  /** @param fields of the module's messages */
  constructor(fields: readonly string[]) {
    this.#user = fields.indexOf("user");
    this.#method = fields.indexOf("method");
    this.#path = fields.indexOf("path");
  }

  /** Takes another event. Returns this. */
  of({ reader, time }: Pick<LogEvent, "reader" | "time">): this {
    this.#reader = reader;
    this.status = reader.status;
    this.time = time;
    return this;
  }

  /** Whether the request has a user's name; empty and `-` are no names in logs. */
  get isNamed(): boolean {
    const { array, from, length } = this.#valueOf(this.#user);
    return length > 1 || (length === 1 && array[from] !== DASH);
  }

  /** Whether the request sends something, as POST does. */
  get isForm(): boolean {
    const method = this.#methodLetter;
    return method > 0 && method !== GET && method !== HEAD && method !== OPTIONS;
  }

  /** Whether the request stores a file, by PUT. */
  get isStoring(): boolean {
    const { array, from, length } = this.#valueOf(this.#method);
    return length === 3 && array[from] === P && array[from + 1] === U && array[from + 2] === T;
  }

  /** Whether the request asks only what is allowed, as a browser does before a form of another site. */
  get isQuestion(): boolean {
    return this.#methodLetter === OPTIONS;
  }

  /** Returns a hash of the request's path; 0: it has none. */
  hashPath(seed: number): number {
    const { array, from, length } = this.#valueOf(this.#path);
    return length === 0 ? 0 : hashValue(seed, array, from, from + length);
  }

  /** First letter of the method; 0: there is none. */
  get #methodLetter(): number {
    const { array, from, length } = this.#valueOf(this.#method);
    return length > 0 ? array[from]! : 0;
  }

  #valueOf(field: number): { readonly array: Uint8Array; readonly from: number; readonly length: number } {
    const reader = this.#reader;
    if (field < 0 || reader.from[field]! < 0) return NONE;
    const { array } = reader.bytesOf(field);
    const from = reader.from[field]!;
    return { array, from, length: reader.to[field]! - from };
  }
}
