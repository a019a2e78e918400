import type { ModuleKind, Parsed, Parser } from "../lib/reading/module.ts";
import { readShapes, type Shape, shape, ShapeIndex } from "./shapes.ts";

/**
 * Every message of OpenSSH 7.4 to 10 (portable, with PAM and TCP wrappers) that names an address. User names, names
 * from reverse DNS, banners and parting words are chosen by whoever connects: where such text stands
 * before the address, the last place that fits is the one that sshd wrote; where it stands behind, the first.
 */
export const SSHD_SHAPES: readonly Shape[] = [
  // Protocol 2 names the port and "ssh2" on every verdict; only keys and certificates add something behind.
  shape(
    "verdict",
    "Failed Accepted Postponed Partial",
    "\\w+ <METHOD> for (?:(?:invalid|illegal) user )?<USER> from <ADDR> port <PORT> ssh[12](?::.*| \\[preauth\\])?",
  ),
  shape(
    "verdict without protocol",
    "Failed Accepted",
    "\\w+ <METHOD> for <USER> from <ADDR>(?: port <PORT>)?",
  ),
  shape(
    "invalid user",
    "Invalid Illegal",
    "I\\w+ user <USER> from <ADDR>(?: port <PORT>)?(?: \\[preauth\\])?",
  ),
  shape("not allowed", "User", "User <USER> from <ADDR> not allowed because [^\\d]*"),
  shape("root refused", "ROOT", "ROOT LOGIN REFUSED FROM <ADDR>(?: port <PORT>)?(?: \\[preauth\\])?"),
  shape("PAM verdict", "PAM:", "PAM: [\\w ]+ for <USER> from <ADDR>(?: via \\S+)?"),
  shape(
    "PAM failure",
    "pam_",
    "pam_\\w+\\(sshd:\\w+\\): authentication failure; logname=\\S* uid=\\d+ euid=\\d+ tty=\\S* ruser=\\S* " +
      "rhost=<ADDR>(?:\\s.*)?",
  ),
  shape(
    "PAM failures",
    "PAM",
    "PAM \\d+ more authentication failures?; logname=\\S* uid=\\d+ euid=\\d+ tty=\\S* ruser=\\S* rhost=<ADDR>(?:\\s.*)?",
  ),
  shape(
    "attempts exceeded",
    "maximum",
    "maximum authentication attempts exceeded for <USER> from <ADDR> port <PORT>(?: ssh2)?(?: \\[preauth\\])?",
  ),
  shape(
    "connection ended",
    "Connection",
    "Connection (?:closed|reset|timed out) (?:by|with) <ADDR>(?: port <PORT>)?(?: \\[preauth\\])?",
  ),
  shape(
    "connection of a user ended",
    "Connection",
    "Connection (?:closed|reset|timed out) (?:by|with) (?:(?:invalid|authenticating) )?user <USER> " +
      "<ADDR> port <PORT>(?: \\[preauth\\])?",
  ),
  shape("connection", "Connection", "Connection from <ADDR>(?: port <PORT>(?: on .*)?)?"),
  shape(
    "disconnected",
    "Disconnected",
    "Disconnected from <ADDR>(?: port <PORT>)?(?: \\[preauth\\])?",
  ),
  shape(
    "user disconnected",
    "Disconnected",
    "Disconnected from (?:(?:invalid|authenticating) )?user <USER> <ADDR> port <PORT>(?: \\[preauth\\])?",
  ),
  shape("parting words", "Received", "Received disconnect from <ADDR>(?: port <PORT>)?:.*"),
  shape("disconnecting", "Disconnecting", "Disconnecting <ADDR> port <PORT>: .*"),
  shape(
    "disconnecting a user",
    "Disconnecting",
    "Disconnecting (?:(?:invalid|authenticating) )?user <USER> <ADDR> port <PORT>:.*",
  ),
  shape("no identification", "Did", "Did not receive identification string from <ADDR>(?: port <PORT>)?"),
  shape(
    "bad identification",
    "Bad",
    "Bad protocol version identification <USER> from <ADDR>(?: port <PORT>)?",
  ),
  shape("version differs", "Protocol", "Protocol major versions differ for <ADDR>(?: port <PORT>)?: .*"),
  shape("probe", "probed scanned", "(?:probed|scanned) from <ADDR> port <PORT> with .*"),
  shape(
    "packet failure",
    "banner ssh_dispatch_run_fatal: kex_exchange_identification: send_banner: sshpkt_fatal: process_output:",
    "[\\w ]+: Connection (?:from|with) <ADDR> port <PORT>(?:: .*)?",
  ),
  shape(
    "packet failure of a user",
    "ssh_dispatch_run_fatal: sshpkt_fatal: process_output:",
    "\\w+: Connection (?:from|with) (?:(?:invalid|authenticating) )?user <USER> <ADDR> port <PORT>:.*",
  ),
  shape("no common algorithm", "Unable", "Unable to negotiate with <ADDR>(?: port <PORT>)?: .*"),
  shape("timeout", "Timeout", "Timeout before authentication for <ADDR>(?: port <PORT>)?"),
  shape(
    "timeout of a connection",
    "Timeout",
    "Timeout before authentication for connection from <ADDR> to [^\\s,]+, pid = \\d+",
  ),
  shape(
    "client silent",
    "Timeout,",
    "Timeout, client not responding from (?:user <USER> )?<ADDR> port <PORT>",
  ),
  shape("connection dropped", "drop", "drop connection #\\d+ from \\[<ADDR>\\]:<PORT> on .*"),
  shape("penalty", "srclimit_penalise:", "srclimit_penalise: ipv[46]: \\w+ <ADDR>/(?:32|128) .*"),
  shape("refused by wrappers", "refused", "refused connect from (?:\\S+ \\()?<ADDR>\\)?"),
  shape(
    "reverse mapping",
    "reverse",
    "reverse mapping checking getaddrinfo for <USER> \\[<ADDR>\\] failed\\.?(?: - POSSIBLE BREAK-IN ATTEMPT!)?",
  ),
  shape("mapping back", "Address", "Address <ADDR> maps to .*"),
  shape("numeric name", "Nasty", 'Nasty PTR record "<USER>" is set up for <ADDR>, ignoring'),
  shape(
    "host not permitted",
    "Authentication",
    "Authentication tried for <USER> with correct key but not from a permitted host \\(host=\\S*, ip=<ADDR>, required=[^=]*",
  ),
  shape("session", "Starting Close", "\\w+ session: <USER> from <ADDR> port <PORT> id \\d+"),
];

