import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/core/time.ts";
import {
  type Knock,
  type KnockEvent,
  type KnockKey,
  type KnockResult,
  Knocks,
} from "../../lib/deciding/knock.ts";
import {
  Codes,
  opens,
  otpauthUri,
  PLAIN_SECRET,
  plainSecret,
  seal,
  STEP,
} from "../../lib/deciding/knock_key.ts";
import { sshd } from "../../modules/sshd.ts";
import { messageParser, NO_OPTIONS } from "../support/messages.ts";
import { codeAt } from "../support/authenticator.ts";

const ONE = "192.0.2.1";
const TWO = "192.0.2.2";
const SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const OTHER_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const PLAIN = "open-sesame-1234567";
const CONFIG = { prefix: "knock-", time: 3_600 * SECOND };
/** In the middle of a step. */
const NOW = 60_000_000 * STEP + 15 * SECOND;

function key(over: Partial<KnockKey> = {}): KnockKey {
  return { name: "phone", kind: "totp", secret: SECRET, since: 0, used: null, ...over };
}

const parseSshd = messageParser(
  sshd.form(NO_OPTIONS),
);

const PLAIN_KEY = key({ name: "script", kind: "plain", secret: seal(PLAIN, "5a17") });

/** What another authenticator shows, `steps` away from now. */
function code(steps = 0, secret = SECRET): string {
  return codeAt(NOW + steps * STEP, secret);
}

function event(over: Partial<KnockEvent> = {}): KnockEvent {
  return { address: ONE, time: NOW, message: "", fields: {}, trusted: true, ...over };
}

/** A login that sshd refuses, as it tells of it. */
function login(user: string, over: Partial<KnockEvent> = {}): KnockEvent {
  const message = `Invalid user ${user} from ${over.address ?? ONE} port 40000`;
  return event({ message, fields: parseSshd(message)!.fields, ...over });
}

/** A request that nginx answers. */
function request(rawPath: string, over: Partial<KnockEvent> = {}): KnockEvent {
  return event({ message: `"GET ${rawPath}"`, fields: { raw_path: rawPath }, ...over });
}

function isKnock(result: KnockResult): result is Knock {
  return result !== null && result !== "known";
}

Deno.test("`Codes.fits()` takes the codes of RFC 6238, appendix B, in six digits", () => {
  const codes = new Codes(SECRET);
  for (
    const [seconds, expected] of [
      [59, "287082"],
      [1_111_111_109, "081804"],
      [1_111_111_111, "050471"],
      [1_234_567_890, "005924"],
      [2_000_000_000, "279037"],
      [20_000_000_000, "353130"],
    ] as const
  ) {
    const step = Math.floor(seconds / 30);
    assert.ok(codes.fits(expected, step), expected);
    assert.ok(!codes.fits(expected, step + 1), expected);
  }
});

Deno.test("`Knocks.check()` accepts the code of another authenticator at most one step early or late", () => {
  for (
    const [steps, opened] of [[-3, false], [-2, false], [-1, true], [0, true], [1, true], [2, false]] as const
  ) {
    const result = new Knocks([key()], CONFIG).check(login(`knock-${code(steps)}`));
    assert.equal(isKnock(result), opened, `${steps} steps`);
  }
});

Deno.test("`Knocks.check()` whitelists the sender from the event's time on", () => {
  assert.deepEqual(new Knocks([key()], CONFIG).check(login(`knock-${code()}`)), {
    key: "phone",
    address: ONE,
    time: NOW,
    until: NOW + CONFIG.time,
    step: 60_000_000,
  });
});

Deno.test("`Knocks.check()` accepts a code once; from another address it is then an ordinary event", () => {
  const knocks = new Knocks([key()], CONFIG);
  const name = `knock-${code()}`;
  assert.ok(isKnock(knocks.check(login(name))));
  assert.equal(knocks.check(login(name, { address: TWO })), null);
  assert.equal(knocks.check(request(`/${name}`, { address: TWO })), null);
  assert.equal(knocks.check(login(name)), "known");
});

