import { valueOf } from "../../lib/reading/field_text.ts";
import { type Counting, EACH, type MessageReader, NEVER } from "../../lib/reading/message_reader.ts";
import { METHOD, TEXT } from "./fields.ts";

/**
 * Statuses with which nginx refuses, or may refuse, a request before it has read its head. Until
 * then the address is that of the connection, which may be a proxy's despite `set_real_ip_from`
 * (ngx_http_process_request_header(), ngx_http_realip_module).
 */
const EARLY = new Set([400, 408, 414, 421, 494, 495, 496, 497, 501, 505]);
/** Methods that nginx refuses as early. */
const [NOT_ALLOWED, METHODS] = [405, /^(?:CONNECT|TRACE)$/];
/** Actions of nginx in a line of the error log before it has read a request. */
const BEFORE_REQUEST =
  / while (?:SSL handshaking|reading (?:PROXY protocol|client (?:pipelined )?request (?:line|headers))|waiting for request|keepalive|closing request|processing HTTP\/\d connection|handling frames)$/;

/**
 * Returns how a message counts if the proxies are not known. An early refusal does not count, as
 * anybody could use it to ban a proxy with all its visitors.
 */
export function countingOf(reader: Omit<MessageReader, "counting">): Counting {
  const { status } = reader;
  const isEarly = EARLY.has(status) ||
    (status === NOT_ALLOWED && METHODS.test(valueOf(reader, METHOD) ?? "")) ||
    BEFORE_REQUEST.test(valueOf(reader, TEXT) ?? "");
  return isEarly ? NEVER : EACH;
}
