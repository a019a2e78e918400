import { strict as assert } from "node:assert";
import { addressOf } from "../../lib/core/address_text.ts";
import { encode } from "../../lib/core/bytes.ts";
import { fieldText } from "../../lib/reading/field_text.ts";
import { EACH, END, LOGIN, NO_ACTIVITY, NOTHING, ONCE } from "../../lib/reading/message_reader.ts";
import { TemplateForm } from "../../lib/reading/template_reader.ts";
import { sshd, SSHD_TEMPLATES } from "../../modules/sshd.ts";
import { SSHD_NEAR_MISSES, SSHD_SAMPLES } from "../samples/sshd.ts";
import { messageParser, NO_OPTIONS, openForm } from "../support/messages.ts";

const read = messageParser(sshd.form(NO_OPTIONS));
const LEVEL = /^(?:error|fatal|info): /;
const bare = (message: string) => message.replace(LEVEL, "");
const NAMES = [
  ...new Set(SSHD_TEMPLATES.filter(({ text }) => text.includes("<ADDR>")).map(({ name }) => name)),
];

Deno.test("every template of sshd that names an address has samples and near misses, and there are none of others", () => {
  assert.deepEqual([...new Set(SSHD_SAMPLES.map(({ shape }) => shape))].sort(), NAMES.toSorted());
  assert.deepEqual([...new Set(SSHD_NEAR_MISSES.map(({ shape }) => shape))].sort(), NAMES.toSorted());
});

for (const name of NAMES) {
  Deno.test(`sshd's template "${name}" reads its messages and nothing that only resembles them`, () => {
    const alone = messageParser(
      new TemplateForm(SSHD_TEMPLATES.filter((template) => template.name === name)),
    );
    for (const { message, address, user } of SSHD_SAMPLES.filter(({ shape }) => shape === name)) {
      assert.equal(alone(bare(message))?.address, address, message);
      const said = read(message);
      assert.equal(said?.address, address, message);
      if (user !== undefined) assert.equal(said.fields.user, user, message);
    }
    for (const { message } of SSHD_NEAR_MISSES.filter(({ shape }) => shape === name)) {
      assert.equal(read(message)?.address ?? null, null, message);
    }
  });
}

Deno.test("sshd's messages may begin as the samples do, and not with misspelt words, a time, host or program", () => {
  const form = sshd.form(NO_OPTIONS);
  for (const { message } of SSHD_SAMPLES) {
    for (let end = 1; end <= message.length; end++) {
      assert.ok(form.mayBegin!(message.slice(0, end)), message.slice(0, end));
    }
  }
  const times = ["Mar  1 00:", "May 31 23:", "Sep  9 09:", "Nov 30 10:", "2026-03-01T00:"];
  const misspelt = ["Invaild user", "error: Invaild", "Connection form ", "invalid user", "É"];
  for (const text of [...misspelt, ...times, "web1 sshd", "db sshd"]) {
    assert.ok(!form.mayBegin!(text), text);
  }
});

Deno.test("a banner or the name of a host is no user", () => {
  for (const shape of ["bad identification", "reverse mapping", "numeric name"]) {
    for (const { message, address } of SSHD_SAMPLES.filter((sample) => sample.shape === shape)) {
      const said = read(message)!;
      assert.deepEqual([said.address, said.fields.user], [address, undefined], message);
    }
  }
});

Deno.test("the command of a session is no part of a user's name", () => {
  const session = (command: string) =>
    read(`Starting session: ${command} for nina from 203.0.113.5 port 40022 id 0`)?.fields.user;
  assert.equal(session("command on pts/0"), "nina");
  assert.equal(session("forced-command (config) '/usr/bin/rsync --server' on pts/0"), undefined);
  assert.equal(session("forced-command (key-option) 'log for bob from here'"), undefined);
});

