import type { AST } from "@eslint-community/regexpp";
import type { TextParser } from "../../lib/reading/text_reader.ts";
import { isAddress } from "./elements.ts";

/** Characters for samples, the likeliest first. */
const CHARACTERS = ["a", "0", " ", ...Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))];
/** Most repetitions in a sample, and most characters of each. */
const [MOST, LONGEST] = [64, 256];
const [IPV4, IPV6] = ["192.0.2.1", ["2001:db8::1", "[2001:db8::1]"]] as const;

/**
 * Reports whether a pattern matches a short message with an IPv4 address and names that, but none
 * with an IPv6 address, in brackets or without.
 */
export function isBlindToIPv6(tree: AST.Pattern, parse: TextParser): boolean {
  const names = (address: string) => parse(sampleOf(tree, address))?.address != null;
  return names(IPV4) && !IPV6.some(names);
}

/** Returns a short message that an expression should match, with `address` as its address. */
function sampleOf({ alternatives }: AST.Pattern, address: string): string {
  const sample = (elements: readonly AST.Element[]) => elements.map(one).join("");
  const one = (element: AST.Element): string => {
    switch (element.type) {
      case "Character":
        return String.fromCodePoint(element.value);
      case "Quantifier":
        return one(element.element).repeat(Math.min(element.min, MOST)).slice(0, LONGEST);
      case "Group":
      case "CapturingGroup":
        if (isAddress(element)) return address;
        return sample(element.alternatives[0]!.elements);
      case "CharacterSet":
      case "CharacterClass": {
        const expression = new RegExp(`^${element.raw}$`, "s");
        return CHARACTERS.find((character) => expression.test(character)) ?? "";
      }
      default:
        return "";
    }
  };
  return sample(alternatives[0]!.elements);
}
