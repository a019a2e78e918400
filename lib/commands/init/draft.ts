import { jsonText, printable } from "../../core/text.ts";
import { Glob } from "../../sources/files/glob.ts";
import { folded, WIDTH } from "../common/layout.ts";
import { NGINX_LOGS, type NginxSurvey, SSH_LOGS, type Survey } from "./survey.ts";

/** Decisions of the user. */
export interface Answers {
  /** Addresses that are never banned. */
  readonly whitelist: readonly string[];
  /** Carry out bans. */
  readonly bans: boolean;
  /** Clients reach nginx without a proxy; null: unknown. */
  readonly isDirect: boolean | null;
}

/** URL of the schema, as the package and a manual copy install it, for editors. */
export const SCHEMA = "file:///usr/share/strongmonitor/config.schema.json";

/** Returns the text of a configuration, short and with comments. */
export function draftConfig(survey: Survey, answers: Answers): string {
  return `{
  // Made by \`strongmonitor init\`. \`strongmonitor check\` explains this file;
  // docs/configuration.md explains every key.
  ${pair("$schema", SCHEMA)},

${firewall(survey, answers)}

${whitelist(answers)}

  // How long recorded lines are kept.
  "keep_log": "90d",

  // How long a hit counts, and how long a ban lasts. Each ban of an address
  // lasts twice as long as the last, up to eight weeks. After twelve weeks
  // without a ban, the address begins anew.
  "window": "10m",
  "ban_time": "1d",
  "ban_time_factor": 2,
  "max_ban_time": "8w",
  "forget_after": "12w",

  // Bans a whole network for a day when ten of its addresses were banned within
  // a day.
  "network_bans": [
    { "ipv4": 24, "ipv6": 48, "limit": 9, "window": "1d", "ban_time": "1d" }
  ],

  // Never bans, only reports, an address with a login by key in the last 30
  // days. After a login by password its limits are three times as high.
  "trust_logins": {},

  // These modules have built-in rules; "rules" would replace them.
  "modules": {
${[sshd(survey), ...(survey.nginx === null ? [] : [nginx(survey, survey.nginx, answers)])].join(",\n\n")}
  }
}
`;
}

/** Problem and remedy on a machine whose sshd writes no log. */
export const NO_SSH_LOG = "There is no journal, and no log of sshd yet: let syslog (rsyslog) write " +
  `${SSH_LOGS.join(" or ")}.`;

function firewall({ obstacle, managers, bansBySudo }: Survey, { bans }: Answers): string {
  if (obstacle !== null) {
    return comment(`Only observes: ${obstacle}. docs/firewalls.md has commands for other firewalls.`) +
      `\n  ${pair("firewall", "observe")},`;
  }
  const beside = managers.length > 0 ? ` beside ${managers.join(" and ")}` : "";
  const meaning = bans
    ? `Bans go into nftables, in a table of their own${beside}.`
    : `Only observes, and names the addresses that it would ban. "nftables" bans, in a table of its own${beside}.`;
  const [command, unit] = bansBySudo
    ? ["sudo -n nft", "the unit that bans through sudo"]
    : ["nft", 'the unit without sudo; the other unit needs "sudo -n nft"'];
  return [
    comment(meaning),
    `  ${pair("firewall", bans ? "nftables" : "observe")},`,
    comment(`For ${unit}.`),
    `  ${pair("nft_command", command)},`,
  ].join("\n");
}

function whitelist({ whitelist }: Answers): string {
  const entries = whitelist.map((address) =>
    `\n    { ${pair("address", address)}, ${pair("note", "logged in when this file was made")} }`
  );
  const list = entries.length > 0 ? `[${entries.join(",")}\n  ]` : "[]";
  const meaning =
    "Never banned, like loopback and this machine's own addresses. Add your monitoring and your office.";
  return `${comment(meaning)}
  "whitelist": ${list},`;
}

function sshd({ hasJournal, sshLog, sshPorts }: Survey): string {
  const ports = sshPorts.length > 0 ? `sshd listens on ${sshPorts.join(" and ")}. ` : "";
  const keys = [
    ...(hasJournal ? [] : [
      comment(sshLog === null ? NO_SSH_LOG : "There is no journal.", 6).trimStart(),
      `"match": { ${pair("file", sshLog ?? SSH_LOGS)} },`,
    ]),
    comment("Not recorded, because a line that says more follows each of them.", 6).trimStart(),
    `"no_log": "Connection from "`,
  ];
  return `${comment(`${ports}Bans cut off the whole machine, or only "ports" if you set them.`, 4)}
    "SSHD": {
${keys.map((key) => `      ${key}`).join("\n")}
    }`;
}

function nginx({ hasJournal }: Survey, found: NginxSurvey, answers: Answers): string {
  const standard = new Glob(NGINX_LOGS);
  const elsewhere = found.logs.filter((path) => !standard.concerns(path));
  const keys = [
    ...(found.unread === null ? [] : [comment(`nginx.conf was not read in full: ${found.unread}.`, 6)]),
    ...(hasJournal && elsewhere.length === 0 ? [] : [
      comment(hasJournal ? "The logs that nginx.conf names." : "There is no journal.", 6),
      `      "match": { ${hasJournal ? '"identifier": "nginx", ' : ""}${
        pair("file", [NGINX_LOGS, ...elsewhere])
      } },`,
    ]),
    ...(found.formats.length === 0 ? [] : [
      comment("The formats of the access logs.", 6),
      `      ${pair("log_format", found.formats)},`,
    ]),
    ...proxies(found, answers),
    comment("Records only lines that a rule hits.", 6),
    `      ${pair("record", "hits")}`,
  ];
  return `    "NGINX": {\n${keys.join("\n")}\n    }`;
}

function proxies({ proxies, busiest }: NginxSurvey, { isDirect }: Answers): string[] {
  const known = [...new Set([...proxies, ...(busiest === null ? [] : [busiest])])];
  if (known.length > 0) {
    return [
      comment(
        "Proxies in front of nginx: never banned. The client that they name counts, if the log has X-Forwarded-For.",
        6,
      ),
      `      ${pair("trusted_proxies", known)},`,
    ];
  }
  if (isDirect) return [comment("Clients connect directly.", 6), `      ${pair("trusted_proxies", [])},`];
  return [
    comment(
      "Name the proxies or the CDN in front of nginx, or set [] if there are none. Otherwise a proxy could be banned, with all its visitors.",
      6,
    ),
    `      // "trusted_proxies": [],`,
  ];
}

/** Formats `text` as a comment that fits a terminal of 80 columns. */
function comment(text: string, indent = 2): string {
  const head = `${" ".repeat(indent)}// `;
  return folded(printable(text), "", WIDTH - head.length).map((line) => head + line).join("\n");
}

function pair(key: string, value: unknown): string {
  return `${jsonText(key)}: ${jsonText(value)}`;
}
