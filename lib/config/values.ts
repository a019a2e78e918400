import * as z from "zod/mini";
import { type Micros, parseDuration, SECOND } from "../core/time.ts";
import { canonicalNetwork } from "../core/address.ts";
import { MAX_MESSAGE } from "../core/records.ts";
import { zoneOf } from "../core/zone.ts";
import { unknownKey } from "./suggest.ts";

// `zod/mini` makes schemas without methods: those of `zod` took a tenth of the program's start and
// 6 MiB. Without `jitless`, zod would generate and compile a function for each kind of object, to
// check one configuration.
z.config({ jitless: true });

// Messages are complaints after a key path: "limit: must be at least 1". A union's message covers
// its members.

const SPAN = 'must be a span of time such as "90s", "10m", "2h" or "1d12h"';
const CENTURY = "must be longer than nothing and shorter than a century";
/** Complaint about a value that is neither a string nor a list of strings. */
const STRINGS = "must be a string or a list of strings";

/**
 * Adds the description of a key for the published JSON Schema. Keys with different descriptions
 * must not share one `schema`, which zod's own `describe()` would copy.
 */
export function described<T extends z.ZodMiniType>(schema: T, description: string): T {
  z.globalRegistry.add(schema, { description });
  return schema;
}

/** Accepts an object with the keys of `shape` and no others. */
export function section<T extends z.core.$ZodLooseShape>(shape: T) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => unknownKey(key, Object.keys(shape))).join("\n")
        : "must be an object",
  });
}

/**
 * Accepts what `schema` accepts, and gives what `convert` makes of it. `convert` may complain of a
 * value instead, or of the value at `path` in it.
 */
export function converted<T extends z.core.SomeType, O>(
  schema: T,
  convert: (given: z.output<T>, complain: (complaint: string, path?: PropertyKey[]) => never) => O,
) {
  return z.pipe(
    schema,
    z.transform((given: z.output<T>, { issues }): O =>
      convert(given, (message, path) => {
        issues.push({ code: "custom", message, path, input: given });
        return z.NEVER;
      })
    ),
  );
}

/** Accepts one `item` or a list of them; gives a list. */
export function oneOrMore<O, I>(item: z.ZodMiniType<O, I>, complaint = STRINGS) {
  return converted(z.union([item, z.array(item)], complaint), (given): O[] => [given].flat() as O[]);
}

/** Accepts a string that an expression matches. */
export function matching(expression: RegExp, complaint: string) {
  return z.string("must be a string").check(z.regex(expression, complaint));
}

/** Accepts a string of 1 to `most` characters. */
export function text(most = 255) {
  return z.string("must be a string").check(
    z.minLength(1, { error: "must not be empty", abort: true }),
    z.maxLength(most, `must be at most ${most} characters`),
  );
}

/** Accepts one string or a list of strings; gives a list. */
export const texts = oneOrMore(text(MAX_MESSAGE));

/** Accepts true or false; false by default. */
export function flag() {
  return z._default(z.boolean("must be true or false"), false);
}

/** Accepts a whole number from `least` to `most`. */
export function whole(least: number, most: number) {
  return z.int("must be a whole number").check(
    z.minimum(least, `must be at least ${least}`),
    z.maximum(most, `must be at most ${most}`),
  );
}

/** Accepts a span up to `most`, such as `1h`; a bare number is seconds. Gives microseconds. */
export function span(most?: string, complaint = SPAN) {
  const text = matching(/^(?:\d+|(?:\d+[smhdw])+)$/, complaint);
  const seconds = z.int().check(z.minimum(1, complaint));
  return converted(z.union([text, seconds], complaint), (given, complain) => {
    const micros = parseDuration(given);
    if (micros !== null && (!most || micros <= parseDuration(most)!)) return micros;
    return complain(micros !== null ? `must be at most "${most}"` : CENTURY);
  });
}

/** Accepts what `schema` accepts, or one of `words`, and gives the value of a word. */
function orWord<T extends z.core.SomeType, O>(
  words: Readonly<Record<string, O>>,
  schema: T,
  complaint: string,
) {
  return z.union([converted(z.literal(Object.keys(words)), (word) => words[word]!), schema], complaint);
}

function spanOrWord<O>(words: Readonly<Record<string, O>>, complaint: string) {
  return orWord(words, span(undefined, complaint), complaint);
}

