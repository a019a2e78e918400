import type { LogEvent } from "../reading/module.ts";
import { detached } from "../core/text.ts";
import type { Texts } from "./texts.ts";

/** What of an event the rules look at. */
export type Subject = Pick<LogEvent, "message" | "fields">;

/** A field's text; null where the event has none. */
export function textOf({ message, fields }: Subject, field: string): string | null {
  const text: unknown = field === "message" ? message : fields[field];
  return typeof text === "string" ? text : null;
}

/** Looks at one thing of an event. */
export interface View {
  /** The signs that it sees, perhaps more than once; good until the next call. */
  look(event: Subject): readonly number[];
}

const NOTHING: readonly number[] = [];

/** The statuses that rules ask for. */
export class StatusView implements View {
  readonly #signs: ReadonlyMap<string, readonly number[]>;

  constructor(signs: ReadonlyMap<string, readonly number[]>) {
    this.#signs = signs;
  }

  look({ fields: { status } }: Subject): readonly number[] {
    return status === undefined ? NOTHING : this.#signs.get(status) ?? NOTHING;
  }
}

/** Characters of texts that are worth remembering, from and up to. */
const [LONG, LONGEST] = [48, 512];
/** Long texts that are remembered. */
const TEXTS = 1_024;

/** All that is sought in one field at one kind of place. */
export class TextView implements View {
  readonly #texts: Texts;
  readonly #field: string;
  readonly #ignoreCase: boolean;
  /** Sign of the first text; the others follow. */
  readonly #first: number;
  readonly #found: number[] = [];
  /** What was found in long texts lately: many clients name themselves alike, and at length. */
  readonly #known = new Map<string, readonly number[]>();

  constructor(
    texts: Texts,
    { field, ignoreCase, first }: { field: string; ignoreCase: boolean; first: number },
  ) {
    this.#texts = texts;
    this.#field = field;
    this.#ignoreCase = ignoreCase;
    this.#first = first;
  }

  look(event: Subject): readonly number[] {
    const text = textOf(event, this.#field);
    if (text === null) return NOTHING;
    if (text.length < LONG || text === event.message) return this.#seek(text);
    return this.#known.get(text) ?? this.#remember(text);
  }

  #remember(text: string): readonly number[] {
    const found = [...new Set(this.#seek(text))];
    if (this.#known.size >= TEXTS) this.#known.clear();
    if (text.length <= LONGEST) this.#known.set(detached(text), found);
    return found;
  }

  #seek(text: string): readonly number[] {
    const found = this.#found;
    found.length = 0;
    this.#texts.find(this.#ignoreCase ? text.toLowerCase() : text, found);
    for (let i = 0; i < found.length; i++) found[i]! += this.#first;
    return found;
  }
}
