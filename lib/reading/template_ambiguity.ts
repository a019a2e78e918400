import { ADDRESS_BYTES, type ByteSet } from "./template.ts";
import type { Node } from "./template_node.ts";

/**
 * Reports whether everything behind a stranger's text may fit at two places of a message, if the
 * first fit takes no `<REST>`. Most templates exclude that; then nothing has to search for the text
 * again, which would take half of the time.
 *
 * No element but `<REST>` contains a blank here, so each way through the template is a row of
 * words:
 *
 *     ‹USER› from ‹ADDR›{ port ‹PORT›|}     from A | from A port P
 *
 * A second, later fit would be a row equal to the end of a first one: `from A` equal to `port P`,
 * the end of `from A port P`. As "from" is not "port", that is impossible. (A row of as many words
 * would have to begin in the same word, and so at the same place.)
 */
export function mayFitTwice(stranger: Node & { kind: "stranger" }): boolean {
  const rows = rowsOf({ kind: "literal", text: stranger.end, next: stranger.next, other: null });
  return rows.some((first) => !first.isOpen && rows.some((second) => mayEndWith(first, second)));
}

/** The texts and sets of bytes of a word. */
type Word = readonly (string | ByteSet)[];

interface Row {
  readonly words: readonly Word[];
  /** Anything may follow the last word, and be part of it. */
  readonly isOpen: boolean;
}

/** Returns the rows of words of all ways from a node. */
function rowsOf(node: Node): Row[] {
  switch (node.kind) {
    case "literal": {
      const others = node.other === null ? [] : rowsOf(node.other);
      return [...rowsOf(node.next).map((row) => before(node.text, row)), ...others];
    }
    case "choice":
      return [...rowsOf(node.next), ...rowsOf(node.other)];
    case "address":
      return rowsOf(node.next).map((row) => before(ADDRESS_BYTES, row));
    case "run":
      return rowsOf(node.next).map((row) => before(node.set, row));
    case "end":
      return [{ words: [[]], isOpen: false }];
    default:
      return [{ words: [[]], isOpen: true }];
  }
}

/** Returns the row with a text or a set before it. */
function before(piece: string | ByteSet, { words: [first = [], ...others], isOpen }: Row): Row {
  if (typeof piece !== "string") return { words: [[piece, ...first], ...others], isOpen };
  const pieces = piece.split(" ");
  const last = pieces.pop()!;
  return { words: [...pieces.map((text) => [text]), [last, ...first], ...others], isOpen };
}

/** Reports whether a later part of `first` may be a fit of `second`. In doubt it may. */
function mayEndWith(first: Row, second: Row): boolean {
  for (let skipped = 1; skipped < first.words.length; skipped++) {
    const end = first.words.slice(skipped);
    const isAsLong = second.isOpen ? end.length >= second.words.length : end.length === second.words.length;
    // The first word may begin within a word, and an open row's last word may go on.
    const compared = second.words.slice(0, second.isOpen ? -1 : undefined);
    if (
      isAsLong && compared.every((word, i) => i === 0 ? mayEndAs(end[0]!, word) : mayBeOne(end[i]!, word))
    ) {
      return true;
    }
  }
  return false;
}

/** Reports whether a word may be the end of another one. */
function mayEndAs(one: Word, end: Word): boolean {
  const [a, b] = [textOf(one), textOf(end)];
  return b === null || (a === null ? mayContain(one, b) : a.endsWith(b));
}

/** Reports whether two words may be the same text. */
function mayBeOne(one: Word, other: Word): boolean {
  const [a, b] = [textOf(one), textOf(other)];
  if (a !== null && b !== null) return a === b;
  if (a === null && b === null) return true;
  return a === null ? mayContain(one, b!) : mayContain(other, a);
}

/** Returns the text of a word without sets; null if it has some. */
function textOf(word: Word): string | null {
  return word.every((piece) => typeof piece === "string") ? word.join("") : null;
}

/** Reports whether a word may contain every byte of a text. */
function mayContain(word: Word, text: string): boolean {
  return [...new TextEncoder().encode(text)].every((byte) =>
    word.some((piece) =>
      typeof piece === "string" ? piece.includes(String.fromCharCode(byte)) : piece[byte] === 1
    )
  );
}
