import { strict as assert } from "node:assert";
import { isIP } from "node:net";
import { encode } from "../../lib/core/bytes.ts";
import { canonicalAddress } from "../../lib/core/address.ts";
import { Automaton, type SoughtText } from "../../lib/reading/automaton.ts";
import { UNSEEN } from "../../lib/reading/message_reader.ts";
import { sshd } from "../../modules/sshd.ts";
import { FUZZ_LINES, Random } from "../support/random.ts";
import { SSHD_SAMPLES } from "../samples/sshd.ts";
import { messageParser, NO_OPTIONS } from "../support/messages.ts";

const read = messageParser(sshd.form(NO_OPTIONS));

const numbers = new Random(20_260_301);
const random = (limit: number) => numbers.below(limit);
const pick = <T>(choices: readonly T[]): T => choices[random(choices.length)]!;
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

const DECOYS = ["198.51.100.7", "2001:db8:bad::7", "::ffff:198.51.100.7", "fe80::bad%eth0"];

/** The address that sshd sees. */
const peer = () =>
  pick([
    () => `203.0.113.${random(256)}`,
    () => `2001:db8:5::${(random(0xfffe) + 1).toString(16)}`,
    () => `::ffff:203.0.113.${random(256)}`,
    () => `fe80::5:${(random(0xfffe) + 1).toString(16)}%eth${random(4)}`,
  ])();

/** What attackers make names, banners and parting words of. */
const HOSTILE: readonly (() => string)[] = [
  () => ` from ${pick(DECOYS)} port 22 ssh2`,
  () => ` from ${pick(DECOYS)}`,
  () => ` ${pick(DECOYS)} port 22`,
  () => ` ${pick(DECOYS)} port ${random(70_000)}: `,
  () => `[${pick(DECOYS)}] failed.`,
  () => ` (${pick(DECOYS)})`,
  () => `, ip=${pick(DECOYS)}, required=`,
  () => ` rhost=${pick(DECOYS)} `,
  () => `" is set up for ${pick(DECOYS)}, ignoring`,
  () => ` with correct key but not from a permitted host (host=a`,
  () => " not allowed because ",
  () => pick(SSHD_SAMPLES).message.replaceAll(/203\.0\.113\.5|2001:db8:5::a1/g, () => pick(DECOYS)),
  () =>
    pick([
      " [preauth]",
      ": ",
      " ssh2",
      "ssh2: ",
      " port ",
      " user ",
      "invalid user ",
      "\\",
      "'",
      '"',
      " ",
      "\t",
    ]),
  () => pick(["\n", "\r", "\0", "\x1b[31m", "\u2028", "\ufffd", "\u{1f600}", "é", "\ud800"]),
  () => pick(DECOYS),
  () => pick(["root", "admin", "x", "", "123", "a.b-c"]),
];
const hostile = () => times(random(6), () => pick(HOSTILE)()).join("");
/** As a resolver lets it through: without blanks. */
const hostName = () => hostile().replaceAll(/\s/g, "") || "h";

const port = () => 1_024 + random(64_000);
const preauth = () => pick(["", " [preauth]"]);
const kind = () => pick(["invalid user ", "authenticating user ", "user "]);
const hash = () => `SHA256:${times(43, () => pick([..."abcXYZ0189+/"])).join("")}`;
const key = () =>
  pick([
    () => "",
    () => `: RSA ${hash()}`,
    () => `: ED25519-CERT ${hash()} ID ${hostile()} (serial ${random(9)}) CA RSA ${hash()}`,
  ])();

const PAM = "logname= uid=0 euid=0 tty=ssh ruser= rhost=";

