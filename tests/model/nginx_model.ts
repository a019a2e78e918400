/**
 * nginx: access lines of the form `combined` and the error log, by one anchored expression each.
 */
import { CLF_TIME, instantOf, ISO_TIME } from "./head_model.ts";
import { canonical, given, type Said, type Service } from "./message_model.ts";

const CLIENT = "[0-9A-Fa-f:.]+|unix:";
const QUOTED = '(?:[^"\\\\]|\\\\.)*';
const COMBINED = new RegExp(
  `^(?:(?<host>[^\\s"\\[\\]]+|\\[[\\dA-Fa-f]*:[\\dA-Fa-f:.]+\\](?::\\d+)?) )?(?:(?<v4>[\\d.]+|unix:):\\d+|(?<any>${CLIENT})) - (?<user>.*?) ` +
    `\\[(?<time>\\d\\d/\\w\\w\\w/\\d{4}:\\d\\d:\\d\\d:\\d\\d [+-]\\d{4}|` +
    `\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d[+-]\\d\\d:\\d\\d)\\] "(?<request>${QUOTED})` +
    `(?:$|" (?<status>\\d{3}) (?<bytes>\\d+|-)(?:$| (?:"(?<referer>${QUOTED})(?:" "(?<user_agent>${QUOTED})` +
    `(?:" "(?<forwarded_for>${QUOTED}))?)?)?))`,
  "s",
);

/** nginx: access lines of the form `combined`, and the error log. */
export const nginxService: Service = (message, now) => {
  const read = (text: string) => {
    const said = accessLine(text, now) ?? errorLine(text, now);
    return said && { ...said, counting: isEarly(said.fields) ? 2 : 0 };
  };
  return read(message) ?? (/^\S+ nginx: /.test(message) ? read(message.replace(/^\S+ nginx: /, "")) : null);
};

/**
 * Whether nginx may have refused a request before it knew the client behind a proxy. Nobody has told
 * whether there are proxies.
 */
function isEarly({ status = "", method = "", text = "" }: Record<string, string>): boolean {
  if ("400 408 414 421 494 495 496 497 501 505".split(" ").includes(status)) return true;
  if (status === "405") return method === "CONNECT" || method === "TRACE";
  return [
    "SSL handshaking",
    "reading PROXY protocol",
    "reading client request line",
    "reading client request headers",
    "reading client pipelined request line",
    "reading client pipelined request headers",
    "waiting for request",
    "keepalive",
    "closing request",
    "handling frames",
    "processing HTTP/2 connection",
    "processing HTTP/3 connection",
  ].some((action) => text.endsWith(` while ${action}`));
}

function accessLine(line: string, now: number): Said | null {
  const groups = COMBINED.exec(line)?.groups;
  if (!groups) return null;
  const { v4, any, time, request, ...others } = groups as Record<string, string | undefined>;
  // A host is a client's text: it could hold an address, and the user then the true one. With a
  // comma it is the first of several addresses.
  const isTimed = others.host !== undefined && ISO_TIME.test(others.host);
  const isAmbiguous = others.host !== undefined &&
    ([...others.user!.matchAll(new RegExp(`(?:^| )([\\d.]+(?=:\\d+ - )|${CLIENT})(?::\\d+)? - `, "g"))].some((
      [, one],
    ) => canonical(one!) !== null) || new RegExp(`^(?:${CLIENT}),$`).test(others.host));
  // A collector's time.
  if (isTimed && !isAmbiguous) return null;
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(given({ ...others, user: userOf(others.user!) }))) {
    if (value !== "-") fields[name] = unescaped(value);
  }
  if (request !== "-") Object.assign(fields, requestFields(unescaped(request!), fields));
  const instant = (CLF_TIME.exec(time!) ?? ISO_TIME.exec(time!))?.groups;
  return {
    address: isAmbiguous ? null : canonical(v4 ?? any!),
    fields,
    time: instant && instantOf(instant, now),
  };
}

