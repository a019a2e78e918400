import type { ModuleKind, Parsed, Parser, ParserOptions } from "../lib/reading/module.ts";
import { parseErrorLine } from "./nginx_error.ts";
import { readCombined } from "./nginx_combined.ts";
import { ADDRESS, compileFormat, type Format, QUOTED, TIME_LOCAL } from "./nginx_format.ts";
import { isJson, parseJson } from "./nginx_json.ts";
import { fieldOf, isField, readVariables } from "./nginx_variables.ts";
import { behindProxies } from "./proxies.ts";

/** Formats that are read unless told; each from its first character to where nothing more is needed. */
export const NGINX_FORMATS: Readonly<Record<string, Format>> = {
  // A line may have been cut within a very long request, and formats often add to this one.
  "combined": {
    pattern: new RegExp(
      `^(?:(?<host>[^\\s"\\[\\]]+) )?(?<remote_addr>${ADDRESS}) - (?<remote_user>.*?) \\[(?<time_local>${TIME_LOCAL})\\] ` +
        `"(?<request>${QUOTED})(?:$|" (?<status>\\d{3}) (?<body_bytes_sent>\\d+|-)(?:$| ` +
        `(?:"(?<http_referer>${QUOTED})(?:" "(?<http_user_agent>${QUOTED})(?:" "(?<http_x_forwarded_for>${QUOTED}))?)?)?))`,
      "s",
    ),
    variables: [],
  },
  "proxy manager": compileFormat(
    '[$time_local] $upstream_cache_status $upstream_status $status - $request_method $scheme $host "$request_uri" ' +
      '[Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] [Sent-to $server] "$http_user_agent" "$http_referer"',
  ),
  "proxy manager, not passed on": compileFormat(
    '[$time_local] $status - $request_method $scheme $host "$request_uri" [Client $remote_addr] ' +
      '[Length $body_bytes_sent] [Gzip $gzip_ratio] "$http_user_agent" "$http_referer"',
  ),
  "proxy manager plus": compileFormat(
    '[$time_local] $host $remote_addr $request_time "$request" $status $bytes_sent $request_length $http_referer $http_user_agent',
  ),
};

const ADDRESS_IN_USER = new RegExp(`(?:${ADDRESS}) - `);
/** How lines of known formats begin, and those of the error log. */
const BEGINNING = /^(?:[[{]|\d{4}\/|\S+ (?:nginx: |(?:\S+ )?- ))/;
/** What some forwarders leave in front of a message. */
const FORWARDED = /^\S+ nginx: /;

/** A parser of error logs, and of access logs in `formats`, or where there are none in all that are known. */
function parserOf(formats: readonly Format[]): Parser {
  // Lines of one format must not be taken for lines of another.
  const isKnown = formats.length === 0;
  const patterns = (isKnown ? Object.values(NGINX_FORMATS) : formats).map(({ pattern }) => pattern);
  const parse = (message: string): Parsed | null => {
    const combined = isKnown ? readCombined(message) : null;
    if (combined !== null) return combined;
    for (const pattern of patterns) {
      const groups = pattern.exec(message)?.groups;
      if (groups) {
        return isDoubtful(groups) ? { ...readVariables(groups), address: null } : readVariables(groups);
      }
    }
    return isKnown && isJson(message) ? parseJson(message) : parseErrorLine(message);
  };
  const reading = (message: string) =>
    parse(message) ?? (FORWARDED.test(message) ? parse(message.replace(FORWARDED, "")) : null);
  return isKnown ? Object.assign(reading, { beginning: BEGINNING }) : reading;
}

/**
 * Whether a name of a host, which a client may have chosen, could hold the address that was found, and the name of a user
 * the true one.
 */
function isDoubtful({ host, remote_user: user }: Readonly<Record<string, string | undefined>>): boolean {
  return host !== undefined && user !== undefined && ADDRESS_IN_USER.test(user);
}

function compileAll({ logFormats, trustedProxies }: ParserOptions): Format[] {
  return logFormats.map((format, index) =>
    compileFormat(format, { index, forwarded: trustedProxies.length > 0 })
  );
}

/** nginx: access logs and error logs, from files and from the journal. */
export const nginx: ModuleKind = {
  name: "NGINX",
  origin: { identifiers: ["nginx"], units: ["nginx.service"], files: ["/var/log/nginx/*.log"] },
  options: ["logFormats", "trustedProxies"],
  fields(options) {
    const variables = options.logFormats.flatMap((format) =>
      [...format.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name!)
    );
    return [...new Set([...NGINX_FIELDS, ...variables.filter(isField).map(fieldOf)])];
  },
  parser: (options) => behindProxies(parserOf(compileAll(options)), options.trustedProxies),
};

/** Fields that known formats give. */
const NGINX_FIELDS = [
  "method",
  "target",
  "path",
  "query",
  "raw_path",
  "raw_query",
  "protocol",
  "status",
  "user_agent",
  "referer",
  "user",
  "host",
  "forwarded_for",
  "bytes",
  "request",
  "level",
  "text",
  "server",
  "upstream",
];
