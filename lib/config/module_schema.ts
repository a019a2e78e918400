import * as z from "zod";
import { MAX_MESSAGE } from "../core/records.ts";
import {
  command,
  described,
  network,
  ports,
  section,
  span,
  spanOrForever,
  STRINGS,
  text,
  texts,
  timeZone,
  whole,
} from "./values.ts";

/** The key `window` of the whole configuration, a module, a rule or a network step. */
export const window = described(
  spanOrForever.optional(),
  'Hits older than this no longer count, such as "10m"; "forever": all hits count. The key of a rule wins over that of ' +
    "its module, and that over the outermost one. Without any, all hits count.",
);
/** The key `ban_time` of the whole configuration, a module, a rule or a network step. */
export const banTime = described(
  spanOrForever.optional(),
  'How long a ban lasts, such as "1d"; "forever": without end. The key of a rule wins over that of its module, and that ' +
    "over the outermost one. Without any, bans have no end.",
);

const factor = z.number("must be a number").min(1, "must be at least 1").max(1_000, "must be at most 1000");

/** The keys besides `ban_time` that make later bans of one address longer. */
export const growth = {
  ban_time_factor: described(
    factor.optional(),
    "Factor by which each ban of an address lasts longer than the one before; 1 by default.",
  ),
  max_ban_time: described(
    spanOrForever.optional(),
    'Longest time of a ban; bans that are "forever" have no end all the same.',
  ),
  forget_after: described(
    spanOrForever.optional(),
    'Growth begins anew for an address that was not banned for this long; "forever", the default: never.',
  ),
};

const FIELD = "must be the name of a field, such as path or user_agent";
const field = text(64).regex(/^[a-z][a-z0-9_]*$/i, FIELD);

/** Makes the keys of ban commands, for the whole configuration or for a module. */
export function commands(ban: string, unban: string) {
  return {
    ban_command: described(command.optional(), ban),
    unban_command: described(command.optional(), unban),
  };
}

function nonEmpty<T>(list: z.ZodType<T[], unknown>) {
  return list.refine((list) => list.length > 0, "must not be empty");
}

const CODES = 'must be a status code such as 404, a class such as "4xx", or a list of them';

/** A status code such as 404, or a class such as `4xx`; gives a list of codes. */
const codes = z.union([whole(100, 999), z.string().regex(/^[1-9]xx$/, CODES)], CODES).transform((given) =>
  typeof given === "number" ? [given] : Array.from({ length: 100 }, (_, i) => Number(given[0]) * 100 + i)
);

const condition = {
  str: described(
    nonEmpty(texts()),
    "Text that makes a line a hit, or a list of texts of which any one does; with mode `regex` regular expressions.",
  ),
  mode: described(
    z.enum(["start", "anywhere", "regex"], 'must be "start", "anywhere" or "regex"').default("start"),
    "Where the text must stand: at the start of the field or anywhere in it. `regex`: `str` is a regular expression.",
  ),
  field: described(
    nonEmpty(texts(field)).default(["message"]),
    "Part of the line that is compared: `message`, which is all of it, or a field of the module such as `path`. Of a " +
      "list any one field makes a hit.",
  ),
  ignore_case: described(
    z.boolean("must be true or false").default(false),
    "Upper and lower case are the same.",
  ),
};

const conditionSection = section(condition);

const exception = z.union(
  [text(MAX_MESSAGE), conditionSection],
  "must be a string, or an object with str, field and mode",
);

const ruleTests = section({
  match: described(texts().default([]), "Lines that this rule must hit."),
  no_match: described(texts().default([]), "Lines that this rule must not hit."),
});

const rule = section({
  name: described(
    text(64).regex(/^[A-Za-z0-9_-]+$/, "must be made of letters, digits, - and _"),
    "Short name, unique in its module. It is part of the reason of bans.",
  ),
  ...condition,
  str: condition.str.optional(),
  except: described(
    z.union([exception, z.array(exception)], "must be a string, an object or a list of them")
      .transform((given) => [given].flat()).default([]),
    "Exceptions, which make no hit: a string that the rule's field starts with, an object with `str`, `field`, `mode` " +
      "and `ignore_case`, or a list of these.",
  ),
  status: described(
    nonEmpty(z.union([codes, z.array(codes)], CODES).transform((given) => [given].flat(2))).optional(),
    'Status codes of which the line must have one as well: 404, "4xx", or a list of them.',
  ),
  distinct: described(
    field.optional(),
    "Field, such as `path` or `user`, whose different values are counted in place of hits.",
  ),
  limit: described(whole(1, 1_000_000), "This many hits of one address are allowed; the next one bans it."),
  window,
  ban_time: banTime,
  ...growth,
  unsafe: described(
    z.boolean("must be true or false").default(false),
    "Allows a regular expression that may take very long on some lines.",
  ),
  tests: described(ruleTests.optional(), "Lines that `strongmonitor check` runs through the rule."),
});