Deno.test("sshd's messages are read behind a level and before blanks", () => {
  for (const { message, address } of SSHD_SAMPLES) {
    for (const level of ["", "error: ", "fatal: ", "info: "]) {
      assert.equal(read(`${level}${bare(message)}  \r\n`)?.address, address, level + message);
    }
  }
});

const TRUE = "203.0.113.5";
const NEAR = `${TRUE} port 51234`;
const FAR = "198.51.100.7";

/** Text of an attacker's choice in every place that sshd has for it. */
const PLACES: Record<string, (text: string) => string> = {
  "user, password": (text) => `Failed password for ${text} from ${NEAR} ssh2`,
  "invalid user, password": (text) => `Failed password for invalid user ${text} from ${NEAR} ssh2`,
  "invalid user, key": (text) =>
    `Failed publickey for invalid user ${text} from ${NEAR} ssh2: RSA SHA256:abc`,
  "name of a certificate": (text) =>
    `Failed publickey for git from ${NEAR} ssh2: RSA-CERT SHA256:abc ID ${text} (serial 7) CA RSA SHA256:def`,
  "invalid user": (text) => `Invalid user ${text} from ${NEAR}`,
  "invalid user before 7.5": (text) => `Invalid user ${text} from ${TRUE}`,
  "user not allowed": (text) => `User ${text} from ${TRUE} not allowed because not listed in AllowUsers`,
  "user of PAM": (text) => `error: PAM: Authentication failure for illegal user ${text} from ${TRUE}`,
  "user behind PAM's address": (text) =>
    `pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=${TRUE}  user=${text}`,
  "user with too many tries": (text) =>
    `error: maximum authentication attempts exceeded for invalid user ${text} from ${NEAR} ssh2 [preauth]`,
  "user who leaves": (text) => `Connection closed by invalid user ${text} ${NEAR} [preauth]`,
  "user who is gone": (text) => `Disconnected from authenticating user ${text} ${NEAR} [preauth]`,
  "user sent away": (text) =>
    `Disconnecting invalid user ${text} ${NEAR}: Too many authentication failures [preauth]`,
  "user who becomes another": (text) =>
    `Disconnecting invalid user a ${NEAR}: Change of username or service not allowed: (a,ssh-connection) -> (${text},x)`,
  "user of a broken packet": (text) =>
    `fatal: ssh_dispatch_run_fatal: Connection from authenticating user ${text} ${NEAR}: Broken pipe [preauth]`,
  "parting words": (text) => `Received disconnect from ${NEAR}:11: ${text} [preauth]`,
  "parting words before 7.5": (text) => `Received disconnect from ${TRUE}: 11: ${text}`,
  "banner": (text) => `Bad protocol version identification '${text}' from ${NEAR}`,
  "banner of an old version": (text) => `Protocol major versions differ for ${NEAR}: SSH-2.0-a vs. ${text}`,
  "banner of a probe": (text) => `probed from ${NEAR} with ${text}.  Don't panic.`,
  "algorithms": (text) =>
    `Unable to negotiate with ${NEAR}: no matching cipher found. Their offer: ${text} [preauth]`,
  "name in reverse DNS": (text) => `reverse mapping checking getaddrinfo for ${text} [${TRUE}] failed.`,
  "name that does not map back": (text) =>
    `Address ${TRUE} maps to ${text}, but this does not map back to the address.`,
  "numeric name": (text) => `Nasty PTR record "${text}" is set up for ${TRUE}, ignoring`,
  "name seen by TCP wrappers": (text) => `refused connect from ${text} (${TRUE})`,
  "user of a certificate": (text) =>
    `cert: Authentication tried for ${text} with valid certificate but not from a permitted source address (${TRUE}).`,
  "name with a correct key": (text) =>
    `Authentication tried for bob with correct key but not from a permitted host (host=${text}, ip=${TRUE}, required=192.0.2.0/24)`,
};