/** The user among the words that a line has before the time; undefined where there is none. */
function userOf(text: string): string | undefined {
  let words = text.replace(/^\[[^\]]*\](?: - |$)/, "").split(" ");
  words = words.filter((word) => !/^(?:[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i.test(word));
  // Addresses, ports and times: names hold no colon.
  words = words.filter((word) => !word.includes(":") && !/^\d+(?:\.\d+)+$/.test(word));
  for (const word of words) if (word === "-" || word === '""' || word === '"-"') return undefined;
  const isServer = (word: string) => word === "_" || (!/[@\\]/.test(word) && /^.+\..+$/s.test(word));
  while (words.length > 1 && isServer(words[0]!)) words = words.slice(1);
  while (words.length > 1 && isServer(words[words.length - 1]!)) words = words.slice(0, -1);
  const labels = words.length === 1 ? words[0]!.split(".") : [];
  const isHost = labels.length > 2 && labels.every((label) => /^[a-z0-9-]+$/i.test(label)) &&
    /^[a-z]{2,}$/i.test(labels.at(-1)!);
  if (isHost || (words.length === 1 && words[0] === "_")) return undefined;
  const user = words.join(" ");
  const isQuoted = user.length > 1 && user.startsWith('"') && user.endsWith('"');
  return (isQuoted ? user.slice(1, -1) : user) || undefined;
}

/** Undoes nginx's escapes, from left to right: `\x22`, and those of JSON. */
function unescaped(text: string): string {
  const NAMED: Record<string, string> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
  let done = "";
  for (let rest = text; rest !== "";) {
    const bytes = /^(?:\\x[0-9A-Fa-f]{2})+/.exec(rest)?.[0];
    const code = /^\\u[0-9A-Fa-f]{4}/.exec(rest)?.[0];
    const letter = /^\\["\\/bfnrt]/.exec(rest)?.[0];
    if (bytes) done += bytesDecoded(bytes, /.+/g);
    else if (code) done += String.fromCharCode(parseInt(code.slice(2), 16));
    else if (letter) done += NAMED[letter[1]!] ?? letter[1]!;
    else done += rest[0];
    rest = rest.slice((bytes ?? code ?? letter ?? " ").length);
  }
  return done;
}

/** Makes each run of codes the UTF-8 that its bytes are; what is none becomes U+FFFD. */
function bytesDecoded(text: string, runs: RegExp): string {
  return text.replace(runs, (run) => {
    const bytes = run.match(/[0-9A-Fa-f]{2}/g)!.map((code) => parseInt(code, 16));
    return new TextDecoder().decode(Uint8Array.from(bytes));
  });
}

/** @param line the other fields of the line */
function requestFields(request: string, line: Record<string, string>): Record<string, string> {
  const parts = /^([A-Z][A-Z_-]*) (?:(.*) )?(HTTP\/\d(?:\.\d)?)$/s.exec(request) ??
    /^([A-Z][A-Z_-]*) (.*)$/s.exec(request) ?? [];
  const [, method, , protocol] = parts;
  let target = parts[2] ?? "";
  if (method === undefined) return { request };
  const [origin, host] = /^https?:\/\/([^/?#]*)/i.exec(target) ?? ["", null];
  let local = target.slice(origin.length);
  if (host !== null && isOwn(host, line)) {
    target = local = local.startsWith("/") ? local : `/${local}`;
    request = protocol === undefined ? `${method} ${target}` : `${method} ${target} ${protocol}`;
  }
  const [, path, query] = /^([^?#]*)[^?]*(?:\?(.*))?$/s.exec(local)!;
  const decoded = (text?: string) => text && bytesDecoded(text, /(?:%[0-9A-Fa-f]{2})+/g);
  return given({
    request,
    method,
    target,
    protocol,
    raw_path: path,
    path: decoded(path)!.split(/(?<=\/)\.?\//).join(""),
    raw_query: query,
    query: decoded(query),
  });
}

/** Whether a line is about a site with the name `host`. */
function isOwn(host: string, { server, host: asked, referer }: Record<string, string>): boolean {
  const bare = (text = "") => text.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
  const name = bare(server).replace(/^(?:\*\.|\.|www\.)/, "");
  if (name.includes(".")) return `.${bare(host)}`.endsWith(`.${name}`);
  const likely = [bare(asked), bare(/^https?:\/\/([^/?#]*)/i.exec(referer ?? "")?.[1])];
  return likely.some((own) => own !== "" && own === bare(host));
}

const ERROR_HEAD = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[(?<level>\w+)\] \d+#\d+: (?:\*\d+ )?/;
/** A line that ends within the head: a container's runtime may have cut it there. */
const CUT_HEAD = /^(?:\d{1,4}|\d{4}\/[\d/ :]{0,15}(?:\[\w*\]?[ \d#:*]*)?)$/;
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
  if (CUT_HEAD.test(line)) return { address: null, fields: { level: "", text: line } };
  const head = ERROR_HEAD.exec(line);
  if (!head) return null;
  const time = instantOf(ISO_TIME.exec(line)!.groups!, now);
  const body = line.slice(head[0].length);
  const shortest = SHORTEST_LINE.exec(body)?.groups;
  const isSure = shortest && LONGEST_LINE.exec(body)!.groups!.text === shortest.text &&
    new TextEncoder().encode(line).length < CUT;
  const found = OWN_LINE.exec(body)?.groups ?? (isSure ? shortest : null);
  const level = head.groups!.level!;
  if (!found || level === "debug") {
    return { address: null, fields: { level, text: body }, time, isZoneless: true };
  }
  const { address, text, request, server, upstream, host, referer } = found as Record<
    string,
    string | undefined
  >;
  const fields: Record<string, string> = {};
  const others = { server, upstream, host, referer, user: LOGIN_NAME.exec(text!)?.groups?.user };
  for (const [name, value] of Object.entries(others)) if (value) fields[name] = value;
  if (request !== undefined) Object.assign(fields, requestFields(request, fields));
  return { address: canonical(address!), fields: { ...fields, level, text: text! }, time, isZoneless: true };
}
