/** Keys out of the bytes that a terminal sends. Comes in: bytes as they arrive. Goes out: keys by name. Pure. */

/** A character that was typed, or a word for a key without one: `up`, `enter`, `escape`. */
export type Key = string;

/** What follows ESC, by key: of xterm, of its application mode, of the Linux console and of rxvt. */
const SEQUENCES: Readonly<Record<string, Key>> = {
  "[A": "up",
  "[B": "down",
  "[C": "right",
  "[D": "left",
  "[H": "home",
  "[F": "end",
  "OA": "up",
  "OB": "down",
  "OC": "right",
  "OD": "left",
  "OH": "home",
  "OF": "end",
  "OM": "enter",
  "[Z": "backtab",
  "[1~": "home",
  "[3~": "delete",
  "[4~": "end",
  "[5~": "pageup",
  "[6~": "pagedown",
  "[7~": "home",
  "[8~": "end",
};

const CONTROLS: Readonly<Record<string, Key>> = {
  "\x01": "home",
  "\x03": "interrupt",
  "\x05": "end",
  "\b": "backspace",
  "\t": "tab",
  "\n": "enter",
  "\f": "redraw",
  "\r": "enter",
  "\x15": "clear",
  "\x7f": "backspace",
};

/** A whole sequence; of one with modifiers (`ESC [ 1 ; 5 A`) the key alone counts. */
// deno-lint-ignore no-control-regex
const WHOLE = /^\x1b(?:\[([0-?]*)[ -/]*([@-~])|O([@-~]))/;
/** A sequence whose end has not come. */
// deno-lint-ignore no-control-regex
const BEGUN = /^\x1b(?:\[[0-?]*[ -/]*|O)?$/;
/** Longer than any key's: it is no key, and its end is not waited for. */
const MOST = 32;

/** Reads keys. Sequences and characters may come in pieces. */
export class KeyReader {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** The keys that are complete with these bytes. */
  read(bytes: Uint8Array): Key[] {
    const keys: Key[] = [];
    let text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    while (text !== "" && !(BEGUN.test(text) && text.length < MOST)) {
      const { key, length } = first(text);
      if (key !== null) keys.push(key);
      text = text.slice(length);
    }
    this.#rest = text;
    return keys;
  }

  /** Reports whether a sequence has begun, which may be the escape key alone. */
  get isWaiting(): boolean {
    return this.#rest !== "";
  }

  /** Takes what has begun for the escape key: nothing more has come for a while. */
  flush(): Key[] {
    const keys = this.#rest === "" ? [] : ["escape"];
    this.#rest = "";
    return keys;
  }
}

/** The key that `text` begins with; null for what means nothing. */
function first(text: string): { key: Key | null; length: number } {
  const match = WHOLE.exec(text);
  if (match) {
    const [all, values = "", final, application] = match;
    const isTilde = final === "~";
    const name = application !== undefined
      ? `O${application}`
      : `[${isTilde ? values.split(";")[0] : ""}${final}`;
    return { key: SEQUENCES[name] ?? null, length: all.length };
  }
  const character = String.fromCodePoint(text.codePointAt(0)!);
  if (character === "\x1b") return { key: "escape", length: 1 };
  if (character in CONTROLS) return { key: CONTROLS[character]!, length: 1 };
  return { key: /\p{Cc}/u.test(character) ? null : character, length: character.length };
}