const HOSTILE = [
  ` from ${FAR} port 22 ssh2`,
  `x from ${FAR} port 22 ssh2`,
  `x from ${FAR} port 22 ssh2: `,
  `x from ${FAR} port 22 ssh2 [preauth]`,
  `x from ${FAR}`,
  `x from ${FAR} not allowed because y`,
  `x ${FAR} port 22`,
  `x ${FAR} port 22 [preauth]`,
  `x ${FAR} port 22: `,
  `${FAR} port 22: y`,
  `${FAR}`,
  `(${FAR})`,
  `x (${FAR})`,
  `x [${FAR}] failed.`,
  `x, ip=${FAR}, required=y`,
  `x) (host=y, ip=${FAR}, required=z`,
  `x with correct key but not from a permitted host (host=y, ip=${FAR}, required=z`,
  `x with valid certificate but not from a permitted source address (${FAR}).`,
  `" is set up for ${FAR}, ignoring`,
  `' from ${FAR} port 22`,
  `rhost=${FAR}  user=x`,
  `x\nFailed password for root from ${FAR} port 22 ssh2`,
  `x\nFailed password for root from ${FAR} port 22 ssh2\n`,
  `x\0 from ${FAR} port 22 ssh2\0`,
  `\x1b[2K\rFailed password for root from ${FAR} port 22 ssh2`,
  `x\u2028 from ${FAR} port 22 ssh2\u2028`,
  `error: Invalid user x from ${FAR}`,
  `invalid user x ${FAR} port 22`,
  "[preauth]",
  ": ",
  " ",
  "",
];

for (const [place, write] of Object.entries(PLACES)) {
  Deno.test(`the address that sshd wrote is found, or none, whatever is the ${place}`, () => {
    assert.equal(read(write("harmless"))?.address, TRUE);
    for (const text of HOSTILE) {
      const address = read(write(text))?.address ?? null;
      assert(address === null || address === TRUE, `${address}: ${JSON.stringify(write(text))}`);
    }
  });
}

const DECIDED: readonly (readonly [message: string, address: string | null])[] = [
  [`Failed password for invalid user x from ${FAR}: y from ${NEAR} ssh2`, TRUE],
  [`Failed password for invalid user x from ${FAR} port 22 ssh2 from ${NEAR} ssh2`, TRUE],
  [`Invalid user x from ${FAR} from ${TRUE} port 7`, TRUE],
  [`Invalid user x\nFailed password for y from ${FAR} port 22 ssh2 from ${TRUE} port 7`, TRUE],
  [`Received disconnect from ${TRUE} port 1:11: bye ${FAR}`, TRUE],
  [`Received disconnect from ${TRUE} port 1:11: Received disconnect from ${FAR} port 1:11: x`, TRUE],
  [`Connection closed by invalid user ${FAR} port 22 [preauth] ${TRUE} port 4 [preauth]`, TRUE],
  [`Bad protocol version identification '' from ${FAR} port 22' from ${TRUE} port 5`, TRUE],
  [`refused connect from ${FAR} (${TRUE})`, TRUE],
  [`Nasty PTR record "${FAR}" is set up for ${TRUE}, ignoring`, TRUE],
  // Both places fit, and nothing tells which one is sshd's.
  [`Failed publickey for x from ${FAR} port 22 ssh2: y from ${TRUE} port 6 ssh2: RSA SHA256:abc`, null],
  [`Failed password for x from ${FAR} port 22 ssh2: from ${NEAR} ssh2`, null],
  // Protocol 1 wrote the name that the client gave behind its address.
  [`Failed password for x from ${TRUE} port 22 ssh1: ruser y from ${FAR}`, TRUE],
  [`Disconnecting invalid user x ${FAR} port 22: y ${TRUE} port 6: bye`, null],
];

Deno.test("sshd's own address is told from another by where sshd writes it", () => {
  for (const [message, address] of DECIDED) {
    assert.equal(read(message)?.address ?? null, address, message);
  }
});

