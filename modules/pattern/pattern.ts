import type { AST } from "@eslint-community/regexpp";
import { ESCAPE, HASH } from "../../lib/core/ascii.ts";
import { Literal } from "../../lib/core/bytes.ts";
import { bounded } from "../../lib/core/text.ts";
import { type ModuleKind, OptionError } from "../../lib/reading/module.ts";
import { parseExpression, whyNotLinear } from "../../lib/reading/regex_safety.ts";
import { fieldNames, TextForm, type TextParser, type TextReading } from "../../lib/reading/text_reader.ts";
import { clientNamer } from "../proxies.ts";
import { ADDRESS, portOf } from "./address.ts";
import {
  hasField,
  isAddress,
  isAnyTime,
  isFree,
  isOwnTime,
  isTime,
  mayBegin,
  raw,
  TIME,
} from "./elements.ts";
import { parserOf, placed, sourceBefore, widen } from "./parser.ts";
import { isBlindToIPv6 } from "./sample.ts";
import { beginsWithField, whyUnsure } from "./safety.ts";

const PLACE = "<ADDR>";
/** Stands for a time, or names a group with a time. */
const TIMES = /(\(\?)?<TIME>/g;
/** `ESC [ 1 ; 32 m`; rsyslog writes `#033` for the escape character. */
// deno-lint-ignore no-control-regex
const COLOURS = /(?:\x1b|#033)\[[\d;]*m/g;
/** Bytes with which a colour begins. */
const BEGINNINGS = [ESCAPE, HASH];
/** Names of groups with a meaning of their own: those that `<ADDR>` and `<TIME>` make, and `message`. */
const OWN_GROUP = /\(\?<(address|message|\$before|\$own|\$time)>/;

/**
 * Services that a configuration describes by patterns: regular expressions in which `<ADDR>` stands
 * for the address, and `<TIME>` for a time.
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
    const firstBytes = firstBytesOf(compiled);
    return new TextForm({
      fields,
      parse: (message) => readPlain(compiled, message),
      firstBytes,
      isOpen: compiled.some(({ isTimed }) => !isTimed),
      isPossible: (bytes, from, to) =>
        BEGINNINGS.includes(bytes.array[from]!) ||
        prefixes.some((prefix) => prefix.isWithin(bytes, from, to)),
      warnings: () =>
        patterns.filter((_, i) => isBlindToIPv6(compiled[i]!.tree, compiled[i]!.parse))
          .map((source) =>
            `its pattern ${bounded(source, 61)} never names an IPv6 address: ` +
            "whoever comes by IPv6 is not counted"
          ),
      nameClient: clientNamer(fieldNames(fields), trustedProxies),
    });
  },
};

/** A pattern that can read messages. */
interface Compiled {
  readonly parse: TextParser;
  readonly tree: AST.Pattern;
  /** Whether a message may begin with a time; otherwise a field may be there. */
  readonly isTimed: boolean;
  /** Fixed text at the start of all messages; messages without it are not decoded. */
  readonly prefix: Literal;
  /** Whether a message may begin with a character. */
  readonly mayBegin: (character: string) => boolean;
}

function firstOf(compiled: readonly Compiled[], message: string): TextReading | null {
  for (const { parse } of compiled) {
    const reading = parse(message);
    if (reading !== null) return reading;
  }
  return null;
}

/**
 * Reads a message without a terminal's colours, which some services write into logs, or as it stands
 * if only a pattern with colours matches it.
 */
function readPlain(compiled: readonly Compiled[], message: string): TextReading | null {
  // The expression takes longer, and few lines have colours.
  if (!message.includes("\x1b[") && !message.includes("#033[")) return firstOf(compiled, message);
  const plain = message.replaceAll(COLOURS, "");
  return firstOf(compiled, plain) ?? (plain === message ? null : firstOf(compiled, message));
}

/** Returns 1 for each byte that may begin a message, as text or as a colour. */
function firstBytesOf(compiled: readonly Compiled[]): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    const isFirst = byte > 127 || BEGINNINGS.includes(byte) ||
      compiled.some(({ mayBegin }) => mayBegin(String.fromCharCode(byte)));
    return isFirst ? 1 : 0;
  });
}

