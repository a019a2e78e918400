import { strict as assert } from "node:assert";
import { parseSshd, sshd } from "../../modules/sshd.ts";
import { FUZZ_LINES, Random } from "../support/random.ts";
import { SSHD_NEAR_MISSES, SSHD_SAMPLES } from "../samples/sshd.ts";
import { messageParser } from "../support/messages.ts";

const read = messageParser(sshd.form({ logFormats: [], trustedProxies: [], patterns: [], unsafe: false }));
const random = new Random(20_260_302);

/** Compares what templates and expressions say of a message. Returns whether they name an address. */
function compare(given: string): boolean {
  const message = given.toWellFormed();
  const said = read(message);
  const theirs = parseSshd(message);
  const ours = said && { address: said.address, fields: said.fields };
  if (!isKnown(message, ours, theirs)) assert.deepEqual(ours, theirs, JSON.stringify(message));
  return ours?.address != null;
}

type Parsed = ReturnType<typeof parseSshd>;

/** Differences that are meant. */
function isKnown(message: string, ours: Parsed, theirs: Parsed): boolean {
  // Expressions took "fe80::5" out of the damaged "fe80::5:9b85 por", or nothing: templates take an address whole or not at all.
  if (ours === null && theirs !== null) return theirs.address === null || CUT.test(message);
  // Of "for illegal user x for y" the expressions took the name "y", which a stranger could choose.
  if (/^(?:\w+: )?PAM: /.test(message) && ours?.address === theirs?.address) return true;
  // They read "::03.0.113.5" as an address, in which "03" may be octal.
  if (/:0\d+\./.test(message)) return true;
  // They took blanks of other scripts for blanks.
  return /[^\S -~\t-\r]/.test(message);
}

const CUT = /^(?:\w+: )?Received disconnect from [\da-fA-F]*:/;

Deno.test("templates say of sshd's samples what the expressions said", () => {
  for (const { message } of [...SSHD_SAMPLES, ...SSHD_NEAR_MISSES]) {
    for (const before of ["", "error: ", "fatal: ", "info: ", "debug: "]) {
      for (const behind of ["", "  \r\n", " [preauth]"]) {
        compare(before + message.replace(/^(?:error|fatal|info): /, "") + behind);
      }
    }
  }
});

const PIECES = [
  ...[
    "Failed password for ",
    "Accepted publickey for ",
    "invalid user ",
    "illegal user ",
    "root",
    "",
    " ",
    " from ",
  ],
  ...[
    "192.0.2.1",
    "2001:db8::1",
    "::ffff:192.0.2.1",
    "192.0.2.999",
    "::",
    " port ",
    "22",
    "123456",
    " ssh2",
    " for ",
  ],
  ...[
    ": RSA SHA256:x",
    " [preauth]",
    "user ",
    ":11: Bye",
    " not allowed because ",
    "x=1",
    "'",
    "é",
    "error: ",
    "  user=x",
  ],
];

/** A message put together of pieces of others, at their blanks. */
function mixed(): string {
  const parts = random.pick(SSHD_SAMPLES).message.split(/(?<= )/);
  for (let times = random.below(5); times > 0; times--) {
    const at = random.below(parts.length + 1);
    const others = random.pick(SSHD_SAMPLES).message.split(/(?<= )/);
    random.pick([
      () => parts.splice(at, 1),
      () => parts.splice(at, 0, random.pick(PIECES)),
      () => parts.splice(at, 0, ...others.slice(random.below(4))),
    ])();
  }
  return parts.join("");
}

Deno.test(`templates say of ${2 * FUZZ_LINES} damaged and mixed messages of sshd what the expressions said`, () => {
  let named = 0;
  for (let i = 0; i < FUZZ_LINES; i++) {
    const damaged = random.damage(random.pick(SSHD_SAMPLES).message, random.pick(SSHD_SAMPLES).message);
    for (const message of [damaged, mixed()]) if (compare(message)) named++;
  }
  assert(named > FUZZ_LINES / 4, `only ${named} name an address`);
});
