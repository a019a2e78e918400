import { END, LOGIN, NO_ACTIVITY, ONCE } from "../lib/reading/message_reader.ts";
import type { ModuleKind } from "../lib/reading/module.ts";
import type { Template } from "../lib/reading/template.ts";
import { TemplateForm } from "../lib/reading/template_reader.ts";

/** Owner of a connection, as sshd writes it since 7.5. */
const WHOSE = "{{invalid|authenticating} user |user }";
/** Precedes a name that does not exist here. */
const UNKNOWN = "{{invalid|illegal} user |}";
/** The line of authorized_keys, or the word for a certificate, as sshd writes it since 7.7. */
const ENTRY = "{/<TOKEN>: |cert: |}";
/**
 * Text of pam_unix and similar modules behind the failure. The address is in place of the host; two
 * blanks precede the user.
 */
const PAM_TAIL =
  "; logname=<TOKEN?> uid=<NUMBER> euid=<NUMBER> tty=<TOKEN?> ruser=<TOKEN?> rhost=<ADDR>{<BLANKS><REST>|}";

/**
 * Every message of OpenSSH 7.4 to 10 (portable, with PAM and TCP wrappers) that names an address.
 * The client chooses user names, names from reverse DNS, banners and parting words: they are
 * `<USER>`, `<TEXT>`, `<REST>` or a `<TOKEN>`. Everything else is sshd's.
 */
