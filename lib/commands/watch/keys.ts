/** Reads keys from a terminal's bytes. Input: bytes as they arrive. Output: key names. Pure. */

/** A typed character, or the name of another key: `up`, `enter`, `escape`. */
export type Key = string;

/** Bytes behind ESC, by key: of xterm, its application mode, the Linux console and rxvt. */
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

/** A complete sequence. Modifiers (`ESC [ 1 ; 5 A`) are ignored. */
// deno-lint-ignore no-control-regex
const WHOLE = /^\x1b(?:\[([0-?]*)[ -/]*([@-~])|O([@-~]))/;
/** An incomplete sequence. */
// deno-lint-ignore no-control-regex
const BEGUN = /^\x1b(?:\[[0-?]*[ -/]*|O)?$/;
/** Longest wait for a sequence's end, in characters: no key is longer. */
const MOST = 32;

/** Reads keys. Sequences and characters may arrive in pieces. */
export class KeyReader {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** Returns the keys that these bytes complete. */
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

  /** Takes a begun sequence for the escape key, after a pause. */
  flush(): Key[] {
    const keys = this.#rest === "" ? [] : ["escape"];
    this.#rest = "";
    return keys;
  }
}

/** Returns the key at the start of `text`; null: bytes without meaning. */
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