Deno.test("`Knocks.check()` accepts no code of a step before the last one used", () => {
  const knocks = new Knocks([key()], CONFIG);
  assert.ok(isKnock(knocks.check(login(`knock-${code(0)}`))));
  assert.equal(knocks.check(login(`knock-${code(-1)}`)), null);
  assert.ok(isKnock(knocks.check(login(`knock-${code(1)}`))));
});

Deno.test("`Knocks.check()` knows sshd's further lines about a knock, and those of nobody else", () => {
  const knocks = new Knocks([key()], CONFIG);
  const user = `knock-${code()}`;
  knocks.check(login(user));
  for (
    const [message, late, result] of [
      [`Failed none for invalid user ${user} from ${ONE} port 1 ssh2`, 1, "known"],
      [`Connection closed by invalid user ${user} ${ONE} port 1 [preauth]`, 119, "known"],
      [`Connection closed by invalid user ${user} ${TWO} port 1 [preauth]`, 119, null],
      [`Connection closed by invalid user ${user} ${ONE} port 1 [preauth]`, 601, null],
      [`Connection closed by invalid user knock-000000 ${ONE} port 1 [preauth]`, 1, null],
    ] as const
  ) {
    const { address, fields } = parseSshd(message)!;
    const said = event({ message, fields, address: address!, time: NOW + late * SECOND });
    assert.equal(knocks.check(said), result, message);
  }
});

Deno.test("`Knocks` made of stored keys remembers their uses", () => {
  const used = { step: 60_000_000, by: ONE, at: NOW };
  const again = () => new Knocks([key({ used })], CONFIG);
  assert.equal(again().check(login(`knock-${code()}`, { address: TWO })), null);
  assert.equal(again().check(login(`knock-${code()}`)), "known");
  assert.ok(isKnock(again().check(login(`knock-${code(1)}`, { address: TWO }))));
});

Deno.test("`Knocks.check()` opens by each of several keys, and by no other's code", () => {
  const knocks = new Knocks([key(), key({ name: "tablet", secret: OTHER_SECRET })], CONFIG);
  const result = [SECRET, OTHER_SECRET].map((secret) => knocks.check(login(`knock-${code(0, secret)}`)));
  assert.deepEqual(result.map((one) => isKnock(one) && one.key), ["phone", "tablet"]);
  assert.equal(new Knocks([key()], CONFIG).check(login(`knock-${code(0, OTHER_SECRET)}`)), null);
});

Deno.test("`Knocks.check()` accepts only the exact form of a name", () => {
  const now = code();
  const fullwidth = now.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)));
  for (
    const name of [
      "",
      "knock-",
      `knock-${now.slice(1)}`,
      `knock-${now}0`,
      `knock-0${now}`,
      `Knock-${now}`,
      `xknock-${now}`,
      ` knock-${now}`,
      `knock-${now}\n`,
      `knock-${fullwidth}`,
      `knock-${now.slice(0, 5)}${fullwidth.slice(5)}`,
      now,
      `knock-${"9".repeat(100_000)}`,
      "knock-".repeat(20_000),
    ]
  ) {
    const knocks = new Knocks([key(), PLAIN_KEY], CONFIG);
    assert.equal(knocks.check(event({ fields: { user: name } })), null, name.slice(0, 40));
    assert.equal(knocks.check(event({ fields: { raw_path: `/${name}` } })), null, name.slice(0, 40));
  }
});

Deno.test("`Knocks.check()` compares a path whole and as it was sent", () => {
  const now = code();
  for (
    const [path, opened] of [
      [`/knock-${now}`, true],
      [`/%6bnock-${now}`, false],
      [`/knock%2d${now}`, false],
      [`//knock-${now}`, false],
      [`/knock-${now}/`, false],
      [`/x/knock-${now}`, false],
      [`knock-${now}`, false],
      [`/${PLAIN}`, true],
      [`/%6fpen-sesame-1234567`, false],
    ] as const
  ) {
    assert.equal(isKnock(new Knocks([key(), PLAIN_KEY], CONFIG).check(request(path))), opened, path);
  }
});