const NAMING: readonly Template[] = [
  // Protocol 2 writes the port and "ssh2" in every verdict; only keys and certificates add text
  // behind.
  {
    name: "verdict",
    text: `Accepted <METHOD> for ${UNKNOWN}<USER> from <ADDR> port <PORT> ssh{1|2}{:<REST>| [preauth]|}`,
    says: LOGIN,
  },
  {
    name: "verdict",
    text: `{Failed|Postponed|Partial} <METHOD> for ${UNKNOWN}<USER> from <ADDR> port <PORT> ssh{1|2}` +
      "{:<REST>| [preauth]|}",
  },
  {
    name: "verdict without protocol",
    text: "Accepted <METHOD> for <USER> from <ADDR>{ port <PORT>|}",
    says: LOGIN,
  },
  {
    name: "verdict without protocol",
    text: `Failed <METHOD> for ${UNKNOWN}<USER> from <ADDR>{ port <PORT>|}`,
  },
  { name: "invalid user", text: "{Invalid|Illegal} user <USER> from <ADDR>{ port <PORT>|}{ [preauth]|}" },
  { name: "not allowed", text: "User <USER> from <ADDR> not allowed because <REST WITHOUT 0123456789>" },
  {
    // `RefuseConnection`, since 9.9.
    name: "connection prohibited",
    text: `administratively prohibited connection for ${UNKNOWN}<USER> from <ADDR> port <PORT>{ [preauth]|}`,
  },
  { name: "root refused", text: "ROOT LOGIN REFUSED FROM <ADDR>{ port <PORT>|}{ [preauth]|}" },
  {
    // One of PAM's errors contains " for " itself.
    name: "PAM verdict",
    text:
      `PAM: {Have exhausted maximum number of retries for service|<WORDS>} for ${UNKNOWN}<USER> from <ADDR>{ via <TOKEN>|}`,
  },
  // `PAMServiceName`, since 9.8, may choose another name of the service.
  { name: "PAM failure", text: `pam_<WORD>(sshd{-<WORD>|}:<WORD>): authentication failure${PAM_TAIL}` },
  { name: "PAM failures", text: `PAM <NUMBER> more authentication failure{s|}${PAM_TAIL}` },
  {
    name: "attempts exceeded",
    text:
      `maximum authentication attempts exceeded for ${UNKNOWN}<USER> from <ADDR> port <PORT>{ ssh2|}{ [preauth]|}`,
  },
  {
    name: "connection ended",
    text: "Connection {closed|reset|timed out} {by|with} <ADDR>{ port <PORT>|}{ [preauth]|}",
    says: END,
    // Older servers write it so. At LogLevel VERBOSE, sessions end with the same words as this.
    after: { name: "no greeting", text: "Did not receive identification string from" },
  },
  {
    name: "connection of a user ended",
    text: `Connection {closed|reset|timed out} {by|with} ${WHOSE}<USER> <ADDR> port <PORT>{ [preauth]|}`,
    says: END,
  },
  { name: "connection", text: "Connection from <ADDR>{ port <PORT>{ on <REST>|}|}" },
  {
    name: "connection timed out",
    text: `Connection from {${WHOSE}<USER> |}<ADDR> port <PORT> timed out{ [preauth]|}`,
    says: END,
  },
  {
    name: "connection lost",
    text: "{Closing connection to|Read{ error|} from remote host} <ADDR>{ port <PORT>{: <REST>|}|: <REST>}",
    says: END,
  },
  { name: "disconnected", text: "Disconnected from <ADDR>{ port <PORT>|}{ [preauth]|}", says: END },
  {
    name: "user disconnected",
    text: `Disconnected from ${WHOSE}<USER> <ADDR> port <PORT>{ [preauth]|}`,
    says: END,
  },
  { name: "parting words", text: "Received disconnect from <ADDR>{ port <PORT>|}:<REST>", says: END },
  { name: "disconnecting", text: "Disconnecting <ADDR> port <PORT>: <REST>" },
  { name: "disconnecting a user", text: `Disconnecting ${WHOSE}<USER> <ADDR> port <PORT>:<REST>` },
  { name: "no identification", text: "Did not receive identification string from <ADDR>{ port <PORT>|}" },
  {
    name: "bad identification",
    text: "Bad protocol version identification <TEXT> from <ADDR>{ port <PORT>|}",
  },
  { name: "version differs", text: "Protocol major versions differ for <ADDR>{ port <PORT>|}: <REST>" },
  // After a broken packet, and with the patch that hides the handshake.
  { name: "discarded", text: "Finished discarding for <ADDR>{ port <PORT>|}{ [preauth]|}" },
  {
    name: "obfuscation failed",
    text: "Magic value check failed (<NUMBER>) on obfuscated handshake from <ADDR> port <PORT>",
  },
  { name: "probe", text: "{probed|scanned} from <ADDR>{ port <PORT>|} with <REST>" },
  {
    name: "packet failure",
    // FreeBSD's functions are called Fssh_….
    text:
      "{Fssh_|}{banner <WORDS>|ssh_dispatch_run_fatal|kex_exchange_identification|send_banner|sshpkt_fatal" +
      "|process_output: ssh_packet_write_poll|process_output" +
      "|packet_write_wait|packet_write_poll|ssh_packet_write_wait|ssh_packet_write_poll}" +
      ": Connection {from|with} <ADDR> port <PORT>{: <REST>|}",
  },
  {
    name: "packet failure of a user",
    text:
      "{Fssh_|}{ssh_dispatch_run_fatal|sshpkt_fatal|process_output: ssh_packet_write_poll|process_output" +
      "|packet_write_wait|packet_write_poll|ssh_packet_write_wait|ssh_packet_write_poll}" +
      `: Connection {from|with} ${WHOSE}<USER> <ADDR> port <PORT>:<REST>`,
  },
  {
    // ssh-keyscan and other scanners open a connection for each kind of key.
    name: "no common host key",
    text: "Unable to negotiate with <ADDR>{ port <PORT>|}: no matching host key type found<REST>",
    counting: ONCE,
  },
  { name: "no common algorithm", text: "Unable to negotiate with <ADDR>{ port <PORT>|}: <REST>" },
  { name: "timeout", text: "Timeout before authentication for <ADDR>{ port <PORT>|}", says: NO_ACTIVITY },
  {
    name: "timeout of a connection",
    text:
      "Timeout before authentication for connection from <ADDR> to <TOKEN>, pid = <NUMBER>{ ({early|sending config|sending keys})|}",
    says: NO_ACTIVITY,
  },
  {
    name: "client silent",
    text:
      "{Timeout, client not responding|terminating inactive connection} from {user <USER> |}<ADDR> port <PORT>",
    says: END,
  },
  { name: "connection dropped", text: "drop connection #<NUMBER> from [<ADDR>]:<PORT> on <REST>" },
  { name: "penalty", text: "srclimit_penalise: ipv{4|6}: <WORD> <ADDR>/{32|128} <REST>", says: NO_ACTIVITY },
  {
    // Small penalties add up, and sshd puts their sum into force with other words.
    name: "penalty in force",
    text: "srclimit_penalise: <ADDR>/{32|128}: activating ipv{4|6} penalty <REST>",
    says: NO_ACTIVITY,
  },
  {
    name: "penalty lost",
    text: "srclimit_penalise: ipv{4|6} penalty table full, cannot penalise <ADDR>/{32|128} for <REST>",
    says: NO_ACTIVITY,
  },
  {
    name: "child crashed",
    text:
      "{Session process|session process|preauth child} <NUMBER> {unpriv child crash |}for connection from <ADDR> to <REST>",
  },
  { name: "refused by wrappers", text: "refused connect from {<TOKEN> (|}<ADDR>{)|}" },
  { name: "greeting not sent", text: "Could not write ident string to <ADDR>{ port <PORT>|}" },
  {
    name: "reverse mapping",
    text:
      "reverse mapping checking getaddrinfo for <TEXT> [<ADDR>] failed{.|}{ - POSSIBLE BREAK-IN ATTEMPT!|}",
  },
  { name: "mapping back", text: "Address <ADDR> maps to <REST>" },
  { name: "numeric name", text: 'Nasty PTR record "<TEXT>" is set up for <ADDR>, ignoring' },
  {
    name: "address not permitted",
    text:
      `${ENTRY}Authentication tried for <USER> with valid certificate but not from a permitted source address (<ADDR>).`,
  },
  {
    name: "host not permitted",
    text:
      `${ENTRY}Authentication tried for <USER> with correct key but not from a permitted host (host=<TOKEN?>, ip=<ADDR>` +
      "{, required=<REST WITHOUT =>|).}",
  },
  {
    name: "session",
    text:
      "Starting session: {shell|command|subsystem '<TOKEN>}{ on <TOKEN>|} for <USER> from <ADDR> port <PORT> id <NUMBER>",
  },
  {
    // The command may contain anything, also the text behind it.
    name: "session of a forced command",
    text:
      "Starting session: forced-command {(config)|(key-option)} <TEXT> from <ADDR> port <PORT> id <NUMBER>",
  },
  {
    name: "session",
    text: "{Close session: user|Starting session:} <USER> from <ADDR> port <PORT> id <NUMBER>",
  },
];

