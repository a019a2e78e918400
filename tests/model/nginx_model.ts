/**
 * nginx: access lines of the form `combined` and the error log, by one anchored expression each.
 */
import { CLF_TIME, instantOf, ISO_TIME } from "./head_model.ts";
import { canonical, given, type Said, type Service } from "./message_model.ts";

const CLIENT = "[0-9A-Fa-f:.]+|unix:";
const QUOTED = '(?:[^"\\\\]|\\\\.)*';
const COMBINED = new RegExp(
  `^(?:(?<host>[^\\s"\\[\\]]+) )?(?<address>${CLIENT}) - (?<user>.*?) ` +
    `\\[(?<time>\\d\\d/\\w\\w\\w/\\d{4}:\\d\\d:\\d\\d:\\d\\d [+-]\\d{4})\\] "(?<request>${QUOTED})` +
    `(?:$|" (?<status>\\d{3}) (?<bytes>\\d+|-)(?:$| (?:"(?<referer>${QUOTED})(?:" "(?<user_agent>${QUOTED})` +
    `(?:" "(?<forwarded_for>${QUOTED}))?)?)?))`,
  "s",
);

/** nginx: access lines of the form `combined`, and the error log. */
export const nginxService: Service = (message, now) => {
  const read = (text: string) => accessLine(text, now) ?? errorLine(text, now);
  return read(message) ?? (/^\S+ nginx: /.test(message) ? read(message.replace(/^\S+ nginx: /, "")) : null);
};

function accessLine(line: string, now: number): Said | null {
  const groups = COMBINED.exec(line)?.groups;
  if (!groups) return null;
  const { address, time, request, ...others } = groups as Record<string, string | undefined>;
  // A host is a client's text: it could hold an address, and the user then the true one.
  const isDoubtful = others.host !== undefined && new RegExp(`(?:${CLIENT}) - `).test(others.user!);
  const fields: Record<string, string> = request === "-" ? {} : requestFields(request!);
  for (const [name, value] of Object.entries(given(others))) {
    if (value !== "-") fields[name] = unescaped(value);
  }
  const instant = CLF_TIME.exec(time!)?.groups;
  return {
    address: isDoubtful ? null : canonical(address!),
    fields,
    time: instant && instantOf(instant, now),
  };
}

/** Undoes nginx's escapes: `\x22`, and those of JSON. */
function unescaped(text: string): string {
  const NAMED: Record<string, string> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
  return bytesDecoded(text, /(?:\\x[0-9A-Fa-f]{2})+/g)
    .replace(
      /\\(?:u([0-9A-Fa-f]{4})|(["\\/bfnrt]))/g,
      (_, code: string | undefined, letter: string) =>
        code === undefined ? NAMED[letter] ?? letter : String.fromCharCode(parseInt(code, 16)),
    );
}

/** Makes each run of codes the UTF-8 that its bytes are; what is none becomes U+FFFD. */
function bytesDecoded(text: string, runs: RegExp): string {
  return text.replace(runs, (run) => {
    const bytes = run.match(/[0-9A-Fa-f]{2}/g)!.map((code) => parseInt(code, 16));
    return new TextDecoder().decode(Uint8Array.from(bytes));
  });
}

function requestFields(logged: string): Record<string, string> {
  const request = unescaped(logged);
  const [, method, target = "", protocol] =
    /^([A-Z][A-Z_-]*) (?:(.*) )?(HTTP\/\d(?:\.\d)?)$/s.exec(request) ??
      /^([A-Z][A-Z_-]*) (.*)$/s.exec(request) ?? [];
  if (method === undefined) return { request };
  const local = target.startsWith("/") ? target : target.replace(/^https?:\/\/[^/?]*/i, "");
  const [, path, query] = /^([^?]*)(?:\?(.*))?$/s.exec(local)!;
  const decoded = (text?: string) => text && bytesDecoded(text, /(?:%[0-9A-Fa-f]{2})+/g);
  return given({
    request,
    method,
    target,
    protocol,
    raw_path: path,
    path: decoded(path)!.replace(/\/\/+/g, "/"),
    raw_query: query,
    query: decoded(query),
  });
}

const ERROR_HEAD = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[(?<level>\w+)\] \d+#\d+: (?:\*\d+ )?/;
/** Texts that hold nothing, or nothing with a colon, of the client's. */
const OWN_TEXTS = [
  '(?:limiting requests|delaying request|limiting connections)[^"]* zone "[^"]*"',
  "access forbidden by rule",
  "no user/password was provided for basic authentication",
  'user "[^:]*" was not found in "[^"]*"',
  'user "[^:]*": password mismatch',
  "PAM: user '[^:]*' - not authenticated: [\\w ]+",
  'client login failed: "[^"]*" while in http auth state',
  '(?:SSL_\\w+|connect|recv|send|writev|readv|sendfile|accept4?|setsockopt)\\(\\) failed \\([^"]*\\)(?: while [\\w ]+)?',
  "(?:client|upstream|peer) (?:closed|timed out|prematurely|intended|canceled|sent " +
  '(?:invalid|too|plain|no|HTTP|duplicate))[^":]*(?:: \\d+ bytes)?',
  '(?:upstream|client|connection) timed out \\([^"]*\\)(?: while [\\w ]+)?',
  "no live upstreams while connecting to upstream",
];
const OWN_LINE = new RegExp(
  `^(?<text>${OWN_TEXTS.join("|")}), (?:udp )?client: (?<address>${CLIENT})(?:, server: (?<server>[^",]*))?` +
    '(?:, request: "(?<request>.*?)(?:"(?:, (?:upstream|host|referrer|subrequest): .*)?$|$))?',
  "s",
);
const [SHORTEST_LINE, LONGEST_LINE] = [".*?", ".*"].map((text) =>
  new RegExp(
    `^(?<text>${text}), (?:udp )?client: (?<address>${CLIENT}), server: (?<server>[^",]*)(?:, login: ".*")??` +
      '(?:, request: "(?<request>.*?)")??(?:, subrequest: ".*?")??(?:, upstream: "?(?<upstream>[^"]*)"?)??' +
      '(?:, bytes from/to .*)??(?:, host: "(?<host>[^"]*)")?(?:, referrer: "(?<referer>.*)")?$',
    "s",
  )
) as [RegExp, RegExp];
const LOGIN_NAME =
  /^(?:PAM: )?user ["'](?<user>.*)["'](?: was not found in "|: password mismatch| - not authenticated: )/s;
/** nginx cuts a line at so many bytes. */
const CUT = 2_040;

function errorLine(line: string, now: number): Said | null {
  const head = ERROR_HEAD.exec(line);
  if (!head) return null;
  const time = instantOf(ISO_TIME.exec(line)!.groups!, now);
  const body = line.slice(head[0].length);
  const shortest = SHORTEST_LINE.exec(body)?.groups;
  const isSure = shortest && LONGEST_LINE.exec(body)!.groups!.text === shortest.text &&
    new TextEncoder().encode(line).length < CUT;
  const found = OWN_LINE.exec(body)?.groups ?? (isSure ? shortest : null);
  const level = head.groups!.level!;
  if (!found) return { address: null, fields: { level, text: body }, time, isZoneless: true };
  const { address, text, request, server, upstream, host, referer } = found as Record<
    string,
    string | undefined
  >;
  const fields = request === undefined ? {} : requestFields(request);
  const others = { server, upstream, host, referer, user: LOGIN_NAME.exec(text!)?.groups?.user };
  for (const [name, value] of Object.entries(others)) if (value) fields[name] = value;
  return { address: canonical(address!), fields: { ...fields, level, text: text! }, time, isZoneless: true };
}