Deno.test("`Knocks.check()` accepts no code of an untrusted event", () => {
  const knocks = new Knocks([key(), PLAIN_KEY], CONFIG);
  assert.equal(knocks.check(login(`knock-${code()}`, { trusted: false })), null);
  assert.equal(knocks.check(login(PLAIN, { trusted: false })), "known", "not to be kept all the same");
  assert.ok(isKnock(knocks.check(login(`knock-${code()}`))), "the code was not spent");
});

Deno.test("`Knocks.check()` opens by a plain secret again and again, for anybody", () => {
  const knocks = new Knocks([PLAIN_KEY], CONFIG);
  assert.ok(isKnock(knocks.check(login(PLAIN))));
  assert.equal(knocks.check(login(PLAIN)), "known");
  assert.ok(isKnock(knocks.check(login(PLAIN, { address: TWO }))));
  assert.ok(isKnock(knocks.check(login(PLAIN, { time: NOW + 3_000 * SECOND }))));
  assert.equal(knocks.check(login(`${PLAIN}8`)), null);
  assert.equal(knocks.check(login(`knock-${PLAIN}`)), null);
  assert.equal(knocks.check(login(PLAIN.toUpperCase())), null);
});

Deno.test("`Knocks.check()` keeps lines that contain a plain secret from being recorded", () => {
  const knocks = new Knocks([PLAIN_KEY], CONFIG);
  for (
    const message of [
      `192.0.2.1 - - "GET /favicon.ico HTTP/1.1" 404 9 "https://example.org/${PLAIN}" "Mozilla/5.0"`,
      `open() "/srv/www/${PLAIN}" failed (2: No such file or directory), client: 192.0.2.1`,
    ]
  ) assert.equal(knocks.check(event({ message, fields: { raw_path: "/favicon.ico" } })), "known", message);
  assert.equal(knocks.check(event({ message: "GET /open-sesame-0000000" })), null);
});

Deno.test("`Knocks.check()` compares the first 16 words of a line that could be secrets, and no further ones", () => {
  const knocks = new Knocks([PLAIN_KEY], CONFIG);
  const behind = (words: number) =>
    event({ message: `GET /a/${"another-long-word/".repeat(words)}${PLAIN} HTTP/1.1`, fields: {} });
  assert.equal(knocks.check(behind(15)), "known");
  assert.equal(knocks.check(behind(16)), null);
});

Deno.test("`Knocks` without keys accepts nothing", () => {
  assert.equal(new Knocks([], CONFIG).check(login(`knock-${code()}`)), null);
});

Deno.test("`seal()` hides a secret behind its salt, and `opens()` tells it from others", () => {
  const sealed = seal(PLAIN, "00ff");
  assert.ok(!sealed.includes(PLAIN));
  assert.notEqual(sealed.slice(5), seal(PLAIN, "00fe").slice(5));
  assert.ok(opens(PLAIN, sealed));
  assert.ok(!opens(`${PLAIN} `, sealed));
});

Deno.test("`plainSecret()` makes secrets that count as plain secrets", () => {
  for (const byte of [0, 1, 127, 255]) assert.match(plainSecret(new Uint8Array(20).fill(byte)), PLAIN_SECRET);
});

Deno.test("`otpauthUri()` contains everything that an authenticator needs", () => {
  const uri = new URL(otpauthUri(SECRET, { name: "my phone", host: "web.example.org" }));
  assert.equal(uri.host, "totp");
  assert.equal(decodeURIComponent(uri.pathname), "/StrongMonitor:my phone@web.example.org");
  assert.deepEqual(Object.fromEntries(uri.searchParams), {
    issuer: "StrongMonitor",
    secret: SECRET,
    algorithm: "SHA1",
    digits: "6",
    period: "30",
  });
});
