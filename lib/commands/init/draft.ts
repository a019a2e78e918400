import { jsonText, printable } from "../../core/text.ts";
import { folded, WIDTH } from "../layout.ts";
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
  // Made by \`strongmonitor init\`. \`strongmonitor check\` tells what it means;
  // docs/configuration.md explains every key.
  ${pair("$schema", SCHEMA)},

${firewall(survey, answers)}

${whitelist(answers)}

  // Recorded lines are kept this long.
  "keep_log": "90d",

  // Hits are forgotten after this, and bans lifted; each further ban of an
  // address lasts twice as long.
  "window": "10m",
  "ban_time": "1d",
  "ban_time_factor": 2,
  "max_ban_time": "8w",
  "forget_after": "12w",

  // Ten addresses of one network banned within a day take the whole network
  // with them for a day.
  "network_bans": [
    { "ipv4": 24, "ipv6": 48, "limit": 9, "window": "1d", "ban_time": "1d" }
  ],

  // Whoever has logged in with a key in the last 30 days is never banned; after
  // a password limits are three times as high.
  "trust_logins": {},

  // Their rules are built in; "rules" here would take their place.
  "modules": {
${[sshd(survey), ...(survey.nginx === null ? [] : [nginx(survey, survey.nginx, answers)])].join(",\n\n")}
  }
}
`;
}

/** Problem and remedy on a machine whose sshd writes no log. */
export const NO_SSH_LOG = `There is no journal, and no log of sshd yet: have syslog (rsyslog) write ${
  SSH_LOGS.join(" or ")
}.`;

function firewall({ hasNft, managers, bansBySudo }: Survey, { bans }: Answers): string {
  if (!hasNft) {
    return comment(
      "nft is not installed: this only observes. docs/firewalls.md has commands for other firewalls.",
    ) +
      `\n  ${pair("firewall", "observe")},`;
  }
  const beside = managers.length > 0 ? ` beside ${managers.join(" and ")}` : "";
  const meaning = bans
    ? `Bans go into a table of nftables of its own${beside}.`
    : `This only observes, and says whom it would ban. "nftables" bans, in a table of its own${beside}.`;
  const [command, unit] = bansBySudo
    ? ["sudo -n nft", "the unit that bans through sudo"]
    : ["nft", 'the unit without sudo; with the other one it is "sudo -n nft"'];
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
  return `${
    comment("Never banned, besides loopback and this machine's own addresses: your monitoring, your office.")
  }
  "whitelist": ${list},`;
}

function sshd({ hasJournal, sshLog, sshPorts }: Survey): string {
  const ports = sshPorts.length > 0 ? `sshd listens on ${sshPorts.join(" and ")}. ` : "";
  const keys = [
    ...(hasJournal ? [] : [
      comment(sshLog === null ? NO_SSH_LOG : "There is no journal.", 6).trimStart(),
      `"match": { ${pair("file", sshLog ?? SSH_LOGS)} },`,
    ]),
    comment("Not recorded: each is followed by a line that says more.", 6).trimStart(),
    `"no_log": "Connection from "`,
  ];
  return `${comment(`${ports}Bans cut off the whole machine; "ports" would cut off some of it alone.`, 4)}
    "SSHD": {
${keys.map((key) => `      ${key}`).join("\n")}
    }`;
}

function nginx({ hasJournal }: Survey, found: NginxSurvey, answers: Answers): string {
  const elsewhere = found.logs.filter((path) => !/^\/var\/log\/nginx\/[^/]*\.log$/.test(path));
  const keys = [
    ...(found.unread === null ? [] : [comment(`nginx.conf was not read: ${found.unread}.`, 6)]),
    ...(hasJournal && elsewhere.length === 0 ? [] : [
      comment(hasJournal ? "Where nginx.conf has logs." : "There is no journal.", 6),
      `      "match": { ${hasJournal ? '"identifier": "nginx", ' : ""}${
        pair("file", [NGINX_LOGS, ...elsewhere])
      } },`,
    ]),
    ...(found.formats.length === 0 ? [] : [
      comment("The formats of its access logs.", 6),
      `      ${pair("log_format", found.formats)},`,
    ]),
    ...proxies(found, answers),
    comment("Only lines that a rule hits are recorded.", 6),
    `      ${pair("record", "hits")}`,
  ];
  return `    "NGINX": {\n${keys.join("\n")}\n    }`;
}

function proxies({ proxies, busiest }: NginxSurvey, { isDirect }: Answers): string[] {
  const known = [...new Set([...proxies, ...(busiest === null ? [] : [busiest])])];
  if (known.length > 0) {
    return [
      comment(
        "Proxies in front: never banned. The client that they name counts, where the log tells X-Forwarded-For.",
        6,
      ),
      `      ${pair("trusted_proxies", known)},`,
    ];
  }
  if (isDirect) return [comment("Clients connect directly.", 6), `      ${pair("trusted_proxies", [])},`];
  return [
    comment(
      "Name the proxies or the CDN in front, as they could be banned with all visitors; [] if there are none.",
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
