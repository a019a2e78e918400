import type { Counting, Says } from "./message_reader.ts";

/**
 * How a service words one kind of message, from its first byte to its last:
 *
 *     Failed <METHOD> for {invalid user |}<USER> from <ADDR> port <PORT> ssh2{: <REST>|}
 *
 * | in a template | stands for |
 * |---|---|
 * | text | itself |
 * | `{a|b|}` | the first of its ways that fits, here `a`, `b` or nothing |
 * | `<ADDR>` | the address that the service writes |
 * | `<USER>` | text of a stranger's choice, up to the text behind it, which must hold a blank |
 * | `<REST>` | all that is left, perhaps nothing; `<REST WITHOUT xyz>`: all that is left, if none of these characters is in it |
 * | `<PORT>`, `<NUMBER>` | one to five digits; digits |
 * | `<WORD>`, `<METHOD>` | letters, digits and `_`; also `/`, `.`, `@` and `-` |
 * | `<WORDS>` | words with blanks between them |
 * | `<TOKEN>`, `<BLANKS>` | anything but blanks; blanks |
 *
 * `<WORD?>` may be empty, and so may all the others of the last three rows. They take all that they
 * can; where the text behind them begins with a character of their own kind, they end where that
 * text first stands. `<USER>`, `<PORT>` and `<METHOD>` are kept as fields `user`, `port` and
 * `method` where the service has such fields.
 *
 * `<USER>` may hold anything, the text behind it included. The template must fit the whole message,
 * and the last place where all behind `<USER>` fits is the one that the service wrote. Where
 * `<ADDR>` and then `<REST>` follow, nobody can tell: `Failed none for x from 192.0.2.1 port 1
 * ssh2: from 192.0.2.2 port 2 ssh2` could be said of either address. Such a message names nobody.
 */
export interface Template {
  /** For tests and messages. */
  readonly name: string;
  readonly text: string;
  /**
   * What such messages say about sessions; without it nothing. Where the template has a `<PORT>`, a
   * connection ends only with a message that tells the port.
   */
  readonly says?: Says;
  /** How such messages count; each does unless told. */
  readonly counting?: Counting;
  /**
   * Behind a message of the template `name` by the same process, such a message means something
   * else: it is read as `<text> ADDRESS port PORT`. So a rule that seeks an older wording, which
   * told all in one message, goes on to find it.
   */
  readonly after?: { readonly name: string; readonly text: string };
}

/** A template is not written as it should be. The message tells template, place and cause. */
export class TemplateError extends Error {}

/** Bytes that a run may hold, 1 for each. */
export type ByteSet = Uint8Array;

const FIGURES = "0123456789";
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const WORD = `${FIGURES}${LETTERS}_`;
const BLANKS = " \t\n\v\f\r";

/** The set of some ASCII characters. */
function only(characters: string): ByteSet {
  const set = new Uint8Array(256);
  for (let i = 0; i < characters.length; i++) set[characters.charCodeAt(i)] = 1;
  return set;
}

/**
 * The set of all bytes but those of some ASCII characters; bytes of other characters are always in
 * it.
 */
export function allBut(characters: string): ByteSet {
  return only(characters).map((isHeld) => 1 - isHeld);
}

export const DIGITS = only(FIGURES);
/** Of addresses and zones. */
export const ADDRESS_BYTES = only(`${WORD}:.%-`);

/** What the elements of the last three rows may hold. */
export const RUNS: Readonly<Record<string, ByteSet>> = {
  PORT: DIGITS,
  NUMBER: DIGITS,
  WORD: only(WORD),
  WORDS: only(`${WORD} `),
  METHOD: only(`${WORD}/.@-`),
  TOKEN: allBut(BLANKS),
  BLANKS: only(BLANKS),
};
