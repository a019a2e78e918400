import * as z from "zod/mini";
import { MAX_MESSAGE } from "../core/records.ts";
import {
  command,
  converted,
  described,
  flag,
  matching,
  network,
  oneOrMore,
  ports,
  section,
  span,
  spanOrForever,
  text,
  texts,
  timeZone,
  whole,
} from "./values.ts";

/** The key `window` of the whole configuration, a module, a rule or a network step. */
export const window = described(
  z.optional(spanOrForever),
  'Hits older than this no longer count, such as "10m"; "forever": all hits count. The key of a rule wins over that of ' +
    "its module, and that over the outermost one. Without any, all hits count.",
);
/** The key `ban_time` of the whole configuration, a module, a rule or a network step. */
export const banTime = described(
  z.optional(spanOrForever),
  'How long a ban lasts, such as "1d"; "forever": without end. The key of a rule wins over that of its module, and that ' +
    "over the outermost one. Without any, bans have no end.",
);

const factor = z.number("must be a number").check(
  z.minimum(1, "must be at least 1"),
  z.maximum(1_000, "must be at most 1000"),
);

/** The keys besides `ban_time` that make later bans of one address longer. */
export const growth = {
  ban_time_factor: described(
    z.optional(factor),
    "Factor by which each ban of an address lasts longer than the one before; 1 by default.",
  ),
  max_ban_time: described(
    z.optional(spanOrForever),
    'Longest time of a ban; bans that are "forever" have no end all the same.',
  ),
  forget_after: described(
    z.optional(spanOrForever),
    'Growth begins anew for an address that was not banned for this long; "forever", the default: never.',
  ),
};

const FIELD = "must be the name of a field, such as path or user_agent";
const field = text(64).check(z.regex(/^[a-z][a-z0-9_]*$/i, FIELD));

function nonEmpty<T>(list: z.ZodMiniType<T[], unknown>) {
  return list.check(z.refine((list) => list.length > 0, "must not be empty"));
}

const CODES = 'must be a status code such as 404, a class such as "4xx", or a list of them';

/** A status code such as 404, or a class such as `4xx`; gives a list of codes. */
const codes = converted(
  z.union([whole(100, 999), matching(/^[1-9]xx$/, CODES)], CODES),
  (given) =>
    typeof given === "number" ? [given] : Array.from({ length: 100 }, (_, i) => Number(given[0]) * 100 + i),
);

const condition = {
  str: described(
    nonEmpty(texts),
    "Text that makes a line a hit, or a list of texts of which any one does; with mode `regex` regular expressions.",
  ),
  mode: described(
    z._default(z.enum(["start", "anywhere", "regex"], 'must be "start", "anywhere" or "regex"'), "start"),
    "Where the text must stand: at the start of the field or anywhere in it. `regex`: `str` is a regular expression.",
  ),
  field: described(
    z._default(nonEmpty(oneOrMore(field)), ["message"]),
    "Part of the line that is compared: `message`, which is all of it, or a field of the module such as `path`. Of a " +
      "list any one field makes a hit.",
  ),
  ignore_case: described(flag(), "Upper and lower case are the same."),
};

const conditionSection = section(condition);

const exception = z.union(
  [text(MAX_MESSAGE), conditionSection],
  "must be a string, or an object with str, field and mode",
);

const ruleTests = section({
  match: described(z._default(texts, []), "Lines that this rule must hit."),
  no_match: described(z._default(texts, []), "Lines that this rule must not hit."),
});

const rule = section({
  name: described(
    text(64).check(z.regex(/^[A-Za-z0-9_-]+$/, "must be made of letters, digits, - and _")),
    "Short name, unique in its module. It is part of the reason of bans.",
  ),
  ...condition,
  str: z.optional(condition.str),
  except: described(
    z._default(
      oneOrMore(exception, "must be a string, an object or a list of them"),
      [],
    ),
    "Exceptions, which make no hit: a string that the rule's field starts with, an object with `str`, `field`, `mode` " +
      "and `ignore_case`, or a list of these.",
  ),
  status: described(
    z.optional(nonEmpty(converted(z.union([codes, z.array(codes)], CODES), (given) => [given].flat(2)))),
    'Status codes of which the line must have one as well: 404, "4xx", or a list of them.',
  ),
  distinct: described(
    z.optional(field),
    "Field, such as `path` or `user`, whose different values are counted in place of hits.",
  ),
  limit: described(whole(1, 1_000_000), "This many hits of one address are allowed; the next one bans it."),
  window,
  ban_time: banTime,
  ...growth,
  unsafe: described(flag(), "Allows a regular expression that may take very long on some lines."),
  tests: described(z.optional(ruleTests), "Lines that `strongmonitor check` runs through the rule."),
});

