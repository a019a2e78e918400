import * as z from "zod";
import { type Micros, parseDuration, SECOND } from "../core/time.ts";
import { canonicalNetwork } from "../core/address.ts";
import { MAX_MESSAGE } from "../core/records.ts";
import { zoneOf } from "../core/zone.ts";
import { unknownKey } from "./suggest.ts";

// Without this, zod would generate and compile a function for each kind of object, to check one
// configuration.
z.config({ jitless: true });

// Messages are complaints after a key path: "limit: must be at least 1". A union's message covers
// its members.

const SPAN = 'must be a span of time such as "90s", "10m", "2h" or "1d12h"';
const SPAN_OR_FOREVER = `${SPAN}, or "forever"`;
const CENTURY = "must be longer than nothing and shorter than a century";
/** Complaint about a value that is neither a string nor a list of strings. */
export const STRINGS = "must be a string or a list of strings";

/**
 * Adds the description of a key for the published JSON Schema. Keys with different descriptions
 * must not share one `schema`. zod's own `describe()` copies the schema, which took half of the
 * program's start.
 */
export function described<T extends z.ZodType>(schema: T, description: string): T {
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

/** Accepts a string of 1 to `most` characters. */
export function text(most = 255) {
  return z.string("must be a string").min(1, { error: "must not be empty", abort: true }).max(
    most,
    `must be at most ${most} characters`,
  );
}

/** Accepts one string or a list of strings; gives a list. */
export function texts(item: z.ZodType<string, string> = text(MAX_MESSAGE)) {
  return z.union([item, z.array(item)], STRINGS).transform((given) => [given].flat());
}

/** Accepts a whole number from `least` to `most`. */
export function whole(least: number, most: number) {
  return z.int("must be a whole number").min(least, `must be at least ${least}`).max(
    most,
    `must be at most ${most}`,
  );
}

function written(complaint: string) {
  return z.union(
    [z.string().regex(/^(?:\d+|(?:\d+[smhdw])+)$/, complaint), z.int().min(1, complaint)],
    complaint,
  );
}

/** Accepts a span up to `most`, such as `1h`; a bare number is seconds. Gives microseconds. */
export function span(most?: string) {
  return written(SPAN).transform((given, context) => {
    const micros = parseDuration(given);
    if (micros !== null && (!most || micros <= parseDuration(most)!)) return micros;
    context.addIssue(micros !== null ? `must be at most "${most}"` : CENTURY);
    return z.NEVER;
  });
}

/** A span of time, or `forever`. Gives microseconds; null: `forever`. */
export const spanOrForever = z.union([z.literal("forever"), written(SPAN_OR_FOREVER)], SPAN_OR_FOREVER)
  .transform((given, context) => {
    if (given === "forever") return null;
    const micros = parseDuration(given);
    if (micros === null) context.addIssue(CENTURY);
    return micros;
  });

/** Bans told "at once" share a notice if they come within this time. */
const AT_ONCE: Micros = 10 * SECOND;

/** How often something is told: `at once`, at most once in a span, or `never` (null). */
export const howOften = z.union(
  [z.literal(["at once", "never"]), written(`${SPAN}, "at once" or "never"`)],
  `${SPAN}, "at once" or "never"`,
)
  .transform((given, context) => {
    if (given === "never") return null;
    const micros = given === "at once" ? AT_ONCE : parseDuration(given);
    if (micros === null) context.addIssue(CENTURY);
    return micros;
  });

const MILLISECONDS = 'must be "off" or milliseconds from "1ms" to "1000ms"';

/** A span from 1 ms to 1 s such as `20ms`, or `off`. Gives microseconds; null: `off`. */
export const millisecondsOrOff = z.union(
  [z.literal("off"), z.string().regex(/^0*(?:[1-9]\d{0,2}|1000)ms$/, MILLISECONDS)],
  MILLISECONDS,
).transform((given) => given === "off" ? null : parseInt(given) * 1_000);

const SIZE = 'must be a size such as "500MiB" or "1GiB", at least "1MiB", or "unlimited"';

/** A size such as `500MiB`, or `unlimited`. Gives bytes; null: `unlimited`. */
export const sizeOrUnlimited = z.union(
  [z.literal("unlimited"), z.string().regex(/^[1-9]\d{0,6}[MG]iB$/, SIZE)],
  SIZE,
).transform((given) =>
  given === "unlimited" ? null : parseInt(given) * 2 ** (given.at(-3) === "G" ? 30 : 20)
);

function words(complain: (words: readonly string[]) => string | null) {
  return z.union([text(4096), z.array(text(4096), STRINGS)], STRINGS).transform((given, context) => {
    const words = typeof given === "string" ? given.split(/\s+/).filter((word) => word !== "") : given;
    const shell = typeof given === "string" ? given.match(/[|;&$<>`'"]/)?.[0] : undefined;
    const complaint = shell
      ? `holds ${shell}, but no shell is used: write a list`
      : complainOfWords(words) ?? complain(words);
    if (complaint) context.addIssue(complaint);
    return words;
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
export const ports = z.union([
  port(),
  z.array(port(), PORTS).min(1, "must not be empty").max(32, "must be at most 32"),
], PORTS)
  .transform((given) => {
    const ranges = typeof given[0] === "number" ? [given as Range] : given as Range[];
    return ranges.map(([low, high]) => `${low}-${high}`).join();
  });

type Range = [low: number, high: number];

function port() {
  return z.union([z.int(), z.string().regex(/^\d{1,5}(?:-\d{1,5})?$/, PORTS)], PORTS).transform(
    (given, context): Range => {
      const [low, high = low] = `${given}`.split("-").map(Number) as [number, number?];
      if (low < 1 || high > 65_535 || low > high) {
        context.addIssue("must be within 1 and 65535, the lower one first");
      }
      return [low, high];
    },
  );
}

/** A DNS name (RFC 1123). Its last label is not all digits: that is a mistyped address. */
export const DNS_NAME =
  /^(?=.{1,253}$)(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)*(?!\d+$)[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/;

/** An address or a network; gives its canonical spelling. */
export const network = text().transform((given, context) => {
  const network = canonicalNetwork(given);
  if (network === null) context.addIssue("must be an address or a network such as 10.0.0.0/8");
  return network ?? z.NEVER;
});

/** A time zone by its name or offset. */
export const timeZone = text().transform((given, context) => {
  const zone = zoneOf(given);
  if (zone === null) {
    context.addIssue('must be the name of a zone such as "Europe/Berlin", or an offset such as "+02:00"');
  }
  return zone ?? z.NEVER;
});