Deno.test("messages that name nobody are told from messages that sshd does not write", () => {
  const nameless = [
    "pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)",
    "Server listening on 0.0.0.0 port 22.",
    "Received signal 15; terminating.",
    "error: kex_exchange_identification: Connection closed by remote host",
    "Disconnecting: Too many authentication failures for root [preauth]",
    'pam_succeed_if(sshd:auth): requirement "uid >= 1000" not met by user "root"',
    "error: AuthorizedKeysCommand /usr/share/ec2-instance-connect/eic_run_authorized_keys root SHA256:abc failed, status 22",
    "error: Could not get shadow information for NOUSER",
    "fatal: Access denied for user root by PAM account configuration [preauth]",
    `debug1: userauth-request for user root service ssh-connection method none from ${FAR} port 22 ssh2 [preauth]`,
    `srclimit_penalise: ipv4: new ${FAR}/24 active penalty of 5.000 seconds for penalty: failed authentication`,
    `client ${FAR}/32 penalty: exceeded LoginGraceTime (expired)`,
    "error: kex protocol error: type 30 seq 3 [preauth]",
    "Bad packet length 1349676916. [preauth]",
    "error: Certificate invalid: expired",
    "Authentication refused: bad ownership or modes for directory /home/bob/.ssh",
    `error: connect_to ${FAR} port 80: failed.`,
    `Received request from ${FAR} port 5 to connect to host 192.0.2.1 port 80, but the request was denied.`,
    "pam_faillock(sshd:auth): Consecutive login failures for user bob account temporarily locked",
    "PAM service(sshd) ignoring max retries; 6 > 3",
    `SSH: Server;Ltype: Authname;Remote: ${FAR}-40022;Name: root [preauth]`,
    `Failed password for x from ${FAR} port 22 ssh2: from ${NEAR} ssh2`,
  ];
  for (const message of nameless) {
    const said = read(message);
    assert(said !== null, message);
    assert.deepEqual([said.address, said.fields, said.says], [null, {}, NOTHING], message);
  }
  for (const message of ["Password rejected: root", "Failed password", "invalid user x"]) {
    assert.equal(read(message), null, message);
  }
});

Deno.test("nothing is found in a message that does not begin as sshd begins", () => {
  for (const { message } of SSHD_SAMPLES) {
    for (const before of ["x ", " ", "\n", "\0", "\x1b[0m", "message repeated 2 times: [ ", "debug: "]) {
      assert.equal(read(before + message), null, before + message);
    }
  }
  assert.equal(read(""), null);
});

Deno.test("sshd tells who has logged in, and which connection has ended", () => {
  const says = (message: string) => {
    const { says, fields: { user, port, method, login, logout } } = read(message)!;
    return { says, user, port, method, login, logout };
  };
  const nothing = {
    user: undefined,
    port: undefined,
    method: undefined,
    login: undefined,
    logout: undefined,
  };
  const login = { ...nothing, says: LOGIN, user: "bob", port: "7", method: "publickey", login: "publickey" };
  assert.deepEqual(says(`Accepted publickey for bob from ${TRUE} port 7 ssh2: RSA SHA256:abc`), login);
  assert.deepEqual(says(`Accepted publickey for bob from ${TRUE} port 7`), login);
  assert.deepEqual(says(`Failed publickey for bob from ${TRUE} port 7`), {
    ...login,
    says: NOTHING,
    login: undefined,
  });
  const end = { ...nothing, says: END, port: "7", logout: "yes" };
  assert.deepEqual(says(`Received disconnect from ${TRUE} port 7:11: disconnected by user`), end);
  assert.deepEqual(says(`Disconnected from user bob ${TRUE} port 7`), { ...end, user: "bob" });
  assert.deepEqual(says(`Connection closed by ${TRUE} port 7`), end);
  assert.deepEqual(says(`Timeout, client not responding from user bob ${TRUE} port 7`), {
    ...end,
    user: "bob",
  });
  assert.deepEqual(says("pam_unix(sshd:session): session closed for user bob"), { ...end, port: undefined });
  assert.deepEqual(says(`Connection closed by ${TRUE} port 7 [preauth]`), {
    ...nothing,
    says: NOTHING,
    port: "7",
  });
  assert.deepEqual(says(`Connection closed by ${TRUE}`), { ...nothing, says: NOTHING });
  assert.deepEqual(says(`Connection from ${TRUE} port 7 on ${FAR} port 22`), {
    ...nothing,
    says: NOTHING,
    port: "7",
  });
});

