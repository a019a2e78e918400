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
  if (unsafe) return reader(source, []);
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
  return reader(
    source,
    elements.slice(0, at).some(isFree) ? [widened(elements, ".*"), widened(elements, ".*?")] : [],
  );
}

/**
 * Reads by `source`. Where one of the `wider` expressions finds another address, an attacker may have written it, and
 * nobody is named.
 */
function reader(source: string, wider: readonly string[]): Parser {
  const expression = new RegExp(source, "ds");
  const others = wider.map((source) => new RegExp(source, "ds"));
  return (message) => {
    const match = expression.exec(message);
    if (!match) return null;
    const { address: _, ...fields } = match.groups!;
    const start = placeIn(match);
    const isSure = others.every((other) => placeIn(other.exec(message)!) === start);
    return { address: isSure ? addressIn(match, message) : null, fields: given(fields) };
  };
}

/** Where the address stands. What the narrower expression matches, the wider ones do too. */
function placeIn({ indices }: RegExpExecArray): number {
  return indices!.groups!.address![0];
}

/** The address that was found, unless it is only how a longer word such as a host name begins. */
function addressIn({ groups, indices }: RegExpExecArray, message: string): string | null {
  const [, end] = indices!.groups!.address!;
  if (/^(?:[\w-]|\.\w)/.test(message.slice(end, end + 2))) return null;
  return canonicalAddress(groups!.address!) ?? canonicalAddress(groups!.address!.replace(/:$/, ""));
}

function given(groups: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(groups).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * The expression with `free` for each part that could be an attacker's text. As long as possible, it finds the last
 * place of the address that there could be, as short as possible the first.
 */
function widened(elements: readonly AST.Element[], free: string): string {
  return elements.map((element) => isFree(element) ? free : element.raw).join("");
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
