import { z } from "zod";
import { parseDuration } from "../duration.ts";
import { canonicalAddress, canonicalNetwork } from "../ip.ts";
import { MAX_MESSAGE } from "../types.ts";
import { unknownKey } from "./suggest.ts";

// Messages are complaints that follow a key path: "limit: must be at least 1". A union speaks for its members.

const SPAN = 'must be a span of time such as "90s", "10m", "2h" or "1d12h"';
const SPAN_OR_FOREVER = `${SPAN}, or "forever"`;
const CENTURY = "must be longer than nothing and shorter than a century";
const STRINGS = "must be a string or a list of strings";

/** An object that takes these keys and no others. */
function section<T extends z.core.$ZodLooseShape>(shape: T) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => unknownKey(key, Object.keys(shape))).join("\n")
        : "must be an object",
  });
}

/** A string of at least one character. */
function text(most = 255) {
  return z.string("must be a string").min(1, { error: "must not be empty", abort: true }).max(
    most,
    `must be at most ${most} characters`,
  );
}

/** One string or a list of them, as a list. */
function texts(item: z.ZodType<string, string> = text(MAX_MESSAGE)) {
  return z.union([item, z.array(item)], STRINGS).transform((given) => [given].flat());
}

function whole(least: number, most: number) {
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

/** A span in microseconds; a bare number counts seconds. */
function span(most?: string) {
  return written(SPAN).transform((given, context) => {
    const micros = parseDuration(given);
    if (micros !== null && (!most || micros <= parseDuration(most)!)) return micros;
    context.addIssue(micros !== null ? `must be at most "${most}"` : CENTURY);
    return z.NEVER;
  });
}

/** A span in microseconds, or null for ever. */
const spanOrForever = z.union([z.literal("forever"), written(SPAN_OR_FOREVER)], SPAN_OR_FOREVER)
  .transform((given, context) => {
    if (given === "forever") return null;
    const micros = parseDuration(given);
    if (micros === null) context.addIssue(CENTURY);
    return micros;
  });

/** Program and arguments; no shell ever sees them. */
const command = z.union([text(4096), z.array(text(4096), STRINGS)], STRINGS).transform((given, context) => {
  const words = typeof given === "string" ? given.split(/\s+/).filter((word) => word !== "") : given;
  const complaint = complainOfCommand(words, typeof given === "string" ? given : "");
  if (complaint) context.addIssue(complaint);
  return words;
});

function complainOfCommand(words: readonly string[], unsplit: string): string | null {
  const shell = unsplit.match(/[|;&$<>`'"]/)?.[0];
  if (shell) return `holds ${shell}, but no shell is used: write a list`;
  if (words.length === 0) return "must not be empty: leave it out to carry out nothing";
  if (words.some((word) => word.includes("\0"))) return "must not hold a NUL character";
  if (words.join(" ").split("%s").length !== 2) return "must hold %s exactly once, where the address goes";
  return words[0]!.includes("%s") ? "must begin with a program, not with %s" : null;
}

/** Labels of RFC 1123, the last one not all digits, which would be a mistyped address. */
const DNS_NAME =
  /^(?=.{1,253}$)(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)*(?!\d+$)[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/;

/** A member of the whitelist in its one spelling. */
const whitelisted = text().transform((given, context) => {
  const network = canonicalNetwork(given);
  if (network !== null) return { network };
  const name = given.toLowerCase().replace(/\.$/, "");
  if (DNS_NAME.test(name)) return { name };
  context.addIssue(
    given.includes("/")
      ? "must be a network such as 10.0.0.0/8 or 2001:db8::/32"
      : "must be an address, a network such as 10.0.0.0/8, or a DNS name",
  );
  return z.NEVER;
});

const host = text().transform((given, context) => {
  // [::1]:5432 and db.example.org:5432, but not ::1
  const [, bracketed, plain, port] = given.match(/^(?:\[(.+)\]|([^:]+))(?::(\d{1,5}))?$/) ?? [, , given];
  const bare = bracketed ?? plain ?? given;
  const name = canonicalAddress(bare) ?? bare.toLowerCase().replace(/\.$/, "");
  const valid = canonicalAddress(bare) !== null || (!bracketed && DNS_NAME.test(name));
  if (!valid) context.addIssue("must be a host name or an address");
  return { name, port: port === undefined ? undefined : Number(port) };
});

const database = section({
  host: host.describe("Host name or address of the PostgreSQL server; `host:port` is understood too."),
  port: whole(1, 65535).optional().describe("Port of the PostgreSQL server; 5432 unless told."),
  user: text().describe("Who to log in as. The password stands in `db_password.secret` beside this file."),
  database: text().describe("Name of the database; rights on this one are enough."),
}).transform(({ host, port, user, database }, context) => {
  if (port !== undefined && host.port !== undefined && port !== host.port) {
    context.addIssue({
      code: "custom",
      path: ["port"],
      message: `must not differ from the ${host.port} in host`,
    });
  }
  const chosen = port ?? host.port ?? 5432;
  if (chosen < 1 || chosen > 65535) {
    context.addIssue({ code: "custom", path: ["host"], message: "must not hold a port above 65535 or of 0" });
  }
  return { host: host.name, port: chosen, user, database };
});

const window = spanOrForever.optional().describe(
  'Hits older than this are forgotten, such as "10m"; "forever": never. A rule\'s own wins over its module\'s, ' +
    "that over the outermost; with none at all, hits are never forgotten.",
);
const banTime = spanOrForever.optional().describe(
  'How long a ban lasts, such as "1d"; "forever": for good. A rule\'s own wins over its module\'s, that over the ' +
    "outermost; with none at all, bans are for good.",
);

const rule = section({
  name: text(64).regex(/^[A-Za-z0-9_-]+$/, "must be made of letters, digits, - and _")
    .describe("Short name, unique in its module: bans give it as their reason."),
  str: texts().refine((list) => list.length > 0, "must not be empty")
    .describe("Text to look for, or a list of which any one makes a hit. Capitals count."),
  mode: z.enum(["start", "anywhere"], 'must be "start" or "anywhere"').default("start")
    .describe("Where the text must stand: at the start of the message, or anywhere in it."),
  except: texts().optional()
    .describe("Messages that start so make no hit; a string or a list of them."),
  limit: whole(1, 1_000_000).describe("This many hits of one address are allowed; the next one bans it."),
  window,
  ban_time: banTime,
});

const moduleSection = section({
  no_log: texts().optional()
    .describe("Messages that start so are counted but not recorded; a string or a list of them."),
  rules: z.array(rule, "must be a list of rules").min(1, "must hold at least one rule")
    .describe("When a line counts as suspicious. Each rule counts by itself."),
  window,
  ban_time: banTime,
});

/** The whole configuration: checks it, completes it, and is published as a JSON Schema. */
export const settingsSchema = section({
  $schema: z.string("must be a string").optional().describe("JSON Schema that editors go by."),
  modules: z.record(z.string(), moduleSection, "must be an object of modules")
    .describe("What is watched: `SSHD` and so on, each with its rules."),
  window,
  ban_time: banTime,
  ban_command: command.optional().describe(
    "Command that bans an address, which takes the place of %s: a string that is split at white space, or a list " +
      "of words. No shell is used. Without it nothing is carried out: bans are recorded only.",
  ),
  unban_command: command.optional().describe(
    "Command that lifts a ban, written like `ban_command`. Without it nothing lifts bans that have run out.",
  ),
  ban_timeout: span("1h").prefault("10s").describe("A ban or unban command that runs longer has failed."),
  ban_concurrency: whole(1, 64).default(4).describe("At most this many of these commands run at once."),
  whitelist: z.union([whitelisted, z.array(whitelisted, STRINGS)], STRINGS).transform((given) =>
    [given].flat()
  )
    .default([]).describe("Addresses, networks (10.0.0.0/8) and DNS names that are never banned."),
  whitelist_refresh: span("1d").prefault("5m").describe(
    "DNS names of the whitelist are resolved again this often.",
  ),
  keep_log: spanOrForever.optional().describe(
    'Recorded lines older than this are deleted, such as "90d"; "forever", as when left out: none are.',
  ),
  DB: database.optional().describe("PostgreSQL database that records and bans are shipped to."),
  state: text(4096).default("/var/lib/strongmonitor").describe(
    "Directory of the embedded state; a relative path is relative to this file.",
  ),
});

/** A checked configuration in the keys that it is written with; `undefined` marks what is inherited. */
export type Settings = z.output<typeof settingsSchema>;

/** The JSON Schema (2020-12) of what may be written, for editors and for `docs/`. */
export function jsonSchema(): Record<string, unknown> {
  return { title: "StrongMonitor configuration", ...z.toJSONSchema(settingsSchema, { io: "input" }) };
}
