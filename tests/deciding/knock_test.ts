import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/core/time.ts";
import { type Heard, type Knock, type KnockKey, Knocks, type Overheard } from "../../lib/deciding/knock.ts";
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
import { messageParser } from "../support/messages.ts";
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
  sshd.form({ logFormats: [], trustedProxies: [], patterns: [], unsafe: false }),
);

const PLAIN_KEY = key({ name: "script", kind: "plain", secret: seal(PLAIN, "5a17") });

/** What another authenticator shows, `steps` away from now. */
function code(steps = 0, secret = SECRET): string {
  return codeAt(NOW + steps * STEP, secret);
}

function event(over: Partial<Overheard> = {}): Overheard {
  return { address: ONE, time: NOW, message: "", fields: {}, trusted: true, ...over };
}

/** A login that sshd refuses, as it tells of it. */
function login(user: string, over: Partial<Overheard> = {}): Overheard {
  const message = `Invalid user ${user} from ${over.address ?? ONE} port 40000`;
  return event({ message, fields: parseSshd(message)!.fields, ...over });
}

/** A request that nginx answers. */
function request(rawPath: string, over: Partial<Overheard> = {}): Overheard {
  return event({ message: `"GET ${rawPath}"`, fields: { raw_path: rawPath }, ...over });
}

function isKnock(heard: Heard): heard is Knock {
  return heard !== null && heard !== "known";
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

Deno.test("`Knocks.hear()` takes the code of another authenticator one step early or late, and none further off", () => {
  for (
    const [steps, opened] of [[-3, false], [-2, false], [-1, true], [0, true], [1, true], [2, false]] as const
  ) {
    const heard = new Knocks([key()], CONFIG).hear(login(`knock-${code(steps)}`));
    assert.equal(isKnock(heard), opened, `${steps} steps`);
  }
});

Deno.test("`Knocks.hear()` whitelists the sender from the event's time on", () => {
  assert.deepEqual(new Knocks([key()], CONFIG).hear(login(`knock-${code()}`)), {
    key: "phone",
    address: ONE,
    time: NOW,
    until: NOW + CONFIG.time,
    step: 60_000_000,
  });
});

Deno.test("`Knocks.hear()` lets a code pass once: again it is an ordinary event of anybody else", () => {
  const knocks = new Knocks([key()], CONFIG);
  const name = `knock-${code()}`;
  assert.ok(isKnock(knocks.hear(login(name))));
  assert.equal(knocks.hear(login(name, { address: TWO })), null);
  assert.equal(knocks.hear(request(`/${name}`, { address: TWO })), null);
  assert.equal(knocks.hear(login(name)), "known");
});

Deno.test("`Knocks.hear()` takes no code of a step before the last one used", () => {
  const knocks = new Knocks([key()], CONFIG);
  assert.ok(isKnock(knocks.hear(login(`knock-${code(0)}`))));
  assert.equal(knocks.hear(login(`knock-${code(-1)}`)), null);
  assert.ok(isKnock(knocks.hear(login(`knock-${code(1)}`))));
});

Deno.test("`Knocks.hear()` knows what sshd goes on to say about a knock, and about nobody else's", () => {
  const knocks = new Knocks([key()], CONFIG);
  const user = `knock-${code()}`;
  knocks.hear(login(user));
  for (
    const [message, late, heard] of [
      [`Failed none for invalid user ${user} from ${ONE} port 1 ssh2`, 1, "known"],
      [`Connection closed by invalid user ${user} ${ONE} port 1 [preauth]`, 119, "known"],
      [`Connection closed by invalid user ${user} ${TWO} port 1 [preauth]`, 119, null],
      [`Connection closed by invalid user ${user} ${ONE} port 1 [preauth]`, 601, null],
      [`Connection closed by invalid user knock-000000 ${ONE} port 1 [preauth]`, 1, null],
    ] as const
  ) {
    const { address, fields } = parseSshd(message)!;
    const said = event({ message, fields, address: address!, time: NOW + late * SECOND });
    assert.equal(knocks.hear(said), heard, message);
  }
});

Deno.test("`Knocks` made of stored keys goes on where another ended", () => {
  const used = { step: 60_000_000, by: ONE, at: NOW };
  const again = () => new Knocks([key({ used })], CONFIG);
  assert.equal(again().hear(login(`knock-${code()}`, { address: TWO })), null);
  assert.equal(again().hear(login(`knock-${code()}`)), "known");
  assert.ok(isKnock(again().hear(login(`knock-${code(1)}`, { address: TWO }))));
});

Deno.test("`Knocks.hear()` opens by each of several keys, and by no other's code", () => {
  const knocks = new Knocks([key(), key({ name: "tablet", secret: OTHER_SECRET })], CONFIG);
  const heard = [SECRET, OTHER_SECRET].map((secret) => knocks.hear(login(`knock-${code(0, secret)}`)));
  assert.deepEqual(heard.map((one) => isKnock(one) && one.key), ["phone", "tablet"]);
  assert.equal(new Knocks([key()], CONFIG).hear(login(`knock-${code(0, OTHER_SECRET)}`)), null);
});

Deno.test("`Knocks.hear()` hears the form of a name that is its own, and no likeness of it", () => {
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
    assert.equal(knocks.hear(event({ fields: { user: name } })), null, name.slice(0, 40));
    assert.equal(knocks.hear(event({ fields: { raw_path: `/${name}` } })), null, name.slice(0, 40));
  }
});

