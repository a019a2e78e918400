const UTF8 = new TextDecoder();

/** A run of escapes of bytes, or one escape of JSON. */
const ESCAPES =
  /(?:\\x[0-9A-Fa-f][0-9A-Fa-f])+|\\(u[0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f]|["\\/bfnrt])/g;

/**
 * Undoes the escapes of access logs once: `\xHH`, and with `escape=json` `\"`, `\\`, `\n`, `\uHHHH`.
 * A backslash that comes out, as of `\x5Cn`, begins no other escape.
 */
export function unescapeText(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(
    ESCAPES,
    (run, code?: string) => code === undefined ? fromHex(run.replaceAll("\\x", "")) : unescapeOne(code),
  );
}

const NAMED: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

function unescapeOne(code: string): string {
  return code.length > 1 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : NAMED[code] ?? code;
}

/**
 * Undoes percent-encoding once (RFC 3986, section 2.1). Other percent signs stay, invalid UTF-8
 * becomes U+FFFD.
 */
export function decodePercent(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/(?:%[0-9A-Fa-f][0-9A-Fa-f])+/g, (run) => fromHex(run.replaceAll("%", "")));
}

/**
 * Makes one slash of several in a row, as nginx does before it looks for a location
 * (merge_slashes).
 */
export function mergeSlashes(path: string): string {
  return path.includes("//") ? path.replace(/\/\/+/g, "/") : path;
}

function fromHex(digits: string): string {
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return UTF8.decode(bytes);
}

const METHOD = /^[A-Z][A-Z_-]*$/;
const PROTOCOL = /^HTTP\/\d(?:\.\d)?$/;

/** The scheme and the host that a target in absolute form begins with. */
const ORIGIN = /^https?:\/\/([^/?#]*)/i;

/**
 * Adds the parts of a logged request line to `fields` (RFC 9112, section 3), which hold all others
 * already. Text that is no request line becomes `request` alone. A request in absolute form for the
 * site's own host (section 3.2.2) becomes the one in origin form that it stands for.
 */
export function addRequest(fields: Record<string, string>, logged: string): void {
  const request = unescapeText(logged);
  fields.request = request;
  const blank = request.indexOf(" ");
  const method = request.slice(0, Math.max(0, blank));
  if (!METHOD.test(method)) return;
  fields.method = method;
  const last = request.lastIndexOf(" ");
  const protocol = request.slice(last + 1);
  const isProtocol = PROTOCOL.test(protocol);
  if (isProtocol) fields.protocol = protocol;
  const target = request.slice(blank + 1, isProtocol ? Math.max(last, blank + 1) : request.length);
  const host = ORIGIN.exec(target)?.[1];
  if (host === undefined || !isOwnHost(host, fields)) return addTarget(fields, target);
  const local = target.replace(ORIGIN, "").replace(/^(?!\/)/, "/");
  fields.request = `${method} ${local}${isProtocol ? ` ${protocol}` : ""}`;
  addTarget(fields, local);
}

/**
 * Whether the site that a line is about has the name `host`. The name of the server block proves
 * that. Where a line has none, the host that was asked for, or the page that the request came from,
 * makes it likely: whoever looks for an open proxy has nothing of a page that he gets from here.
 */
function isOwnHost(
  host: string,
  { server = "", host: asked, referer = "" }: Record<string, string>,
): boolean {
  const name = nameOf(host);
  const own = nameOf(server).replace(/^(?:\*\.|\.|www\.)/, "");
  if (own.includes(".")) return name === own || name.endsWith(`.${own}`);
  const from = ORIGIN.exec(referer)?.[1] ?? "";
  return name !== "" && (name === nameOf(asked ?? "") || name === nameOf(from));
}

/** The name in `name:port`. */
function nameOf(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
}

/** Adds the parts of a request's target to `fields`. */
export function addTarget(fields: Record<string, string>, target: string): void {
  fields.target = target;
  const local = target.startsWith("/") ? target : target.replace(ORIGIN, "");
  const mark = local.indexOf("?");
  fields.raw_path = mark < 0 ? local : local.slice(0, mark);
  fields.path = mergeSlashes(decodePercent(fields.raw_path));
  if (mark < 0) return;
  fields.raw_query = local.slice(mark + 1);
  fields.query = decodePercent(fields.raw_query);
}
