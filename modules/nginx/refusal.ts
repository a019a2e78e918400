import { decode } from "../../lib/core/bytes.ts";
import { type Counting, EACH, type MessageReader, NEVER } from "../../lib/reading/message_reader.ts";
import { METHOD, TEXT } from "./fields.ts";

/**
 * Statuses of what nginx refuses, or may have refused, before it has read the request's head: until
 * then the address is the one that is connected, which may be a proxy's in spite of
 * `set_real_ip_from` (ngx_http_process_request_header(), ngx_http_realip_module).
 */
const EARLY = new Set([400, 408, 414, 421, 494, 495, 496, 497, 501, 505]);
/** nginx refuses these methods as early as that. */
const [NOT_ALLOWED, METHODS] = [405, /^(?:CONNECT|TRACE)$/];
/** What nginx was about when it wrote a line of the error log without having read a request. */
const BEFORE_REQUEST =
  / while (?:SSL handshaking|reading (?:PROXY protocol|client (?:pipelined )?request (?:line|headers))|waiting for request|keepalive|closing request|processing HTTP\/\d connection|handling frames)$/;

/**
 * How a message counts where nobody has told which proxies there are: what nginx has refused early
 * counts for nothing, as it could have anybody ban a proxy with all its visitors.
 */
export function countingOf(reader: Omit<MessageReader, "counting">): Counting {
  const { status } = reader;
  const isEarly = EARLY.has(status) || (status === NOT_ALLOWED && METHODS.test(textOf(reader, METHOD))) ||
    BEFORE_REQUEST.test(textOf(reader, TEXT));
  return isEarly ? NEVER : EACH;
}

/** The value of a field; "" where there is none. */
function textOf(reader: Omit<MessageReader, "counting">, field: number): string {
  if (reader.from[field]! < 0) return "";
  const bytes = reader.bytesOf(field);
  return decode(bytes, reader.from[field]!, reader.to[field]!);
}