Deno.test("`Knocks.hear()` hears a path as it was sent, whole", () => {
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
    assert.equal(isKnock(new Knocks([key(), PLAIN_KEY], CONFIG).hear(request(path))), opened, path);
  }
});

Deno.test("`Knocks.hear()` takes no word of those who could have forged it", () => {
  const knocks = new Knocks([key(), PLAIN_KEY], CONFIG);
  assert.equal(knocks.hear(login(`knock-${code()}`, { trusted: false })), null);
  assert.equal(knocks.hear(login(PLAIN, { trusted: false })), "known", "not to be kept all the same");
  assert.ok(isKnock(knocks.hear(login(`knock-${code()}`))), "the code was not spent");
});

Deno.test("`Knocks.hear()` opens by a plain secret again and again, for anybody", () => {
  const knocks = new Knocks([PLAIN_KEY], CONFIG);
  assert.ok(isKnock(knocks.hear(login(PLAIN))));
  assert.equal(knocks.hear(login(PLAIN)), "known");
  assert.ok(isKnock(knocks.hear(login(PLAIN, { address: TWO }))));
  assert.ok(isKnock(knocks.hear(login(PLAIN, { time: NOW + 3_000 * SECOND }))));
  assert.equal(knocks.hear(login(`${PLAIN}8`)), null);
  assert.equal(knocks.hear(login(`knock-${PLAIN}`)), null);
  assert.equal(knocks.hear(login(PLAIN.toUpperCase())), null);
});

Deno.test("`Knocks.hear()` keeps quiet about lines that hold a plain secret in passing", () => {
  const knocks = new Knocks([PLAIN_KEY], CONFIG);
  for (
    const message of [
      `192.0.2.1 - - "GET /favicon.ico HTTP/1.1" 404 9 "https://example.org/${PLAIN}" "Mozilla/5.0"`,
      `open() "/srv/www/${PLAIN}" failed (2: No such file or directory), client: 192.0.2.1`,
    ]
  ) assert.equal(knocks.hear(event({ message, fields: { raw_path: "/favicon.ico" } })), "known", message);
  assert.equal(knocks.hear(event({ message: "GET /open-sesame-0000000" })), null);
});

Deno.test("`Knocks` without keys hears nothing", () => {
  assert.equal(new Knocks([], CONFIG).hear(login(`knock-${code()}`)), null);
});

Deno.test("`seal()` hides a secret behind its salt, and `opens()` tells it from others", () => {
  const sealed = seal(PLAIN, "00ff");
  assert.ok(!sealed.includes(PLAIN));
  assert.notEqual(sealed.slice(5), seal(PLAIN, "00fe").slice(5));
  assert.ok(opens(PLAIN, sealed));
  assert.ok(!opens(`${PLAIN} `, sealed));
});

Deno.test("`plainSecret()` makes secrets that pass for ones", () => {
  for (const byte of [0, 1, 127, 255]) assert.match(plainSecret(new Uint8Array(20).fill(byte)), PLAIN_SECRET);
});

Deno.test("`otpauthUri()` says all that an authenticator must know", () => {
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
