import type { AST } from "@eslint-community/regexpp";
import { type Bytes, Literal } from "../lib/core/bytes.ts";
import { readTime, type Stamp, TIME_SOURCE } from "../lib/core/timestamp.ts";
import { timeOfLine } from "../lib/reading/line_time.ts";
import { parseExpression, whyNotLinear } from "../lib/reading/regex_safety.ts";
import { type ModuleKind, OptionError } from "../lib/reading/module.ts";
import { TextForm, type TextParser, type TextReading } from "../lib/reading/text_reader.ts";
import { ADDRESS, addressOf, type Port, portOf, wholeAddress } from "./pattern_address.ts";
import { isBlindToIPv6 } from "./pattern_sample.ts";
import { behindProxies } from "./proxies.ts";

const PLACE = "<ADDR>";
const ADDRESS_CHARACTERS = [..."0123456789ABCDEFabcdef:."];
/** Stands for a time, or names a group whose text is one. */
const TIMES = /(\(\?)?<TIME>/g;
const TIME = `(?<$time>${TIME_SOURCE})`;
/** Names of groups that `<ADDR>` and `<TIME>` make themselves. */
const OWN_GROUP = /\(\?<(address|\$before|\$time)>/;

/**
 * Services that a configuration describes itself, by patterns: regular expressions in which
 * `<ADDR>` stands for the address, and `<TIME>` for a time.
 */
export const pattern: ModuleKind = {
  name: "",
  match: { identifiers: [], units: [], files: [] },
  options: ["patterns", "unsafe", "trustedProxies"],
  mayNameProxies: false,
  form({ patterns, unsafe, trustedProxies }) {
    const compiled = patterns.map((source, index) =>
      compile(source, { unsafe, index, isProxied: (trustedProxies ?? []).length > 0 })
    );
    const fields = patterns.flatMap((source) =>
      [...source.matchAll(/\(\?<(?!TIME>)([A-Za-z_]\w*)>/g)].map(([, name]) => name!)
    );
    const prefixes = compiled.map(({ prefix }) => prefix);
    const form = new TextForm({
      fields,
      parse: (message) => firstOf(compiled, message),
      isPossible: (bytes, from, to) => prefixes.some((prefix) => startsWith(prefix, bytes, from, to)),
      warnings: () =>
        patterns.filter((_, i) => isBlindToIPv6(compiled[i]!.tree, compiled[i]!.parse)).map((source) =>
          `its pattern ${cut(source)} never names an IPv6 address: whoever comes by IPv6 is not counted`
        ),
    });
    return behindProxies(form, trustedProxies);
  },
};

/** A pattern that is ready to read messages. */
interface Compiled {
  readonly parse: TextParser;
  readonly tree: AST.Pattern;
  /** Fixed text that all messages of the pattern begin with: others need not be decoded. */
  readonly prefix: Literal;
}

function cut(source: string): string {
  return source.length > 60 ? `${source.slice(0, 60)}…` : source;
}

function firstOf(compiled: readonly Compiled[], message: string): TextReading | null {
  for (const { parse } of compiled) {
    const reading = parse(message);
    if (reading !== null) return reading;
  }
  return null;
}

function startsWith(prefix: Literal, bytes: Bytes, from: number, to: number): boolean {
  return from + prefix.length <= to && prefix.isAt(bytes, from);
}

interface Use {
  readonly unsafe: boolean;
  readonly index: number;
  /** Whether the field `forwarded_for` decides who is named. */
  readonly isProxied: boolean;
}

/**
 * Compiles a pattern. Throws `OptionError` if an attacker could make it name an address of his
 * choice or take very long.
 */
function compile(given: string, { unsafe, index, isProxied }: Use): Compiled {
  const refuse = (complaint: string): never => {
    throw new OptionError(complaint, "patterns", index);
  };
  if (given.split(PLACE).length !== 2) {
    refuse(`must hold ${PLACE} exactly once, where the service writes the address`);
  }
  const taken = OWN_GROUP.exec(given)?.[1];
  if (taken) {
    refuse(`must not name a group ${taken}: that is what ${taken === "$time" ? "<TIME>" : PLACE} makes`);
  }
  if ([...given.matchAll(TIMES)].length > 1) refuse("must hold <TIME> at most once");
  const source = given.replace(PLACE, () => ADDRESS).replace(
    TIMES,
    (_, isGroup?: string) => isGroup ? "(?<$time>" : TIME,
  );
  const tree = parseExpression(source);
  if (typeof tree === "string") return refuse(tree);
  const isTimed = !tree.alternatives.some(({ elements }) => beginsWithField(elements));
  if (unsafe) {
    return { parse: reader({ source, wider: [], port: "none", isTimed }), tree, prefix: new Literal("") };
  }
  const slow = whyNotLinear(source);
  const why = slow === null ? whyUnsure(tree, isProxied) : `${slow}, so that some lines could take very long`;
  if (why !== null) refuse(why);
  const { elements } = tree.alternatives[0]!;
  const at = elements.findIndex(isAddress);
  const [before, after] = [elements.slice(0, at), elements.slice(at + 1)];
  const isOpen = (element: AST.Element) =>
    !isTime(element) && (isFree(element) || hasField(element) || isOwnTime(element));
  const widened = (free: string) =>
    placed(
      widen(before, { free, isOpen }),
      widen(after, { free, isOpen: (one) => !isTime(one) && isFree(one) }),
    );
  const parse = reader({
    source: placed(raw(before), raw(after)),
    wider: before.some(isOpen) || isProxied || after.some(isAnyTime) ? [widened(".*"), widened(".*?")] : [],
    port: portOf(after),
    isTimed,
  });
  return { parse, tree, prefix: prefixOf(before) };
}

/** The ASCII characters that follow the `^` of an expression. */
function prefixOf([, ...elements]: readonly AST.Element[]): Literal {
  const end = elements.findIndex((element) => element.type !== "Character" || element.value > 127);
  const characters = elements.slice(0, end < 0 ? elements.length : end) as AST.Character[];
  return new Literal(String.fromCharCode(...characters.map(({ value }) => value)));
}

/**
 * Why an expression may name an address that the service did not write; null: it names the
 * service's address or nobody.
 */
function whyUnsure({ alternatives }: AST.Pattern, isProxied: boolean): string | null {
  const [{ elements }, ...others] = alternatives as [AST.Alternative, ...AST.Alternative[]];
  if (others.length > 0 || elements[0]?.type !== "Assertion" || elements[0].kind !== "start") {
    return `must begin with ^ for all of it: otherwise an attacker's text could stand where ${PLACE} is sought`;
  }
  const at = elements.findIndex(isAddress);
  if (at < 0) return `must hold ${PLACE} outside of groups, so that it can be neither missing nor repeated`;
  if (endOf(elements.slice(0, at)) === "free") {
    return `must have fixed text right before ${PLACE}: what stands there could be an attacker's`;
  }
  if (isProxied && raw(elements).includes("(?<forwarded_for>") && !elements.some(isForwarded)) {
    return "must hold the group forwarded_for outside of others, so that it cannot be missing";
  }
  return null;
}

function isAddress(element: AST.Element): boolean {
  return element.type === "CapturingGroup" && element.name === "address";
}

function isForwarded(element: AST.Element): boolean {
  return element.type === "CapturingGroup" && element.name === "forwarded_for";
}

function isAnyTime(element: AST.Element): boolean {
  return element.type === "CapturingGroup" && element.name === "$time";
}

/** Whether an element is what `<TIME>` stands for: no text of a stranger's fits but a time. */
function isTime(element: AST.Element): boolean {
  return element.raw === TIME;
}

/** Whether an element is a group of the configuration's own, whose text is to be a time. */
function isOwnTime(element: AST.Element): boolean {
  return isAnyTime(element) && !isTime(element);
}

/** Whether a message may begin with a field: then a time at its beginning may be a stranger's. */
function beginsWithField(elements: readonly AST.Element[]): boolean {
  const texts = elements.filter(({ type }) => type !== "Assertion");
  const first = texts.findIndex((element) => element.type !== "Quantifier" || element.min > 0);
  return texts.slice(0, first + 1).some((element) => !isAddress(element) && hasField(element));
}

/**
 * The last character of a text: written by the service, or perhaps by an attacker or part of the
 * address, or there is none.
 */
type End = "fixed" | "free" | "empty";

function endOf(elements: readonly AST.Element[]): End {
  return elements.map(endOfElement).findLast((end) => end !== "empty") ?? "empty";
}

function endOfElement(element: AST.Element): End {
  switch (element.type) {
    case "Assertion":
      return "empty";
    case "Quantifier":
      return endOfRepeated(element);
    case "Group":
    case "CapturingGroup":
      return worst(element.alternatives.map(({ elements }) => endOf(elements)));
    case "Character":
      return "fixed";
    default:
      return mayBeOfAddress(element) ? "free" : "fixed";
  }
}

/**
 * The end of an element that may be repeated; "empty" if it may be missing, so that `endOf()` looks
 * at the element before.
 */
function endOfRepeated({ element, min, max }: AST.Quantifier): End {
  const isText = element.type === "Group" || element.type === "CapturingGroup";
  if (isText ? max > 1 || endOfElement(element) === "free" : mayBeOfAddress(element)) return "free";
  return min > 0 ? endOfElement(element) : "empty";
}

function worst(ends: readonly End[]): End {
  return ends.find((end) => end === "free") ?? ends.find((end) => end === "empty") ?? "fixed";
}

/** Whether `element` matches a character of addresses. */
function mayBeOfAddress(element: AST.Element): boolean {
  const expression = new RegExp(`^(?:${element.raw})$`, "s");
  return ADDRESS_CHARACTERS.some((character) => expression.test(character));
}

/** An expression whose group `$before` ends where the address begins. */
function placed(before: string, after: string): string {
  return `(?<$before>${before})${ADDRESS}${after}`;
}

function raw(elements: readonly AST.Element[]): string {
  return elements.map((element) => element.raw).join("");
}

/**
 * Puts `free` in place of each element that an attacker's text could fill. `.*` then finds the last
 * place where the address could stand, and `.*?` the first.
 */
function widen(
  elements: readonly AST.Element[],
  { free, isOpen }: { free: string; isOpen: (element: AST.Element) => boolean },
): string {
  return elements.map((element) => {
    if (isForwarded(element)) return `(?<forwarded_for>${free})`;
    if (isOwnTime(element)) return `(?<$time>${free})`;
    return isOpen(element) ? free : element.raw;
  }).join("");
}

/**
 * Makes a parser for `source`. It names nobody if one of the `wider` expressions finds the address
 * in another place, as an attacker may have written it. If one finds another `forwarded_for`, that
 * field is empty; if one finds another time, that does not count.
 *
 * @param isTimed whether a message may begin with a time
 */
function reader(
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
    const { address, $before: before, $time: time, ...fields } = groups;
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
      stamp: (isSureTime ? stampOf(time) : null) ?? (isTimed ? timeOfLine(message) : null),
    };
  };
}

/** The time that a group holds. */
function stampOf(text = ""): Stamp | null {
  return readTime(text)?.stamp ?? null;
}

type Groups = Record<string, string | undefined>;

function given(groups: Groups): Record<string, string> {
  return Object.fromEntries(
    Object.entries(groups).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * Whether an element matches text of any length, which an attacker may choose; digits and blanks
 * alone are the service's.
 */
function isFree(element: AST.Element): boolean {
  switch (element.type) {
    case "Quantifier":
      return element.max > 1 && !isHarmless(element.element) || isFree(element.element);
    case "Group":
    case "CapturingGroup":
      return !isAddress(element) && element.alternatives.some(({ elements }) => elements.some(isFree));
    default:
      return false;
  }
}

function isHarmless(element: AST.Element): boolean {
  return /^(?:\\[ds]|\[0-9\]|[\d ])$/.test(element.raw);
}

/**
 * Whether an element holds a named group: an attacker may choose its text, even where the pattern
 * expects digits.
 */
function hasField(element: AST.Element): boolean {
  return /\(\?<\w/.test(element.raw);
}
