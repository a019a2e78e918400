import * as z from "zod";
import { canonicalAddress } from "../core/address.ts";
import { banTime, growth, moduleSection, window } from "./module_schema.ts";
import { whitelistMembers } from "./whitelist.ts";
import {
  command,
  described,
  DNS_NAME,
  millisecondsOrOff,
  program,
  section,
  span,
  spanOrForever,
  text,
  texts,
  whole,
} from "./values.ts";

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
  host: described(host, "Host name or address of the PostgreSQL server; `host:port` is understood too."),
  port: described(whole(1, 65535).optional(), "Port of the PostgreSQL server; 5432 unless told."),
  user: described(text(), "Who to log in as. The password stands in `db_password.secret` beside this file."),
  database: described(text(), "Name of the database; rights on this one are enough."),
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

const networkStep = section({
  ipv4: described(whole(8, 31).optional(), "Bits of the prefix of IPv4 networks; none is banned without."),
  ipv6: described(whole(16, 127).optional(), "The same for IPv6."),
  limit: described(whole(1, 1_000_000), "This many bans inside are allowed; the next one bans the network."),
  window: described(span().prefault("1d"), "Bans longer ago than this are not counted."),
  ban_time: banTime,
  ...growth,
});

const trust = section({
  for: described(span().prefault("30d"), "How long a login counts."),
  methods: described(
    texts().default(["publickey"]),
    "Ways of logging in after which an address is not banned but only reported.",
  ),
  factor: described(
    whole(1, 1_000).default(3),
    "After a login in any other way, as by password, limits are so many times as high.",
  ),
});

const knock = section({
  prefix: described(
    z.string("must be a string").regex(
      /^[A-Za-z_][\w.-]{0,31}$/,
      'must be a letter or "_" and up to 31 letters, digits, ".", "_" or "-"',
    ).default("knock-"),
    "What stands before the digits of a code in a login name or a path.",
  ),
  time: described(span().prefault("12h"), "How long a knock whitelists its sender."),
});

/** The whole configuration: checks it, completes it, and is published as a JSON Schema. */
export const settingsSchema = section({
  $schema: described(z.string("must be a string").optional(), "JSON Schema that editors go by."),
  modules: described(
    z.record(z.string(), moduleSection, "must be an object of modules"),
    "What is watched: `SSHD`, `NGINX`, or a service of your own, each with its rules.",
  ),
  window,
  ban_time: banTime,
  ...growth,
  ipv6_prefix: described(
    whole(16, 128).default(64),
    "IPv6 addresses are counted and banned by networks of so many bits: one household has at least 64.",
  ),
  network_bans: described(
    z.array(networkStep, "must be a list of steps").default([]),
    "Networks are banned for the bans inside of them: the first step counts banned addresses, each further one what the " +
      "step before it has banned.",
  ),
  trust_logins: described(
    trust.optional(),
    "Who has logged in lately is not banned, or later than strangers; without it past logins count for nothing.",
  ),
  firewall: described(
    z.enum(["nftables", "command", "observe"], 'must be "nftables", "command" or "observe"')
      .optional(),
    "What bans are carried out by: a table of nftables of our own, `ban_command`, or nothing: bans are recorded only. Without " +
      "it `ban_command` where there is one.",
  ),
  nft_command: described(
    program.default(["sudo", "-n", "nft"]),
    'How nft is run for `"firewall": "nftables"`; "nft" alone where this program has CAP_NET_ADMIN.',
  ),
  unban_on_stop: described(
    z.boolean("must be true or false").default(false),
    "With nftables: no ban holds while the monitor is stopped; at its start they are all put back.",
  ),
  ban_command: described(
    command.optional(),
    "Command that bans an address, which takes the place of %s: a string that is split at white space, or a list " +
      "of words. No shell is used. Without it nothing is carried out: bans are recorded only.",
  ),
  unban_command: described(
    command.optional(),
    "Command that lifts a ban, written like `ban_command`. Without it nothing lifts bans that have run out.",
  ),
  ban_timeout: described(span("1h").prefault("10s"), "A ban or unban command that runs longer has failed."),
  ban_concurrency: described(whole(1, 64).default(4), "At most this many of these commands run at once."),
  whitelist: described(
    whitelistMembers.default([]),
    "Addresses, networks (10.0.0.0/8) and DNS names that are never banned, each alone or with a note and an end.",
  ),
  whitelist_files: described(
    texts(text(4096)).default([]),
    "Files with more of them, one a line, read again when they change; a relative path is relative to this file.",
  ),
  whitelist_refresh: described(
    span("1d").prefault("5m"),
    "DNS names of the whitelist are resolved again this often.",
  ),
  knock: described(
    knock.prefault({}),
    "Who may whitelist themselves from afar; keys are made by `strongmonitor knock new`.",
  ),
  keep_log: described(
    spanOrForever.optional(),
    'Recorded lines older than this are deleted, such as "90d"; "forever", as when left out: none are.',
  ),
  keep_bans: described(
    spanOrForever.prefault("365d"),
    'Bans that ended longer ago are deleted, such as "365d"; an address keeps them as long as `forget_after` looks back. ' +
      '"forever": none are.',
  ),
  journal_wake: described(
    millisecondsOrOff(1, 1_000).prefault("15ms"),
    'How often journalctl is made to look for new entries, such as "20ms"; "off" waits until journald tells of them, up to ' +
      "half a second.",
  ),
  DB: described(database.optional(), "PostgreSQL database that records and bans are shipped to."),
  state: described(
    text(4096).default("/var/lib/strongmonitor"),
    "Directory of the embedded state; a relative path is relative to this file.",
  ),
});

/** A checked configuration by its written keys. A value that is inherited is `undefined`. */
export type Settings = z.output<typeof settingsSchema>;

/**
 * Returns the JSON Schema (2020-12) of a configuration, for editors and for
 * docs/config.schema.json.
 */
export function jsonSchema(): Record<string, unknown> {
  return { title: "StrongMonitor configuration", ...z.toJSONSchema(settingsSchema, { io: "input" }) };
}