/**
 * Messages that name nobody: they tell nothing of strangers, but are no sign of a new format
 * either.
 */
const NAMELESS: readonly Template[] = [
  // The only message at the end of every session. The process that served the session writes it.
  { name: "session closed", text: "pam_unix(sshd{-<WORD>|}:session): session closed for <REST>", says: END },
  { name: "PAM", text: "pam_<WORD>(sshd{-<WORD>|}:{session|setcred|account}): <REST>" },
  {
    name: "PAM check",
    text:
      "pam_<WORD>(sshd{-<WORD>|}:auth): {check pass|received for|requirement|Consecutive login failures}<REST>",
  },
  { name: "session opened", text: "session {opened|closed} for <REST>" },
  { name: "listening", text: "Server listening on <REST>" },
  { name: "signal", text: "Received {SIGHUP|signal }<REST>" },
  { name: "exit", text: "Exiting on signal<REST>" },
  // Versions before 7.5 name nobody here.
  { name: "disconnecting nobody", text: "Disconnecting: <REST>" },
  { name: "key accepted", text: "Accepted {certificate|key} <REST>" },
  { name: "user child", text: "User child is on pid <REST>" },
  // A client that connects and leaves. The process's next message tells its address.
  {
    name: "no greeting",
    text: "{Fssh_|}kex_exchange_identification: {Connection closed by remote host|read: <REST>}",
  },
  { name: "key exchange", text: "{Fssh_|}kex_{exchange_identification|protocol_error}: <REST>" },
  // Of networks (`PerSourceNetBlockSize`), and answers to SIGINFO.
  { name: "penalty of a network", text: "{srclimit_penalise: <REST>|client <TOKEN> penalty: <REST>}" },
  // The next line, with "Connection from" or "Disconnecting", names the client.
  {
    name: "broken packet",
    text:
      "{Bad packet length|Corrupted MAC on input|padding error|dispatch_protocol_error|kex protocol error|Protocol error}<REST>",
  },
  { name: "broken pipe", text: "{Write failed|ssh_msg_send|send_error}: <REST>" },
  // Keys, certificates and files of users, and what a session asks for.
  {
    name: "key refused",
    text:
      "{Certificate invalid|Authentication refused|Public key |Unsafe |userauth_hostbased mismatch: }<REST>",
  },
  {
    name: "forwarding",
    text:
      "{connect_to |refused local port forward: |Received request from |channel_<WORD>: |Transferred: }<REST>",
  },
  { name: "PAM retries", text: "PAM service(<TOKEN> ignoring max retries<REST>" },
  { name: "request", text: "{input_userauth_request|userauth_pubkey|syslogin_perform_logout}: <REST>" },
  { name: "function", text: "{mm_|monitor_|ssh_packet_}<WORD>: <REST>" },
  { name: "throttling", text: "{beginning|exited|in} MaxStartups throttling<REST>" },
  { name: "nobody silent", text: "Timeout, client not responding<REST>" },
  { name: "subsystem", text: "subsystem request for <REST>" },
  // Beside the line that names the client; EC2 writes one for each key that a client offers.
  {
    name: "beside a failure",
    text: "{AuthorizedKeysCommand|Could not get shadow information for|Access denied for user} <REST>",
  },
  // LogLevel DEBUG: most lines.
  { name: "debug", text: "debug<NUMBER>: <REST>" },
  // HPN-SSH writes three for each connection.
  { name: "HPN", text: "SSH: Server;<REST>" },
];

/** All messages of sshd; the first template that fits counts. */
export const SSHD_TEMPLATES: readonly Template[] = [...NAMING, ...NAMELESS];

/**
 * OpenSSH's server. It writes all messages about strangers as root, so only root is trusted, and no
 * unit. A level may precede a message, as syslog gets it. Before authentication (`[preauth]`) there
 * is no session that could end.
 */
export const sshd: ModuleKind = {
  name: "SSHD",
  match: { identifiers: ["sshd", "sshd-session", "sshd-auth"], units: [], files: [] },
  aliases: ["ssh.service", "OpenSSH"],
  options: [],
  mayNameProxies: false,
  form: () =>
    new TemplateForm(SSHD_TEMPLATES, { before: ["error: ", "fatal: ", "info: "], endless: " [preauth]" }),
};