/** sshd's messages about `a`; all else in them that varies is hostile where it can be. */
const MESSAGES: readonly ((a: string) => string)[] = [
  (a) =>
    `${pick(["Failed", "Accepted", "Postponed", "Partial"])} ${
      pick(["password", "publickey", "none"])
    } for ` +
    `${pick(["", "invalid user "])}${hostile()} from ${a} port ${port()} ssh2${pick([key, preauth])()}`,
  (a) => `Invalid user ${hostile()} from ${a}${pick(["", ` port ${port()}`])}`,
  (a) => `User ${hostile()} from ${a} not allowed because not listed in AllowUsers`,
  (a) => `PAM: Authentication failure for ${pick(["", "illegal user "])}${hostile()} from ${a}`,
  (a) => `pam_unix(sshd:auth): authentication failure; ${PAM}${a}  user=${hostile()}`,
  (a) => `PAM 2 more authentication failures; ${PAM}${a}  user=${hostile()}`,
  (a) =>
    `maximum authentication attempts exceeded for ${hostile()} from ${a} port ${port()} ssh2${preauth()}`,
  (a) => `Connection ${pick(["closed", "reset"])} by ${kind()}${hostile()} ${a} port ${port()}${preauth()}`,
  (a) => `Disconnected from ${kind()}${hostile()} ${a} port ${port()}${preauth()}`,
  (a) =>
    `Disconnecting ${kind()}${hostile()} ${a} port ${port()}: Too many authentication failures${preauth()}`,
  (a) =>
    `Disconnecting ${kind()}${hostile()} ${a} port ${port()}: Change of username: (${hostile()}) -> (${hostile()})`,
  (a) => `Disconnecting ${a} port ${port()}: ${hostile()}`,
  (a) => `Received disconnect from ${a} port ${port()}:11: ${hostile()}${preauth()}`,
  (a) => `Received disconnect from ${a}: 11: ${hostile()}`,
  (a) => `Bad protocol version identification '${hostile()}' from ${a} port ${port()}`,
  (a) => `Protocol major versions differ for ${a} port ${port()}: SSH-2.0-x vs. ${hostile()}`,
  (a) => `probed from ${a} port ${port()} with ${hostile()}.  Don't panic.`,
  (a) => `ssh_dispatch_run_fatal: Connection from ${kind()}${hostile()} ${a} port ${port()}: ${hostile()}`,
  (a) =>
    `process_output: ssh_packet_write_poll: Connection from ${kind()}${hostile()} ${a} port ${port()}: Broken pipe`,
  (a) => `Connection from ${pick(["", kind() + hostile() + " "])}${a} port ${port()} timed out${preauth()}`,
  (a) => `banner exchange: Connection from ${a} port ${port()}: ${hostile()}`,
  (a) => `Unable to negotiate with ${a} port ${port()}: no matching cipher found. Their offer: ${hostile()}`,
  (a) => `refused connect from ${hostile()} (${a})`,
  (a) => `reverse mapping checking getaddrinfo for ${hostile()} [${a}] failed.`,
  (a) => `Address ${a} maps to ${hostile()}, but this does not map back to the address.`,
  (a) => `Nasty PTR record "${hostile()}" is set up for ${a}, ignoring`,
  (a) =>
    `Authentication tried for ${hostile()} with correct key but not from a permitted host ` +
    `(host=${pick([hostile, hostName])()}, ip=${a}, required=192.0.2.0/24)`,
  (a) =>
    `Starting session: shell on pts/${random(9)} for ${hostile()} from ${a} port ${port()} id ${random(9)}`,
];

Deno.test(`sshd's true address or none is found in ${FUZZ_LINES} lines full of hostile text`, () => {
  let found = 0;
  for (let i = 0; i < FUZZ_LINES; i++) {
    const address = peer();
    const message = pick(["", "", "error: ", "fatal: "]) + pick(MESSAGES)(address);
    const parsed = read(message);
    if (parsed === null || parsed.address === null) continue;
    assert.equal(parsed.address, canonicalAddress(address), `line ${i}: ${JSON.stringify(message)}`);
    found++;
  }
  // Most of it is understood all the same: refusing everything would be no defence.
  assert(found > FUZZ_LINES * 0.7, `only ${found} of ${FUZZ_LINES} lines were understood`);
});

Deno.test(`${FUZZ_LINES} damaged messages of sshd give nothing but addresses`, () => {
  let found = 0;
  for (let i = 0; i < FUZZ_LINES; i++) {
    const message = numbers.damage(pick(SSHD_SAMPLES).message, pick(SSHD_SAMPLES).message);
    const parsed = read(message);
    if (parsed === null || parsed.address === null) continue;
    assert.notEqual(isIP(parsed.address), 0, JSON.stringify(message));
    assert.equal(parsed.address, canonicalAddress(parsed.address), JSON.stringify(message));
    found++;
  }
  assert(found > 0 && found < FUZZ_LINES, `${found} were understood`);
});

Deno.test("the outputs that are seen while templates are matched are those of all bytes of a message", () => {
  const texts = [
    "Failed ",
    "Failed none for ",
    "error: PAM: ",
    "Invalid user ",
    "Connection closed by authenticating user root ",
  ];
  const others = [
    " [preauth]",
    " from ",
    "root",
    "2",
    "0.113",
    "ssh2",
    "port 22",
    "not allowed because ",
    "é",
    "user x from",
  ];
  const sought = [...texts, ...others].map((text, output): SoughtText => ({
    bytes: new TextEncoder().encode(text),
    place: output < texts.length ? "start" : "anywhere",
    output,
  }));
  const form = sshd.form(NO_OPTIONS);
  const automaton = new Automaton([{ texts: sought, ignoreCase: false }], form.literals);
  const reader = form.open(() => automaton);
  let seen = 0;
  for (let i = 0; i < FUZZ_LINES; i++) {
    const message = pick(["", "error: "]) + pick(MESSAGES)(peer()) + pick(["", " "]);
    const { bytes, end } = encode(message);
    automaton.begin();
    if (!reader.read(bytes, 0, end) || reader.outputSet === UNSEEN) continue;
    assert.equal(reader.outputSet, automaton.run(0, bytes, 0, end), JSON.stringify(message));
    seen++;
  }
  assert(seen > FUZZ_LINES / 2, `only ${seen} messages were looked at`);
});
