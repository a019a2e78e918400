/** Parsers of messages by patterns. They name nobody if several places fit for the address. */
import type { AST } from "@eslint-community/regexpp";
import type { Stamp } from "../../lib/core/stamp.ts";
import { readTime } from "../../lib/core/timestamp.ts";
import { timeOfLine } from "../../lib/reading/line_time.ts";
import type { TextParser } from "../../lib/reading/text_reader.ts";
import { ADDRESS, addressOf, type Port, wholeAddress } from "./address.ts";
import { hasField, isForwarded, isOwnTime, raw } from "./elements.ts";

/** Returns the source of the elements before the address. `$own` ends at the first field. */
export function sourceBefore(elements: readonly AST.Element[]): string {
  const field = elements.findIndex(hasField);
  const end = field < 0 ? elements.length : field;
  return `(?<$own>${raw(elements.slice(0, end))})${raw(elements.slice(end))}`;
}

/** Returns an expression whose group `$before` ends where the address begins. */
export function placed(before: string, after: string): string {
  return `(?<$before>${before})${ADDRESS}${after}`;
}

/** Elements on one side of the address, and how to widen them. */
interface Widening {
  /** `.*` finds the last possible place of the address, and `.*?` the first. */
  readonly free: ".*" | ".*?";
  readonly side: "before" | "after";
  readonly isOpen: (element: AST.Element) => boolean;
}

/** Puts `free` in place of each element that an attacker's text could fill. */
export function widen(elements: readonly AST.Element[], { free, side, isOpen }: Widening): string {
  return elements.map((element) => {
    if (isForwarded(element)) return `(?<forwarded_for>${free})`;
    if (isOwnTime(element)) return `(?<$time>${free})`;
    return isOpen(element) ? widenGroup(element, { free, side, isOpen }) ?? free : element.raw;
  }).join("");
}

/**
 * Widens a group, perhaps an optional one, up to the fixed text at its end beside the address:
 * `(?:@\S+ )?` becomes `(?:.* )?`. Otherwise the address could begin within the true one. Null if
 * the element is no group, or if its text there is not fixed.
 */
function widenGroup(element: AST.Element, { free, side, isOpen }: Widening): string | null {
  const isOptional = element.type === "Quantifier" && element.min === 0 && element.max === 1;
  const group = isOptional ? element.element : element;
  if (group.type !== "Group") return null;
  const edges = group.alternatives.map(({ elements }) => elements.at(side === "before" ? -1 : 0));
  if (!edges.every((edge) => edge !== undefined && isCharacter(edge) && !isOpen(edge))) return null;
  const edge = `(?:${edges.map((edge) => edge!.raw).join("|")})`;
  const text = side === "before" ? free + edge : edge + free;
  return `(?:${text})${isOptional ? free.replace(".*", "?") : ""}`;
}

function isCharacter({ type }: AST.Element): boolean {
  return type === "Character" || type === "CharacterClass" || type === "CharacterSet";
}

/**
 * Makes a parser for `source`. The parser names nobody if one of the `wider` expressions finds the
 * address in another place, as an attacker may have written it. If one finds another
 * `forwarded_for`, that field is empty; if one finds another time, the time is ignored. A time
 * behind a level counts only in the group `$own`: in a field it may be a stranger's.
 *
 * @param isTimed whether a message may begin with a time
 */
export function parserOf(
  { source, wider, port, isTimed }: {
    source: string;
    wider: readonly string[];
    port: Port;
    isTimed: boolean;
  },
): TextParser {
  // V8 falls back to its linear engine with this flag, but not with `i` or `u`.
  const expression = new RegExp(source, "s");
  const others = wider.map((source) => new RegExp(source, "s"));
  return (message) => {
    const groups: Groups | undefined = expression.exec(message)?.groups;
    if (!groups) return null;
    const { address, $before: before, $own: own, $time: time, ...fields } = groups;
    const found = others.map((other) => other.exec(message)!.groups as Groups);
    const isSure = found.every(({ $before }) => $before!.length === before!.length);
    if (found.some(({ forwarded_for: other }) => other !== fields.forwarded_for)) fields.forwarded_for = "";
    const isSureTime = found.every(({ $time }) => $time === time);
    const whole = () =>
      before === undefined
        ? addressOf(address!)
        : wholeAddress(address!, { rest: message.slice(before.length + address!.length), port });
    return {
      address: address !== undefined && isSure ? whole() : null,
      fields: given(fields),
      stamp: (isSureTime ? stampOf(time) : null) ?? (isTimed ? timeOfLine(message, own?.length ?? 0) : null),
    };
  };
}

/** Reads the time in a group's text. */
function stampOf(text = ""): Stamp | null {
  return readTime(text)?.stamp ?? null;
}

type Groups = Record<string, string | undefined>;

function given(groups: Groups): Record<string, string> {
  return Object.fromEntries(
    Object.entries(groups).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