const path = text(4096).regex(/^\//, "must be an absolute path").refine(
  (given) => !given.includes("**") && !given.includes("\0"),
  "must not hold ** or NUL",
);

const origin = section({
  identifier: described(
    texts().optional(),
    "Programs whose journal entries belong to the module (SYSLOG_IDENTIFIER).",
  ),
  unit: described(
    texts(text(255).regex(/\.\w+$/, "must be the whole name of a unit, such as vsftpd.service"))
      .optional(),
    "systemd units of the service. Entries that they write are trusted; without `identifier` all of them belong to the module.",
  ),
  file: described(
    texts(path).optional(),
    "Log files by absolute path; * and ? stand for any part of a name.",
  ),
});

/** A module's section. */
export const moduleSection = section({
  match: described(
    origin.optional(),
    "Where the lines of the service are found; replaces the places that the module knows.",
  ),
  pattern: described(
    texts().optional(),
    "For a service of your own: regular expressions that begin with ^, in which `<ADDR>` stands for the address, `<TIME>` " +
      "for a time that does not stand at the beginning, and named groups make fields.",
  ),
  unsafe: described(
    z.boolean("must be true or false").optional(),
    "Allows patterns that could find a wrong address or take very long.",
  ),
  time_zone: described(
    timeZone.optional(),
    'Zone of times in lines that tell none, such as "Europe/Berlin" or "+05:30"; this machine\'s zone by default.',
  ),
  log_format: described(texts().optional(), "NGINX: `log_format` of nginx.conf, as it stands there."),
  trusted_proxies: described(
    z.union([network, z.array(network)], STRINGS).transform((given) => [given].flat())
      .optional(),
    "Proxies in front of the service: the client that they name is counted, and proxies are never banned. `[]`: there " +
      "are none. Without this key NGINX does not count requests that nginx refused before it had read them (400 and such).",
  ),
  no_log: described(
    texts().optional(),
    "Beginnings of messages that are counted but not recorded: a string or a list of strings.",
  ),
  record: described(
    z.enum(["all", "hits"], 'must be "all" or "hits"').default("all"),
    "Which lines are recorded: all that name an address, or those that a rule hits.",
  ),
  rules: described(
    z.array(rule, "must be a list of rules").min(1, "must hold at least one rule").optional()
      .transform((given) => given ?? []),
    "Rules that say which lines are suspicious. Each rule counts by itself. Without any, `SSHD` and `NGINX` have the rules " +
      "of the shipped configuration.",
  ),
  window,
  ban_time: banTime,
  ...growth,
  ports: described(
    ports.optional(),
    "With nftables: bans for this module cut off these ports only, in place of the whole machine.",
  ),
  ...commands(
    "Command of the module's own, such as a deny list of the service: it bans for this module, and the firewall at the top for " +
      "all others. Written like the outermost `ban_command`.",
    "Command that lifts what the module's own `ban_command` banned.",
  ),
  ban_timeout: described(
    span("1h").optional(),
    "Longest time of these commands; the outermost one by default.",
  ),
  ban_concurrency: described(
    whole(1, 64).optional(),
    "At most this many of them run at once; the outermost number by default.",
  ),
  protocol: described(
    z.enum(["tcp", "udp"], 'must be "tcp" or "udp"').optional(),
    "Protocol of the ports, tcp by default. Without `ports`: all ports of this protocol.",
  ),
});

/** Checked section of a module. */
export type ModuleSection = z.output<typeof moduleSection>;
/** Checked condition of a rule or an exception. */
export type ConditionSection = z.output<typeof conditionSection>;
/** Checked section of a rule. */
export type RuleSection = z.output<typeof rule>;
