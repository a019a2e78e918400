const UTF8 = new TextDecoder();

/** A run of escapes of bytes, or one escape of JSON. */
const ESCAPES =
  /(?:\\x[0-9A-Fa-f][0-9A-Fa-f])+|\\(u[0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f]|["\\/bfnrt])/g;

/**
 * Removes the escapes of access logs once: `\xHH`, and with `escape=json` `\"`, `\\`, `\n`,
 * `\uHHHH`. A backslash that results, as from `\x5Cn`, begins no other escape.
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
 * Decodes percent-encoding once (RFC 3986, section 2.1). Other percent signs stay, invalid UTF-8
 * becomes U+FFFD.
 */
export function decodePercent(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/(?:%[0-9A-Fa-f][0-9A-Fa-f])+/g, (run) => fromHex(run.replaceAll("%", "")));
}

/**
 * Merges several slashes, and `/./`, into one slash, as nginx does before it looks for a location
 * (merge_slashes).
 */
export function mergeSlashes(path: string): string {
  return path.replace(/\/(?:\.?\/)+/g, "/");
}

function fromHex(digits: string): string {
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return UTF8.decode(bytes);
}

const METHOD = /^[A-Z][A-Z_-]*$/;
const PROTOCOL = /^HTTP\/\d(?:\.\d)?$/;

/** Scheme and host at the start of a target in absolute form. */
const ORIGIN = /^https?:\/\/([^/?#]*)/i;

/**
 * Adds the parts of a request line without escapes (RFC 9112, section 3) to `fields`, which has all
 * other fields already. Text that is not a request line becomes only `request`. A request in absolute
 * form for the site's own host (section 3.2.2) becomes its equivalent in origin form.
 */
export function addRequest(fields: Record<string, string>, request: string): void {
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
 * Reports whether the site of a line has the name `host`. The name of the server block proves it.
 * Without that, the requested host or the referring page makes it likely: a scanner for open
 * proxies gains nothing from a page of this site.
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

/** Returns the name in `name:port`. */
function nameOf(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
}

/**
 * Adds the parts of a request's target to `fields`. nginx looks for no text behind `#`, so a path ends
 * there: by `/backup.sql#.png` a client gets backup.sql.
 */
export function addTarget(fields: Record<string, string>, target: string): void {
  fields.target = target;
  const local = target.startsWith("/") ? target : target.replace(ORIGIN, "");
  const mark = local.indexOf("?");
  fields.raw_path = local.split(/[?#]/, 1)[0]!;
  fields.path = mergeSlashes(decodePercent(fields.raw_path));
  if (mark < 0) return;
  fields.raw_query = local.slice(mark + 1);
  fields.query = decodePercent(fields.raw_query);
}
