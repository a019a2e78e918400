/** Kinds of a pattern's elements: address, time, field, or text that an attacker may choose. */
import type { AST } from "@eslint-community/regexpp";
import { TIME_SOURCE } from "../../lib/core/timestamp.ts";

/** Source of `<TIME>`. */
export const TIME = `(?<$time>${TIME_SOURCE})`;

/** Reports whether an element is the group of `<ADDR>`. */
export const isAddress = isNamed("address");
/** Reports whether an element is the group whose text names the client behind a proxy. */
export const isForwarded = isNamed("forwarded_for");
/** Reports whether an element is a group that `<TIME>` makes or names. */
export const isAnyTime = isNamed("$time");

function isNamed(name: string): (element: AST.Element) => boolean {
  return (element) => element.type === "CapturingGroup" && element.name === name;
}

/** Reports whether an element is the source of `<TIME>`: nothing but a time fits. */
export function isTime(element: AST.Element): boolean {
  return element.raw === TIME;
}

/** Reports whether an element is a group that the configuration itself marks as a time. */
export function isOwnTime(element: AST.Element): boolean {
  return isAnyTime(element) && !isTime(element);
}

/** Returns the source of elements. */
export function raw(elements: readonly AST.Element[]): string {
  return elements.map((element) => element.raw).join("");
}

/**
 * Reports whether an element matches text of any length, which an attacker may choose; digits and
 * blanks alone are the service's.
 */
export function isFree(element: AST.Element): boolean {
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

/** Reports whether `character` may begin a text that elements match. */
export function mayBegin(elements: readonly AST.Element[], character: string): boolean {
  const first = elements.findIndex((element) => !mayBeEmpty(element));
  const end = first < 0 ? elements.length : first + 1;
  return elements.slice(0, end).some((element) => mayBeginOne(element, character));
}

function mayBeginOne(element: AST.Element, character: string): boolean {
  switch (element.type) {
    case "Assertion":
      return false;
    case "Quantifier":
      return mayBeginOne(element.element, character);
    case "Group":
    case "CapturingGroup":
      return element.alternatives.some(({ elements }) => mayBegin(elements, character));
    default:
      return new RegExp(`^(?:${element.raw})`, "s").test(character);
  }
}

function mayBeEmpty(element: AST.Element): boolean {
  switch (element.type) {
    case "Assertion":
      return true;
    case "Quantifier":
      return element.min === 0 || mayBeEmpty(element.element);
    case "Group":
    case "CapturingGroup":
      return element.alternatives.some(({ elements }) => elements.every(mayBeEmpty));
    default:
      return false;
  }
}

function isHarmless(element: AST.Element): boolean {
  return /^(?:\\[ds]|\[0-9\]|[\d ])$/.test(element.raw);
}

/** Reports whether an element contains a named group, whose text an attacker may choose. */
export function hasField(element: AST.Element): boolean {
  return /\(\?<\w/.test(element.raw);
}
