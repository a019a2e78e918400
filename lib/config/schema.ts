import * as z from "zod/mini";
import { database, fleet } from "./database_schema.ts";
import { banTime, growth, moduleSection, window } from "./module_schema.ts";
import { HOOK } from "./file.ts";
import { whitelistMembers } from "./whitelist.ts";
import {
  command,
  converted,
  described,
  flag,
  howOften,
  matching,
  millisecondsOrOff,
  oneOrMore,
  program,
  section,
  sizeOrUnlimited,
  span,
  spanOrForever,
  text,
  texts,
  whole,
} from "./values.ts";

const networkStep = section({
  ipv4: described(
    z.optional(whole(8, 31)),
    "Prefix length of IPv4 networks; without it no IPv4 network is banned.",
  ),
  ipv6: described(
    z.optional(whole(16, 127)),
    "Prefix length of IPv6 networks; without it no IPv6 network is banned.",
  ),
  limit: described(
    whole(1, 1_000_000),
    "This many bans inside the network are allowed; the next one bans the network.",
  ),
  window: described(z.prefault(span(), "1d"), "Bans older than this are not counted."),
  ban_time: banTime,
  ...growth,
});

const trust = section({
  for: described(z.prefault(span(), "30d"), "How long a login counts."),
  methods: described(
    z._default(texts, ["publickey"]),
    "Login methods after which an address is not banned but only reported.",
  ),
  factor: described(
    z._default(whole(1, 1_000), 3),
    "Factor by which limits are higher after a login by another method, such as a password.",
  ),
});

const knock = section({
  prefix: described(
    z._default(
      matching(
        /^[A-Za-z_][\w.-]{0,31}$/,
        'must be a letter or "_" and up to 31 letters, digits, ".", "_" or "-"',
      ),
      "knock-",
    ),
    "Text before the digits of a code in a login name or a path.",
  ),
  time: described(z.prefault(span(), "12h"), "How long a knock whitelists its sender."),
});

const notify = section({
  program: described(
    z._default(text(4096), HOOK),
    "Program that is told, by JSON on its standard input. A relative path with a `/` is relative to this file.",
  ),
  bans: described(
    z.prefault(howOften, "1h"),
    'How often bans are told: "at once", at most once in a span such as "30m", or "never". Problems are always told at once.',
  ),
  timeout: described(
    z.prefault(span("10m"), "30s"),
    "Longest time of the program; one that runs longer is ended with its children and has failed.",
  ),
});

/** Checks and completes the whole configuration; also published as a JSON Schema. */
export const settingsSchema = section({
  $schema: described(z.optional(z.string("must be a string")), "JSON Schema that editors go by."),
  modules: described(
    z.record(z.string(), moduleSection, "must be an object of modules"),
    "Services to watch, each with its rules: `SSHD`, `NGINX`, or a service of your own.",
  ),
  window,
  ban_time: banTime,
  ...growth,
  ipv6_prefix: described(
    z._default(whole(16, 128), 64),
    "Prefix length of the networks by which IPv6 addresses are counted and banned. One household has a /64 or more.",
  ),
  network_bans: described(
    z._default(z.array(networkStep, "must be a list of steps"), []),
    "Steps by which networks are banned for the bans inside of them. The first step counts banned addresses, each " +
      "further step the networks that the one before it banned.",
  ),
  trust_logins: described(
    z.optional(trust),
    "Addresses from which somebody has logged in lately are not banned, or later than others. Without it past logins do not count.",
  ),
  firewall: described(
    z.optional(z.enum(["nftables", "command", "observe"], 'must be "nftables", "command" or "observe"')),
    "How bans are carried out: `nftables` by a table of our own, `command` by `ban_command`, `observe` not at all: bans are " +
      "recorded only. By default `command` where there is a `ban_command`, else `observe`.",
  ),
  nft_command: described(
    z._default(program, ["sudo", "-n", "nft"]),
    'How nft is run for `"firewall": "nftables"`; "nft" alone where this program has CAP_NET_ADMIN.',
  ),
  unban_on_stop: described(
    flag(),
    "With nftables: lifts all bans when the monitor stops, and applies them again at its start.",
  ),
  ban_command: described(
    z.optional(command),
    "Command that bans an address, which replaces %s: a string that is split at white space, or a list of words. No " +
      "shell is used. A module may have its own.",
  ),
  unban_command: described(
    z.optional(command),
    "Command that lifts a ban, written like `ban_command`. Without it ended bans stay in the firewall.",
  ),
  ban_timeout: described(
    z.prefault(span("1h"), "10s"),
    "Longest time of a ban or unban command; one that runs longer is ended with its children and has failed.",
  ),
  ban_concurrency: described(z._default(whole(1, 64), 4), "At most this many of these commands run at once."),
  whitelist: described(
    z._default(whitelistMembers, []),
    "Addresses, networks (10.0.0.0/8) and DNS names that are never banned, each alone or with a note and an end.",
  ),
  whitelist_files: described(
    z._default(oneOrMore(text(4096)), []),
    "Whitelist files, one entry a line, which are read again when they change. Relative paths are relative to this file.",
  ),
  whitelist_refresh: described(
    z.prefault(span("1d"), "5m"),
    "Interval at which DNS names of the whitelist are resolved again.",
  ),
  knock: described(
    z.prefault(knock, {}),
    "Knocks, by which owners of a key whitelist themselves from afar. `strongmonitor knock new` makes keys.",
  ),
  keep_log: described(
    z.optional(spanOrForever),
    'Recorded lines older than this are deleted, such as "90d"; "forever", the default: none are.',
  ),
  keep_log_size: described(
    z.prefault(sizeOrUnlimited, "1GiB"),
    'Size of the state beyond which the oldest recorded lines are deleted, such as "500MiB"; "unlimited": none are.',
  ),
  keep_bans: described(
    z.prefault(spanOrForever, "365d"),
    'Bans that ended longer ago are deleted, such as "365d"; an address keeps them as long as `forget_after` looks back. ' +
      '"forever": none are.',
  ),
  journal_wake: described(
    z.prefault(millisecondsOrOff, "15ms"),
    'How often journalctl is made to look for new entries, such as "20ms"; "off" waits until journald tells of them, up to ' +
      "half a second.",
  ),
  notify: described(
    converted(
      z._default(z.union([z.boolean(), notify], "must be true, false or an object"), false),
      (given) => given === true ? notify.parse({}) : given || null,
    ),
    "Whether a program is told of bans and problems, and how: `true` is `{}`.",
  ),
  metrics_file: described(
    z.optional(
      text(4096).check(z.regex(/\.prom$/, 'must end in ".prom", as node_exporter reads no other files')),
    ),
    "File that metrics are written to, for node_exporter's textfile collector. A relative path is relative to this file.",
  ),
  DB: described(z.optional(database), "PostgreSQL database that records and bans are shipped to."),
  fleet: described(
    z.prefault(fleet, {}),
    "How this server follows the bans of other servers on the same database.",
  ),
  state: described(
    z._default(text(4096), "/var/lib/strongmonitor"),
    "Directory of the embedded state; a relative path is relative to this file.",
  ),
});

/** A checked configuration by its written keys; `undefined`: the value is inherited. */
export type Settings = z.output<typeof settingsSchema>;

/** Returns a configuration's JSON Schema (2020-12), for editors and docs/config.schema.json. */
export function jsonSchema(): Record<string, unknown> {
  return { title: "StrongMonitor configuration", ...z.toJSONSchema(settingsSchema, { io: "input" }) };
}