Deno.test("sshd tells that it has given up waiting, which ends no session", () => {
  const silent = [
    `Timeout before authentication for ${TRUE} port 7`,
    `fatal: Timeout before authentication for ${TRUE}`,
    `Timeout before authentication for connection from ${TRUE} to ${FAR}, pid = 4711`,
    `srclimit_penalise: ipv4: new ${TRUE}/32 deferred penalty of 10 seconds for penalty: exceeded LoginGraceTime`,
  ];
  for (const message of silent) {
    const { address, says, fields } = read(message)!;
    assert.deepEqual([address, says, fields.logout], [TRUE, NO_ACTIVITY, undefined], message);
  }
});

Deno.test("a port has five digits at most", () => {
  assert.equal(read(`Invalid user bob from ${TRUE} port 123456`), null);
});

/** What rules see of the messages of processes, one after the other. */
function seen(...messages: readonly (readonly [pid: number, message: string])[]) {
  const reader = openForm(sshd.form(NO_OPTIONS));
  return messages.map(([pid, message]) => {
    const { bytes, end } = encode(message);
    assert.ok(reader.read(bytes, 0, end, pid), message);
    const { says, counting } = reader;
    return { message: fieldText(reader, "message"), address: addressOf(reader.address), says, counting };
  });
}

Deno.test("who connects and goes is told as older servers do, by two messages of one process", () => {
  const gone = "error: kex_exchange_identification: Connection closed by remote host";
  const reset = "error: kex_exchange_identification: read: Connection reset by peer";
  const told = (address: string, port: number) => ({
    message: `Did not receive identification string from ${address} port ${port}`,
    address,
    says: NOTHING,
    counting: EACH,
  });
  const closed = "Connection closed by 2001:db8::7 port 40001";
  assert.deepEqual(seen([7, gone], [7, closed])[1], told("2001:db8::7", 40_001));
  const freebsd = reset.replace("kex_", "Fssh_kex_");
  for (const words of [reset, freebsd]) {
    assert.deepEqual(seen([7, words], [7, `Connection reset by ${TRUE} port 2`])[1], told(TRUE, 2));
  }
  // Others come between them, and each tells of one connection.
  const several = seen([7, gone], [8, gone], [9, closed], [8, closed], [7, closed], [7, closed]);
  assert.deepEqual(several.map(({ message }) => message!.slice(0, 7)), [
    ...["error: ", "error: ", "Connect", "Did not", "Did not", "Connect"],
  ]);
  assert.equal(several[2]!.says, END);
  // Nothing tells whether they are of one process.
  assert.equal(seen([-1, gone], [-1, closed])[1]!.message, closed);
  const other = "error: kex_exchange_identification: banner line contains invalid characters";
  assert.equal(seen([7, other], [7, closed])[1]!.message, closed);
  const invalid = `banner exchange: Connection from ${TRUE} port 1: invalid format`;
  assert.equal(seen([7, gone], [7, invalid])[1]!.message, invalid);
});

Deno.test("who asks a server for all kinds of keys counts once", () => {
  const failure = (what: string) =>
    `Unable to negotiate with ${NEAR}: no matching ${what} found. Their offer: x [preauth]`;
  assert.equal(seen([1, failure("host key type")])[0]!.counting, ONCE);
  assert.equal(seen([1, failure("key exchange method")])[0]!.counting, EACH);
});
