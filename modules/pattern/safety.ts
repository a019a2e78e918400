/** Refuses patterns with which an attacker could get a chosen address named. */
import type { AST } from "@eslint-community/regexpp";
import { hasField, isAddress, isForwarded, raw } from "./elements.ts";

const ADDRESS_CHARACTERS = [..."0123456789ABCDEFabcdef:."];

/**
 * Returns why an expression may name an address that the service did not write; null: it names the
 * service's address or nobody.
 */
export function whyUnsure({ alternatives }: AST.Pattern, isProxied: boolean): string | null {
  const [{ elements }, ...others] = alternatives as [AST.Alternative, ...AST.Alternative[]];
  if (others.length > 0 || elements[0]?.type !== "Assertion" || elements[0].kind !== "start") {
    return `must begin with ^ for all of it: otherwise an attacker's text could stand where <ADDR> is sought`;
  }
  const at = elements.findIndex(isAddress);
  if (at < 0) return `must hold <ADDR> outside of groups, so that it can be neither missing nor repeated`;
  if (endOf(elements.slice(0, at)) === "free") {
    return `must have fixed text right before <ADDR>: what stands there could be an attacker's`;
  }
  if (isProxied && raw(elements).includes("(?<forwarded_for>") && !elements.some(isForwarded)) {
    return "must hold the group forwarded_for outside of others, so that it cannot be missing";
  }
  return null;
}

/** Reports whether a message may begin with a field: a time there may be a stranger's. */
export function beginsWithField(elements: readonly AST.Element[]): boolean {
  const texts = elements.filter(({ type }) => type !== "Assertion");
  const first = texts.findIndex((element) => element.type !== "Quantifier" || element.min > 0);
  return texts.slice(0, first + 1).some((element) => !isAddress(element) && hasField(element));
}

/** Last character of a text: the service's, perhaps an attacker's or the address's, or none. */
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
 * Returns the end of an element that may be repeated; "empty" if it may be missing, so that
 * `endOf()` checks the element before.
 */
function endOfRepeated({ element, min, max }: AST.Quantifier): End {
  const isText = element.type === "Group" || element.type === "CapturingGroup";
  if (isText ? max > 1 || endOfElement(element) === "free" : mayBeOfAddress(element)) return "free";
  return min > 0 ? endOfElement(element) : "empty";
}

function worst(ends: readonly End[]): End {
  return ends.find((end) => end === "free") ?? ends.find((end) => end === "empty") ?? "fixed";
}

/** Reports whether `element` matches a character of addresses. */
function mayBeOfAddress(element: AST.Element): boolean {
  const expression = new RegExp(`^(?:${element.raw})$`, "s");
  return ADDRESS_CHARACTERS.some((character) => expression.test(character));
}