/** A span of time, or `forever`. Gives microseconds; null: `forever`. */
export const spanOrForever = spanOrWord({ forever: null }, `${SPAN}, or "forever"`);

/** Bans told "at once" share a notice if they come within this time. */
const AT_ONCE: Micros = 10 * SECOND;

/** How often something is told: `at once`, at most once in a span, or `never` (null). */
export const howOften = spanOrWord({ "at once": AT_ONCE, never: null }, `${SPAN}, "at once" or "never"`);

const MILLISECONDS = 'must be "off" or milliseconds from "1ms" to "1000ms"';

/** A span from 1 ms to 1 s such as `20ms`, or `off`. Gives microseconds; null: `off`. */
export const millisecondsOrOff = orWord(
  { off: null },
  converted(matching(/^0*(?:[1-9]\d{0,2}|1000)ms$/, MILLISECONDS), (given) => parseInt(given) * 1_000),
  MILLISECONDS,
);

const SIZE = 'must be a size such as "500MiB" or "1GiB", at least "1MiB", or "unlimited"';

/** A size such as `500MiB`, or `unlimited`. Gives bytes; null: `unlimited`. */
export const sizeOrUnlimited = orWord(
  { unlimited: null },
  converted(
    matching(/^[1-9]\d{0,6}[MG]iB$/, SIZE),
    (given) => parseInt(given) * 2 ** (given.at(-3) === "G" ? 30 : 20),
  ),
  SIZE,
);

function words(complain: (words: readonly string[]) => string | null) {
  return converted(z.union([text(4096), z.array(text(4096), STRINGS)], STRINGS), (given, report) => {
    const words = typeof given === "string" ? given.split(/\s+/).filter((word) => word !== "") : given;
    const shell = typeof given === "string" ? given.match(/[|;&$<>`'"]/)?.[0] : undefined;
    const complaint = shell
      ? `holds ${shell}, but no shell is used: write a list`
      : complainOfWords(words) ?? complain(words);
    return complaint === null ? words : report(complaint);
  });
}

function complainOfWords(words: readonly string[]): string | null {
  if (words.length === 0) return "must not be empty: leave it out to carry out nothing";
  return words.some((word) => word.includes("\0")) ? "must not hold a NUL character" : null;
}

/** A program and its arguments, run without a shell. `%s` in one of them stands for the address. */
export const command = words((words) => {
  if (words.join(" ").split("%s").length !== 2) return "must hold %s exactly once, where the address goes";
  return words[0]!.includes("%s") ? "must begin with a program, not with %s" : null;
});

/** A program and its first arguments. */
export const program = words(() => null);

const PORTS = 'must be a port such as 22, a range such as "8000-8010", or a list of them';

/** Ports and ranges; gives the text that `parseScope()` reads after a protocol. */
export const ports = converted(
  z.union([
    port(),
    z.array(port(), PORTS).check(
      z.minLength(1, "must not be empty"),
      z.maxLength(32, "must be at most 32"),
    ),
  ], PORTS),
  (given) => {
    const ranges = typeof given[0] === "number" ? [given as Range] : given as Range[];
    return ranges.map(([low, high]) => `${low}-${high}`).join();
  },
);

type Range = [low: number, high: number];

function port() {
  return converted(
    z.union([z.int(), matching(/^\d{1,5}(?:-\d{1,5})?$/, PORTS)], PORTS),
    (given, complain): Range => {
      const [low, high = low] = `${given}`.split("-").map(Number) as [number, number?];
      const isRange = low >= 1 && high <= 65_535 && low <= high;
      return isRange ? [low, high] : complain("must be within 1 and 65535, the lower one first");
    },
  );
}

/**
 * A DNS name (RFC 1123), also with underscores, as Windows and Docker give to hosts. Its last label is
 * not all digits: that is a mistyped address.
 */
export const DNS_NAME = /^(?=.{1,253}$)(?:\w(?:[\w-]{0,61}\w)?\.)*(?!\d+$)\w(?:[\w-]{0,61}\w)?$/;

/** An address or a network; gives its canonical spelling. */
export const network = converted(
  text(),
  (given, complain) =>
    canonicalNetwork(given) ?? complain("must be an address or a network such as 10.0.0.0/8"),
);

/** A time zone by its name or offset. */
export const timeZone = converted(
  text(),
  (given, complain) =>
    zoneOf(given) ??
      complain('must be the name of a zone such as "Europe/Berlin", or an offset such as "+02:00"'),
);