const INDEX = new ShapeIndex(SSHD_SHAPES);
const PAM_SHAPES = SSHD_SHAPES.filter(({ words }) => words.includes("pam_"));
/** How messages begin that name nobody: they tell nothing, but they are no sign of a new format either. */
const NAMELESS = new RegExp(
  `^(?:${
    [
      "pam_\\w+\\(sshd:(?:session|setcred|account)\\): ",
      "pam_unix\\(sshd:auth\\): check pass",
      "session (?:opened|closed) for ",
      "Server listening on ",
      "Received SIGHUP",
      "Received signal ",
      "Exiting on signal",
      "Accepted (?:certificate|key) ",
      "User child is on pid ",
      "kex_(?:exchange_identification|protocol_error): ",
      "(?:input_userauth_request|userauth_pubkey|syslogin_perform_logout|mm_\\w+|monitor_\\w+|ssh_packet_\\w+): ",
      "(?:beginning|exited) MaxStartups throttling",
      "Timeout, client not responding",
      "subsystem request for ",
    ].join("|")
  })`,
);
const NOBODY: Parsed = { address: null, fields: {} };
/** The one word that sshd has of every session's end, which its process says. */
const SESSION_CLOSED = /^pam_unix\(sshd:session\): session closed for /;
const GONE: Parsed = { address: null, fields: { logout: "yes" } };
/** What may stand before the first word: a level, as syslog gets it. */
const LEVEL = /^(?:error|fatal|info): /;

function parse(message: string): Parsed | null {
  const text = (LEVEL.test(message) ? message.slice(message.indexOf(" ") + 1) : message).trimEnd();
  const blank = text.indexOf(" ");
  if (blank < 0) return null;
  const shapes = INDEX.of(text, blank) ?? (text.startsWith("pam_") ? PAM_SHAPES : undefined);
  const parsed = shapes ? readShapes(shapes, text) : null;
  if (parsed !== null) return withSession(parsed, text);
  if (SESSION_CLOSED.test(text)) return GONE;
  return NAMELESS.test(text) ? NOBODY : null;
}

/** How sshd begins when somebody has logged in. */
const LOGIN = "Accepted ";
/** How it begins when a connection ends. */
const END = /^(?:Connection (?!from )|Disconnected |Received |Timeout, )/;

/** Adds `login`, the method, to what says that somebody has logged in, and `logout` to what says that a connection has ended. */
function withSession(parsed: Parsed, text: string): Parsed {
  const { address, fields } = parsed;
  if (fields.method && text.startsWith(LOGIN)) {
    return { address, fields: { ...fields, login: fields.method } };
  }
  const isEnd = END.test(text) && fields.port !== undefined && !text.endsWith(" [preauth]");
  return isEnd ? { address, fields: { ...fields, logout: "yes" } } : parsed;
}

/** How all that is understood begins. */
const BEGINNING = new RegExp(
  `^(?:${LEVEL.source.slice(1)})?(?:${INDEX.words.map((word) => word.replace(".", "\\.")).join("|")}|${
    NAMELESS.source.slice(1)
  })`,
);

/** Reads what sshd wrote. */
export const parseSshd: Parser = Object.assign(parse, { beginning: BEGINNING });

/** OpenSSH's server. All that it says about strangers it says as root, so no unit is trusted beside root. */
export const sshd: ModuleKind = {
  name: "SSHD",
  origin: { identifiers: ["sshd", "sshd-session", "sshd-auth"], units: [], files: [] },
  options: [],
  fields: () => ["user", "port", "method", "login", "logout"],
  parser: () => parseSshd,
};