const path = text(4096).check(
  z.regex(/^\//, "must be an absolute path"),
  z.refine((given) => !given.includes("**") && !given.includes("\0"), "must not hold ** or NUL"),
);

const origin = section({
  identifier: described(
    z.optional(texts),
    "Programs whose journal entries belong to the module (SYSLOG_IDENTIFIER).",
  ),
  unit: described(
    z.optional(
      oneOrMore(
        text(255).check(z.regex(/\.\w+$/, "must be the whole name of a unit, such as vsftpd.service")),
      ),
    ),
    "systemd units of the service. Entries that they write are trusted; without `identifier` all of them belong to the module.",
  ),
  file: described(
    z.optional(oneOrMore(path)),
    "Log files by absolute path; * and ? stand for any part of a name.",
  ),
});

/** A module's section. */
export const moduleSection = section({
  match: described(
    z.optional(origin),
    "Where the lines of the service are found; replaces the places that the module knows.",
  ),
  pattern: described(
    z.optional(texts),
    "For a service of your own: regular expressions that begin with ^, in which `<ADDR>` stands for the address, `<TIME>` " +
      "for a time that does not stand at the beginning, and named groups make fields.",
  ),
  unsafe: described(
    z.optional(z.boolean("must be true or false")),
    "Allows patterns that could find a wrong address or take very long.",
  ),
  time_zone: described(
    z.optional(timeZone),
    'Zone of times in lines that tell none, such as "Europe/Berlin" or "+05:30"; this machine\'s zone by default.',
  ),
  log_format: described(z.optional(texts), "NGINX: `log_format` of nginx.conf, as it stands there."),
  trusted_proxies: described(
    z.optional(oneOrMore(network)),
    "Proxies in front of the service: the client that they name is counted, and proxies are never banned. `[]`: there " +
      "are none. Without this key NGINX does not count requests that nginx refused before it had read them (400 and such).",
  ),
  no_log: described(
    z.optional(texts),
    "Beginnings of messages that are counted but not recorded: a string or a list of strings.",
  ),
  record: described(
    z._default(z.enum(["all", "hits"], 'must be "all" or "hits"'), "all"),
    "Which lines are recorded: all that name an address, or those that a rule hits.",
  ),
  rules: described(
    converted(
      z.optional(
        z.array(rule, "must be a list of rules").check(z.minLength(1, "must hold at least one rule")),
      ),
      (given) => given ?? [],
    ),
    "Rules that say which lines are suspicious. Each rule counts by itself. Without any, `SSHD` and `NGINX` have the rules " +
      "of the shipped configuration.",
  ),
  window,
  ban_time: banTime,
  ...growth,
  ports: described(
    z.optional(ports),
    "With nftables: bans for this module cut off these ports only, in place of the whole machine.",
  ),
  ban_command: described(
    z.optional(command),
    "Command of the module's own, such as a deny list of the service: it bans for this module, and the firewall at the top for " +
      "all others. Written like the outermost `ban_command`.",
  ),
  unban_command: described(
    z.optional(command),
    "Command that lifts what the module's own `ban_command` banned.",
  ),
  ban_timeout: described(
    z.optional(span("1h")),
    "Longest time of these commands; the outermost one by default.",
  ),
  ban_concurrency: described(
    z.optional(whole(1, 64)),
    "At most this many of them run at once; the outermost number by default.",
  ),
  protocol: described(
    z.optional(z.enum(["tcp", "udp"], 'must be "tcp" or "udp"')),
    "Protocol of the ports, tcp by default. Without `ports`: all ports of this protocol.",
  ),
});

/** Checked section of a module. */
export type ModuleSection = z.output<typeof moduleSection>;
/** Checked condition of a rule or an exception. */
export type ConditionSection = z.output<typeof conditionSection>;
/** Checked section of a rule. */
export type RuleSection = z.output<typeof rule>;
