/**
 * The terminal: raw keys, the alternate screen, and changed lines. Restores the terminal however
 * the view ends; only after `kill -9` is reset(1) needed.
 */
import { pause } from "../../core/async.ts";
import { tried } from "../../core/error.ts";
import { type Line, lineWidth, sanitize, span, type Style, widthOf } from "./cell.ts";
import type { Size } from "./text.ts";

/** Enters the alternate screen, hides the cursor and stops wrapping lines. */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
/** Milliseconds that a terminal has to take the last bytes. */
const PATIENCE = 1_000;
const USUAL: Size = { columns: 80, rows: 24 };

const COLOURED: Readonly<Record<Style, string>> = {
  plain: "",
  dim: "2",
  bold: "1",
  title: "1;7",
  accent: "1;36",
  good: "32",
  warn: "33",
  bad: "31",
  selected: "7",
};
const MONOCHROME: Readonly<Record<Style, string>> = {
  ...COLOURED,
  accent: "1",
  good: "",
  warn: "1",
  bad: "1",
};

/** ASCII replacements of the view's own characters. */
const LIKENESS: Readonly<Record<string, string>> = { "…": "~", "·": "|", "⠶": "=", "⠆": "-" };

/** Abilities of the terminal. */
export interface Abilities {
  readonly hasColour: boolean;
  /** Write only ASCII. */
  readonly isAscii: boolean;
}

/** Returns a line as bytes for the terminal, with no control sequences but these. */
export function paint(line: Line, { hasColour, isAscii }: Abilities): string {
  const styles = hasColour ? COLOURED : MONOCHROME;
  let [painted, column] = ["", 1];
  for (const { text, style } of line) {
    const shown = sanitize(text);
    const code = styles[style];
    const words = isAscii ? ascii(shown) : shown;
    painted += code === "" ? words : `\x1b[${code}m${words}\x1b[0m`;
    column += widthOf(shown);
    // Terminals disagree about the width of some characters: fix the place of the following text.
    if (!isAscii && /[^ -~]/.test(shown)) painted += `\x1b[${column}G`;
  }
  return painted;
}

/** Returns text of the same width in ASCII; plots become bars of four heights. */
function ascii(text: string): string {
  return text.replace(/[^ -~]/gu, (character) => {
    const likeness = LIKENESS[character];
    if (likeness !== undefined) return likeness;
    const dots = character.codePointAt(0)! - 0x2800;
    return dots >= 0 && dots < 256 ? barOf(dots) : "?".repeat(widthOf(character));
  });
}

function barOf(dots: number): string {
  const height = Math.max(
    ...[0x47, 0xb8].map((half) => (dots & half).toString(2).replaceAll("0", "").length),
  );
  return " .:|#"[height]!;
}

/** This process's terminal, from `enter()` to `leave()`. */
export class Terminal {
  readonly #abilities: Abilities;
  readonly #encoder = new TextEncoder();
  /** Line shown in each row. */
  #shown: string[] = [];
  #size = "";
  #isEntered = false;

  constructor(abilities: Abilities) {
    this.#abilities = abilities;
  }

  /** Returns the current columns and rows. */
  size(): Size {
    const size = tried(() => Deno.consoleSize());
    return size !== null && size.columns > 0 && size.rows > 0 ? size : USUAL;
  }

  async enter(): Promise<void> {
    Deno.stdin.setRaw(true);
    this.#isEntered = true;
    this.#shown = [];
    await this.#write(ENTER);
  }

  /** Restores the terminal. Throws nothing: it may be gone. */
  async leave(): Promise<void> {
    if (!this.#isEntered) return;
    this.#isEntered = false;
    try {
      Deno.stdin.setRaw(false);
      await Promise.race([this.#write(LEAVE), pause(PATIENCE)]);
    } catch {
      // The terminal is gone.
    }
  }

  /** Makes the next `show()` write all lines. */
  forget(): void {
    this.#shown = [];
  }

  /** Writes the lines that changed. */
  async show(lines: readonly Line[], { columns, rows }: Size): Promise<void> {
    const size = `${columns}x${rows}`;
    const isNew = size !== this.#size || this.#shown.length === 0;
    if (isNew) this.#shown = [];
    this.#size = size;
    const painted = lines.map((line) => {
      const isShort = lineWidth(line) < columns;
      return paint(isShort ? line : [...line, span("")], this.#abilities) + (isShort ? "\x1b[K" : "");
    });
    const changed = painted.flatMap((line, row) =>
      line === this.#shown[row] ? [] : [`\x1b[${row + 1};1H${line}`]
    );
    if (changed.length > 0) await this.#write((isNew ? "\x1b[0m\x1b[2J" : "") + changed.join(""));
    this.#shown = painted;
  }

  async #write(text: string): Promise<void> {
    const bytes = this.#encoder.encode(text);
    for (let sent = 0; sent < bytes.length;) sent += await Deno.stdout.write(bytes.subarray(sent));
  }
}
