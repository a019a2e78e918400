import { canonicalAddress } from "../lib/ip.ts";
import { readIsoTime } from "../lib/time.ts";
import type { Parsed } from "../lib/types.ts";
import { ADDRESS } from "./nginx_format.ts";
import { addRequest } from "./nginx_text.ts";

const HEAD = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[(?<level>\w+)\] \d+#\d+: (?:\*\d+ )?/;
/**
 * What nginx adds behind its text about a client (ngx_http_log_error_handler). It escapes nothing here: text and quoted
 * parts may hold whatever a client sent, this very form included.
 */
const TAIL = `, client: (?<address>${ADDRESS}), server: (?<server>[^",]*)` +
  `(?:, request: "(?<request>.*)")??(?:, subrequest: ".*")??(?:, upstream: "(?<upstream>.*)")??` +
  `(?:, host: "(?<host>[^"]*)")?(?:, referrer: "(?<referer>.*)")?`;
const FIRST = new RegExp(`^(?<text>.*?)${TAIL}$`, "s");
const LAST = new RegExp(`^(?<text>.*)${TAIL}$`, "s");
/** A name of Basic authentication, as nginx and its PAM module tell it. */
const USER =
  /^(?:PAM: )?user ["'](?<user>.*)["'](?: was not found in "|: password mismatch| - not authenticated: )/s;

/**
 * What a line of nginx's error log says; null where it is none. Where text of a client makes two places look like the one
 * where nginx writes the client's address, nobody is named.
 */
export function parseErrorLine(line: string): Parsed | null {
  const head = HEAD.exec(line);
  if (!head) return null;
  const { stamp } = readIsoTime(line)!;
  const body = line.slice(head[0].length);
  const level = head.groups!.level!;
  const found = FIRST.exec(body)?.groups;
  const last = found && LAST.exec(body)!.groups!;
  if (!found || found.text !== last!.text) return { address: null, fields: { level, text: body }, stamp };
  return { address: canonicalAddress(found.address!), fields: fieldsOf(found, level), stamp };
}

function fieldsOf(found: Record<string, string | undefined>, level: string): Record<string, string> {
  const { text = "", server, request, upstream, host, referer } = found;
  const fields: Record<string, string> = { level, text };
  const user = USER.exec(text)?.groups?.user;
  for (const [name, value] of Object.entries({ server, upstream, host, referer, user })) {
    if (value) fields[name] = value;
  }
  if (request !== undefined) addRequest(fields, request);
  return fields;
}
