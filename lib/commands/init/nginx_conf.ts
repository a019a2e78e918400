/** Reads logs and proxies from nginx.conf, in all blocks, for every host and path. */
import { canonicalNetwork } from "../../core/address.ts";
import { firstLineOf } from "../../core/error.ts";
import { directoryOf } from "../../core/file_identity.ts";
import { Glob } from "../../sources/files/glob.ts";

/** The parts of nginx.conf that matter here. */
export interface NginxSetup {
  /** Absolute paths of access and error logs; `*` stands for variables of nginx. */
  readonly logs: readonly string[];
  /** Formats of access logs in use that need `log_format` in the configuration. */
  readonly formats: readonly string[];
  /** Addresses and networks that may name the client (`set_real_ip_from`), and names of such hosts. */
  readonly proxies: readonly string[];
  readonly proxyNames: readonly string[];
}

/** Reads a file, and lists the files of a pattern. Both may throw. */
export interface Reading {
  read(path: string): string;
  list(pattern: string): readonly string[];
}

/** A directive: its name and its arguments, without quotes. */
type Directive = readonly string[];

/** Most files read for one nginx.conf: includes may form a cycle. */
const MOST_FILES = 1_000;
/** nginx's default format. */
const COMBINED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';

/** Reads nginx.conf at `path` with its includes. Throws errors of `reading` for `path` itself. */
export function readNginxSetup(path: string, reading: Reading): NginxSetup {
  const directives = [...directivesOf(path, reading)];
  const named = (name: string) =>
    directives.filter((words) => words[0] === name).map((words) => words.slice(1));
  const logs = [...named("access_log"), ...named("error_log")].filter(([file]) => file?.startsWith("/"));
  const plain = logs.filter((words) => !words.some((word) => word.startsWith("gzip")));
  const access = named("access_log").filter(([file]) => file !== undefined && file !== "off");
  const used = new Set(
    access.map(([, format]) => format === undefined || format.includes("=") ? "combined" : format),
  );
  const formats = new Map(named("log_format").map(([name, ...rest]) => [name!, formatText(rest)]));
  formats.set("combined", COMBINED);
  const texts = [...used].flatMap((name) => formats.get(name) ?? []);
  const proxies = unique(named("set_real_ip_from").flatMap(([from]) => from === "unix:" ? [] : from ?? []));
  const files = plain.map(([file]) => file!.replace(/\$\{\w+\}|\$\w+/g, "*").replace(/\*+/g, "*"));
  return {
    logs: unique(files),
    formats: texts.every(isKnown) ? [] : unique(texts),
    proxies: proxies.filter((proxy) => canonicalNetwork(proxy) !== null),
    proxyNames: proxies.filter((proxy) => canonicalNetwork(proxy) === null),
  };
}

/** Reads nginx.conf at `path`, and says why it cannot; both null: there is none. Never throws. */
export function setupAt(path: string): { setup: NginxSetup | null; unread: string | null } {
  try {
    const list = (pattern: string) => new Glob(pattern).list().paths;
    return {
      setup: readNginxSetup(path, { read: (file) => Deno.readTextFileSync(file), list }),
      unread: null,
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { setup: null, unread: null };
    const isForbidden = error instanceof Deno.errors.NotCapable;
    return { setup: null, unread: isForbidden ? "this program may not read it" : firstLineOf(error) };
  }
}

function* directivesOf(path: string, reading: Reading): Generator<Directive> {
  const folder = directoryOf(path);
  const queue = [path];
  const seen = new Set<string>();
  for (let file = queue.shift(); file !== undefined && seen.size < MOST_FILES; file = queue.shift()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const words of split(readOf(file, { path, reading }))) {
      yield words;
      if (words[0] !== "include" || words[1] === undefined) continue;
      const pattern = words[1].startsWith("/") ? words[1] : `${folder}/${words[1]}`;
      queue.push(...reading.list(pattern));
    }
  }
}

/** Reads an included file; an unreadable one counts as empty. */
function readOf(file: string, { path, reading }: { path: string; reading: Reading }): string {
  try {
    return reading.read(file);
  } catch (error) {
    if (file === path) throw error;
    return "";
  }
}

/** Blanks, a comment, an end, a quoted word, or a plain word, which may hold `${name}`. */
const TOKEN =
  /\s+|#[^\n]*|([;{}])|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|((?:\$\{\w+\}|[^\s;{}"'\\]|\\.)(?:\$\{\w+\}|[^\s;{}\\]|\\.)*)/gs;

function* split(text: string): Generator<Directive> {
  let words: string[] = [];
  for (const [token, end, double, single, plain] of text.matchAll(TOKEN)) {
    if (end !== undefined) {
      if (words.length > 0) yield words;
      words = [];
    } else if (!/^[\s#]/.test(token)) {
      words.push((double ?? single ?? plain ?? "").replace(/\\(["'\\])/g, "$1"));
    }
  }
}

/** Formats words as `log_format` of the configuration takes them. */
function formatText(words: readonly string[]): string {
  const isOption = words[0]?.startsWith("escape=") ?? false;
  return isOption ? `${words[0]} ${words.slice(1).join("")}` : words.join("");
}

/** Reports whether a format needs no `log_format`: extended `combined`, or JSON, with escapes. */
function isKnown(format: string): boolean {
  if (format.startsWith("escape=none ")) return false;
  const text = format.replace(/^escape=\w+ /, "").replace(/\$\{(\w+)\}/g, "$$$1");
  return text.replace(/^\$(?:host|http_host|server_name) /, "").startsWith(COMBINED) || text.startsWith("{");
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
