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
 * | `<USER>` | text that a stranger chose, up to the text behind it, which must contain a blank |
 * | `<TEXT>` | the same, but not the user's name |
 * | `<REST>` | the rest, perhaps nothing; `<REST WITHOUT xyz>`: if it has no x, y or z |
 * | `<PORT>`, `<NUMBER>` | one to five digits; digits |
 * | `<WORD>`, `<METHOD>` | letters, digits and `_`; also `/`, `.`, `@` and `-` |
 * | `<WORDS>` | words with blanks between them |
 * | `<TOKEN>`, `<BLANKS>` | anything but blanks; blanks |
 *
 * `<WORD?>` may be empty, and so may all the others of the last four rows. They take as many
 * characters as possible; if the text behind one of the last three rows begins with a character of
 * its kind, the element ends where that text first occurs. `<USER>`, `<PORT>` and `<METHOD>` become
 * the fields `user`, `port` and `method` if the service has these fields.
 *
 * `<USER>` may contain anything, even the text behind it. The template must fit the whole message,
 * and the service wrote the last place where everything behind `<USER>` fits. If `<ADDR>` and then
 * `<REST>` follow, nobody can tell:
 * `Failed none for x from 192.0.2.1 port 1 ssh2: from 192.0.2.2 port 2 ssh2` could be about either
 * address. Such a message names nobody.
 */
export interface Template {
  /** For tests and messages. */
  readonly name: string;
  readonly text: string;
  /**
   * Statement of the messages about a session; the default is none. If the template has a `<PORT>`,
   * only a message with a port ends a connection.
   */
  readonly says?: Says;
  /** How the messages count; the default is `EACH`. */
  readonly counting?: Counting;
  /**
   * After a message of the template `name` by the same process, a message is read as
   * `<text> ADDRESS port PORT`. So a rule with an older wording, which told everything in one
   * message, still finds it.
   */
  readonly after?: { readonly name: string; readonly text: string };
}

/** A fault in the wording of a template. The message names template, place and cause. */
export class TemplateError extends Error {}

/** Bytes that a run may contain, 1 for each. */
export type ByteSet = Uint8Array;

const FIGURES = "0123456789";
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const WORD = `${FIGURES}${LETTERS}_`;
const BLANKS = " \t\n\v\f\r";

/** Returns the set of some ASCII characters. */
function only(characters: string): ByteSet {
  const set = new Uint8Array(256);
  for (let i = 0; i < characters.length; i++) set[characters.charCodeAt(i)] = 1;
  return set;
}

/**
 * Returns the set of all bytes except some ASCII characters; it has all bytes of other characters.
 */
export function allBut(characters: string): ByteSet {
  return only(characters).map((isHeld) => 1 - isHeld);
}

/** Bytes of decimal digits. */
export const DIGITS = only(FIGURES);
/** Bytes of addresses and zones. */
export const ADDRESS_BYTES = only(`${WORD}:.%-`);

/** Bytes that the elements of the last four rows may contain. */
export const RUNS: Readonly<Record<string, ByteSet>> = {
  PORT: DIGITS,
  NUMBER: DIGITS,
  WORD: only(WORD),
  WORDS: only(`${WORD} `),
  METHOD: only(`${WORD}/.@-`),
  TOKEN: allBut(BLANKS),
  BLANKS: only(BLANKS),
};
