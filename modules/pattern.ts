import type { AST } from "@eslint-community/regexpp";
import { canonicalAddress } from "../lib/ip.ts";
import { parseExpression, whyNotLinear } from "../lib/linear.ts";
import { type ModuleKind, OptionError, type Parsed, type Parser } from "../lib/types.ts";
import { behindProxies } from "./proxies.ts";

const PLACE = "<ADDR>";
const ADDRESS = "(?<address>(?:\\d+\\.\\d+\\.\\d+\\.\\d+|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)(?:%[\\w.-]+)?)";

/** A service of a configuration's own, read by its patterns: regular expressions in which `<ADDR>` is the address. */
export const pattern: ModuleKind = {
  name: "",
  origin: { identifiers: [], units: [], files: [] },
  options: ["patterns", "unsafe", "trustedProxies"],
  fields: ({ patterns }) => [
    ...new Set(
      patterns.flatMap((source) => [...source.matchAll(/\(\?<([A-Za-z_]\w*)>/g)].map(([, name]) => name!)),
    ),
  ],
  parser({ patterns, unsafe, trustedProxies }) {
    const parsers = patterns.map((source, index) => compile(source, { unsafe, index }));
    return behindProxies((message) => firstOf(parsers, message), trustedProxies);
  },
};

function firstOf(parsers: readonly Parser[], message: string): Parsed | null {
  for (const parse of parsers) {
    const parsed = parse(message);
    if (parsed !== null) return parsed;
  }
  return null;
}

/** Throws `OptionError` for a pattern that could be made to name an address of an attacker's choice, or to take very long. */
function compile(given: string, { unsafe, index }: { unsafe: boolean; index: number }): Parser {
  const refuse = (complaint: string) => {
    throw new OptionError(complaint, "patterns", index);
  };
  if (given.split(PLACE).length !== 2) {
    refuse(`must hold ${PLACE} exactly once, where the service writes the address`);
  }
  const source = given.replace(PLACE, ADDRESS);
  const tree = parseExpression(source);
  if (typeof tree === "string") return refuse(tree);
  if (unsafe) return reader({ source, wider: [] });
  const why = whyNotLinear(source);
  if (why !== null) refuse(`${why}, so that some lines could take very long`);
  const [alternative, ...others] = tree.alternatives as [AST.Alternative, ...AST.Alternative[]];
  const { elements } = alternative;
  if (others.length > 0 || elements[0]?.type !== "Assertion" || elements[0].kind !== "start") {
    refuse(
      `must begin with ^ for all of it: otherwise an attacker's text could stand where ${PLACE} is sought`,
    );
  }
  const at = elements.findIndex((element) => element.type === "CapturingGroup" && element.name === "address");
  if (at < 0) refuse(`must not hold ${PLACE} in a part that may be missing or repeated`);
  if (isFree(elements[at - 1]!)) {
    refuse(`must have fixed text right before ${PLACE}: what stands there could be an attacker's`);
  }
  const [before, after] = [elements.slice(0, at), elements.slice(at + 1)];
  const widened = (free: string) => placed(widen(before, free), widen(after, free));
  return reader({
    source: placed(raw(before), raw(after)),
    wider: before.some(isFree) ? [widened(".*"), widened(".*?")] : [],
  });
}

/** An expression whose group `$before` tells where the address stands. */
function placed(before: string, after: string): string {
  return `(?<$before>${before})${ADDRESS}${after}`;
}

function raw(elements: readonly AST.Element[]): string {
  return elements.map((element) => element.raw).join("");
}

/**
 * The parts with `free` for each that could be an attacker's text: as long as possible, the last place of the address
 * that there could be is found, as short as possible the first.
 */
function widen(elements: readonly AST.Element[], free: string): string {
  return elements.map((element) => isFree(element) ? free : element.raw).join("");
}

/**
 * Reads by `source`. Where one of the `wider` expressions finds the address elsewhere, an attacker may have written it, and
 * nobody is named.
 */
function reader({ source, wider }: { source: string; wider: readonly string[] }): Parser {
  // No flag but this one: with others V8 does not fall back to linear time.
  const expression = new RegExp(source, "s");
  const others = wider.map((source) => new RegExp(source, "s"));
  return (message) => {
    const groups = expression.exec(message)?.groups;
    if (!groups) return null;
    const { address, $before: before, ...fields } = groups as Groups;
    const isSure = others.every((other) => other.exec(message)!.groups!.$before!.length === before!.length);
    return {
      address: isSure && !isWord(message, address!, before) ? addressOf(address!) : null,
      fields: given(fields),
    };
  };
}

type Groups = Record<string, string | undefined>;

/** Whether what was found is only how a longer word such as a host name begins. */
function isWord(message: string, address: string, before: string | undefined): boolean {
  const end = (before?.length ?? 0) + address.length;
  return before !== undefined && /^(?:[\w-]|\.\w)/.test(message.slice(end, end + 2));
}

/** A colon may belong to the sentence. */
function addressOf(found: string): string | null {
  return canonicalAddress(found) ?? canonicalAddress(found.replace(/:$/, ""));
}

function given(groups: Groups): Record<string, string> {
  return Object.fromEntries(
    Object.entries(groups).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Whether a part can hold text of any length, digits alone and blanks apart. */
function isFree(element: AST.Element): boolean {
  switch (element.type) {
    case "Quantifier":
      return element.max > 1 && !isHarmless(element.element) || isFree(element.element);
    case "Group":
      return element.alternatives.some(({ elements }) => elements.some(isFree));
    case "CapturingGroup":
      return element.name !== "address" && element.alternatives.some(({ elements }) => elements.some(isFree));
    default:
      return false;
  }
}

/** Digits and blanks alone make no address. */
function isHarmless(element: AST.Element): boolean {
  return /^(?:\\[ds]|\[0-9\]|[\d ])$/.test(element.raw);
}