interface Use {
  readonly unsafe: boolean;
  readonly index: number;
  /** Whether the field `forwarded_for` decides which address is named. */
  readonly isProxied: boolean;
}

/** Compiles a pattern. Throws `OptionError` if it could name a chosen address or be slow. */
function compile(given: string, { unsafe, index, isProxied }: Use): Compiled {
  const refuse = (complaint: string): never => {
    throw new OptionError(complaint, "patterns", index);
  };
  const source = expand(given, refuse);
  const tree = parseExpression(source);
  if (typeof tree === "string") return refuse(tree);
  const isTimed = !tree.alternatives.some(({ elements }) => beginsWithField(elements));
  if (unsafe) {
    const parse = parserOf({ source: withOwn(source, tree), wider: [], port: "none", isTimed });
    return { parse, tree, isTimed, prefix: new Literal(""), mayBegin: () => true };
  }
  const slow = whyNotLinear(source);
  const why = slow === null ? whyUnsure(tree, isProxied) : `${slow}, so that some lines could take very long`;
  if (why !== null) refuse(why);
  const { elements } = tree.alternatives[0]!;
  const at = elements.findIndex(isAddress);
  const [before, after] = [elements.slice(0, at), elements.slice(at + 1)];
  const isOpen = (element: AST.Element) =>
    !isTime(element) && (isFree(element) || hasField(element) || isOwnTime(element));
  const widened = (free: ".*" | ".*?") =>
    placed(
      widen(before, { free, side: "before", isOpen }),
      widen(after, { free, side: "after", isOpen: (one) => !isTime(one) && isFree(one) }),
    );
  const parse = parserOf({
    source: placed(sourceBefore(before), raw(after)),
    wider: before.some(isOpen) || isProxied || after.some(isAnyTime) ? [widened(".*"), widened(".*?")] : [],
    port: portOf(after),
    isTimed,
  });
  const begins = (character: string) => mayBegin(elements, character);
  return { parse, tree, isTimed, prefix: prefixOf(before), mayBegin: begins };
}

/**
 * Returns the source of an unsafe expression with the group `$own`, if the service's text before the
 * first field can be told: numbers of back-references must stay.
 */
function withOwn(source: string, { alternatives }: AST.Pattern): string {
  const [{ elements }, ...others] = alternatives as [AST.Alternative, ...AST.Alternative[]];
  const [first] = elements;
  const isAnchored = first?.type === "Assertion" && first.kind === "start" && others.length === 0;
  return isAnchored && !/\\\d/.test(source) ? sourceBefore(elements) : source;
}

/** Returns the expression of a pattern, with groups in place of `<ADDR>` and `<TIME>`. */
function expand(given: string, refuse: (complaint: string) => never): string {
  if (given.split(PLACE).length !== 2) {
    refuse(`must hold ${PLACE} exactly once, where the service writes the address`);
  }
  const taken = OWN_GROUP.exec(given)?.[1];
  if (taken === "message") refuse("must not name a group message: that is the whole message to a rule");
  if (taken) {
    refuse(`must not name a group ${taken}: that is what ${taken === "$time" ? "<TIME>" : PLACE} makes`);
  }
  if ([...given.matchAll(TIMES)].length > 1) refuse("must hold <TIME> at most once");
  return given.replace(PLACE, () => ADDRESS).replace(
    TIMES,
    (_, isGroup?: string) => isGroup ? "(?<$time>" : TIME,
  );
}

/** Returns the ASCII characters behind the `^` of an expression. */
function prefixOf([, ...elements]: readonly AST.Element[]): Literal {
  const end = elements.findIndex((element) => element.type !== "Character" || element.value > 127);
  const characters = elements.slice(0, end < 0 ? elements.length : end) as AST.Character[];
  return new Literal(String.fromCharCode(...characters.map(({ value }) => value)));
}
