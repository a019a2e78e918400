import { strict as assert } from "node:assert";
import { type ModuleOptions, OptionError } from "../../lib/reading/module.ts";
import { resolveStamp } from "../../lib/core/stamp.ts";
import { END, LOGIN, NOTHING } from "../../lib/reading/message_reader.ts";
import { pattern } from "../../modules/pattern/pattern.ts";
import { messageParser, NO_OPTIONS } from "../support/messages.ts";

function parser(patterns: string | readonly string[], over: Partial<ModuleOptions> = {}) {
  return messageParser(pattern.form({ ...NO_OPTIONS, patterns: [patterns].flat(), ...over }));
}
const addressOf = (source: string, message: string) => parser(source)(message)?.address;

const ANCHOR =
  "must begin with ^ for all of it: otherwise an attacker's text could stand where <ADDR> is sought";
const FIXED = "must have fixed text right before <ADDR>: what stands there could be an attacker's";
const OUTSIDE = "must hold <ADDR> outside of groups, so that it can be neither missing nor repeated";

const REFUSED: readonly (readonly [source: string, complaint: string])[] = [
  ["^refused$", "must hold <ADDR> exactly once, where the service writes the address"],
  ["^<ADDR> <ADDR>", "must hold <ADDR> exactly once, where the service writes the address"],
  [
    "refused <ADDR>",
    ANCHOR,
  ],
  [
    "^refused <ADDR>|by <ADDR2>",
    ANCHOR,
  ],
  ["^refused(?: <ADDR>)?", OUTSIDE],
  ["^refused (?:<ADDR>|x)", OUTSIDE],
  ["^.*<ADDR>", FIXED],
  [
    "^a (?<user>\\S+)<ADDR>",
    FIXED,
  ],
  ["^refused (?:by <ADDR>)+", OUTSIDE],
  ["^refused <ADDR>?", OUTSIDE],
  ["(?:^|x)refused <ADDR>", ANCHOR],
  ["^a (?<user>.*)(?: from )?<ADDR>", FIXED],
  ["^a (?<user>.*)\\b<ADDR>", FIXED],
  ["^a (?<user>.*) *<ADDR>", FIXED],
  ["^a (?:.*|from )<ADDR>", FIXED],
  ["^a (?:|from )?.<ADDR>", FIXED],
  ["^a \\d*<ADDR>", FIXED],
  ["^a [^\\]]<ADDR>", FIXED],
  ["^a (?<address>\\S+) by <ADDR>", "must not name a group address: that is what <ADDR> makes"],
  ["^a (?<message>.*) by <ADDR>", "must not name a group message: that is the whole message to a rule"],
  ["^a (?<$before>\\S+) by <ADDR>", "must not name a group $before: that is what <ADDR> makes"],
  ["^a (?<$time>\\S+) by <ADDR>", "must not name a group $time: that is what <TIME> makes"],
  ["^<TIME> to <TIME> by <ADDR>", "must hold <TIME> at most once"],
  ["^a (?<user>.*)<TIME><ADDR>", FIXED],
  ["^(?!b)a <ADDR>", "holds a look-ahead, so that some lines could take very long"],
  ["^(a <ADDR>", "is no regular expression: Unterminated group"],
];

Deno.test("a pattern that could name an address of an attacker's choice is refused, and says why", () => {
  for (const [source, complaint] of REFUSED) {
    assert.throws(() => parser(["^fine <ADDR>", source]), (error) => {
      assert.ok(error instanceof OptionError);
      assert.equal(error.message, complaint);
      return error.option === "patterns" && error.index === 1;
    });
  }
});

const AT = "2026-05-06T10:56:10Z";

/** When a message of a pattern was written, as it tells itself. */
const TIMES: readonly (readonly [source: string, message: string, time: string | null])[] = [
  ["^refused <ADDR> at <TIME>$", "refused 192.0.2.1 at 2026-05-06 10:56:10+00:00", AT],
  ["^refused <ADDR> at <TIME>$", "refused 192.0.2.1 at 06/May/2026:12:56:10 +0200", AT],
  ["^refused <ADDR> at <TIME>$", "refused 192.0.2.1 at 1778064970", AT],
  ["^refused <ADDR> at <TIME>$", "refused 192.0.2.1 at 1778064970000", AT],
  ["^refused <ADDR> at <TIME>, bye", "refused 192.0.2.1 at Wed, 06 May 2026 12:56:10 +0200, bye", AT],
  [
    "^\\[pid \\d+\\] <TIME> LOG: refused <ADDR>",
    "[pid 7] 2026-05-06 10:56:10 UTC LOG: refused 192.0.2.1",
    AT,
  ],
  [
    "^\\[pid \\d+\\] <TIME> LOG: refused <ADDR>",
    "[pid 7] 2026-05-06 05:56:10 EST LOG: refused 192.0.2.1",
    AT,
  ],
  ["^a \\[(?<TIME>[^\\]]+)\\] by <ADDR>", "a [2026-05-06T10:56:10Z] by 192.0.2.1", AT],
  ["^a \\[(?<TIME>[^\\]]+)\\] by <ADDR>", "a [yesterday] by 192.0.2.1", null],
  // A stranger's text may look like the place of the time: then nobody knows.
  ["^a (?<user>.*) at <TIME> by <ADDR>$", "a bob at 2026-05-06T10:56:10Z by 192.0.2.1", AT],
  [
    "^<ADDR> as (?<user>.*) at <TIME>(?:, .*)?$",
    "192.0.2.1 as bob at 1999-01-01T00:00:00Z, x at 2026-05-06T10:56:10Z",
    null,
  ],
  // Without a place it stands at the beginning, where no field does.
  ["^.*refused <ADDR>", "2026-05-06T10:56:10Z refused 192.0.2.1", AT],
  ["^\\[[^\\]]+\\] refused <ADDR>", "[2026-05-06T10:56:10Z] refused 192.0.2.1", AT],
  ["^refused <ADDR> at <TIME>$", "refused 192.0.2.1 at 2026-05-06 12:56:10 Europe/Berlin", AT],
  ["^(?<user>\\S+) refused <ADDR>", "2026-05-06T10:56:10Z refused 192.0.2.1", null],
  ["^(?:a )?(?<user>\\S+) refused <ADDR>", "2026-05-06T10:56:10Z refused 192.0.2.1", null],
  ["^\\[WARN\\] \\S+ refused (?<user>\\S+) <ADDR>", "[WARN] 2026-05-06T10:56:10Z refused bob 192.0.2.1", AT],
  ["^error: (?<user>.*) refused <ADDR>", "error: 2026-05-06T10:56:10Z refused 192.0.2.1", null],
  ["^\\[\\w+\\] (?<user>.*) refused <ADDR>", "[4711] 2026-05-06T10:56:10Z refused 192.0.2.1", null],
  ['^<ADDR> - \\S+ \\[.*\\] "POST /login', '192.0.2.1 - - [06/May/2026:12:56:10 +0200] "POST /login', AT],
  ['^\\{"ip":"<ADDR>",', '{"ip":"192.0.2.1","time":"2026-05-06T10:56:10Z"}', AT],
  ["^logger=auth .*ip=<ADDR>", "logger=auth t=2026-05-06T10:56:10Z ip=192.0.2.1", AT],
  ["^logger=(?<user>.*) ip=<ADDR>", "logger=x t=2026-05-06T10:56:10Z ip=192.0.2.1", null],
  ["^refused <ADDR>", "refused 192.0.2.1 at 2026-05-06T10:56:10Z", null],
];

Deno.test("a message tells its time at its beginning, or where the pattern says <TIME>", () => {
  for (const [source, message, time] of TIMES) {
    const read = parser(source)(message);
    assert.equal(read?.address, "192.0.2.1", message);
    assert.deepEqual(Object.keys(read.fields).filter((name) => name !== "user"), []);
    const told = read.stamp && resolveStamp(read.stamp, { now: 0, before: NaN });
    assert.equal(told, time === null ? null : Date.parse(time) * 1_000, `${source}: ${message}`);
  }
});

Deno.test("`unsafe` takes any pattern that is an expression", () => {
  assert.equal(parser("(?<!x)<ADDR>", { unsafe: true })("by 192.0.2.1")?.address, "192.0.2.1");
  assert.equal(parser("refused(?: <ADDR>)?", { unsafe: true })("refused")?.address, null);
  assert.throws(() => parser("(<ADDR>", { unsafe: true }), OptionError);
});

Deno.test("an `unsafe` pattern finds the time where the service writes it before the first field", () => {
  const line = "logger=auth t=2026-05-06T10:56:10Z user=bob bob ip=192.0.2.1";
  const stampBy = (source: string) => parser(source, { unsafe: true })(line)?.stamp;
  assert.notEqual(stampBy("^logger=.* ip=(?=\\d)<ADDR>"), null);
  assert.equal(stampBy("^logger=(?<user>.*) ip=(?=\\d)<ADDR>"), null);
  assert.equal(stampBy("(?<=ip=)<ADDR>"), null);
  assert.equal(parser("^.*(bob) \\1 ip=<ADDR>", { unsafe: true })(line)?.address, "192.0.2.1");
});

const ADDRESSES: readonly (readonly [message: string, address: string | null | undefined])[] = [
  ["from 192.0.2.1", "192.0.2.1"],
  ["from 192.0.2.1.", "192.0.2.1"],
  ["from 192.0.2.1: no", "192.0.2.1"],
  ["from 192.0.2.1, no", "192.0.2.1"],
  ["from ::ffff:192.0.2.1", "192.0.2.1"],
  ["from 2001:db8::1", "2001:db8::1"],
  ["from 2001:DB8:0::1: no", "2001:db8::1"],
  ["from fe80::1%eth0", "fe80::1"],
  ["from 192.0.2.1.example.net", null],
  ["from 192.0.2.1-example.net", null],
  ["from 192.0.2.1x", null],
  ["from 192.0.2.999", null],
  ["from 192.0.2", undefined],
  ["from example.net", undefined],
  ["x from 192.0.2.1", undefined],
  ["from 2001:db8::1.", "2001:db8::1"],
  ["from 2001:db8::1: no", "2001:db8::1"],
  ["from 2001:db8:: no", "2001:db8::"],
  ["from ::ffff:192.0.2.1.", "192.0.2.1"],
  ["from 192.0.2.1:22", "192.0.2.1"],
  ["from 192.0.2.1)", "192.0.2.1"],
  ["from 2001:db8::1.example.net", null],
  ["from 2001:db8::1.de", null],
  ["from 2001:db8::1-example", null],
  ["from 192.0.2.1%x.example.net", null],
  ["from 192.0.2.1\u00e9.example.net", null],
  ["from 192.0.2.1.5", null],
  ["from 010.0.0.1", null],
  ["from 0x7f.0.0.1", undefined],
  ["from 0x7f.1", undefined],
  ["from 2130706433", undefined],
  ["from 1:2:3:4:5:6:7:8:9", null],
  ["from ::::", null],
  ["from fe80::1%eth0.5", "fe80::1"],
];

Deno.test("a pattern finds whole addresses, and none that is only how a name begins", () => {
  for (const [message, address] of ADDRESSES) {
    assert.equal(addressOf("^from <ADDR>", message), address, message);
  }
});

/** A pattern, a message, and the address. */
const PORTS: readonly (readonly [source: string, message: string, address: string | null])[] = [
  ["^<ADDR>:\\d+ x", "203.0.113.5:58340 x", "203.0.113.5"],
  ["^<ADDR>:\\d+ x", "2001:db8::1:58340 x", "2001:db8::1"],
  ["^<ADDR>:\\d+ x", "2001:db8::1:22 x", "2001:db8::1"],
  ["^<ADDR>:\\d+ x", "2001:db8:::22 x", "2001:db8::"],
  ["^<ADDR>:\\d+ x", "2001:db8:1:2:3:4:5:6:5834 x", "2001:db8:1:2:3:4:5:6"],
  ["^<ADDR>:\\d+ x", "2001:db8:1:2:3:4:5:6 x", null],
  ["^<ADDR>:\\d+ x", "::ffff:203.0.113.5:22 x", "203.0.113.5"],
  ["^<ADDR>:\\d+ x", "[2001:db8::1]:22 x", "2001:db8::1"],
  ["^<ADDR>:\\d+ x", "[fe80::1%eth0]:22 x", "fe80::1"],
  ["^<ADDR>:\\d+ x", "fe80::1%eth0:22 x", "fe80::1"],
  ["^<ADDR>:(?<port>\\d+): (?<text>.*)", "2001:db8::1:22: from 2001:db8::7:1: ", "2001:db8::1"],
  ["^<ADDR>:[0-9]+:(?<user>.*)", "2001:db8::1:22:bob", "2001:db8::1"],
  ["^<ADDR>(?::\\d+) x", "2001:db8::1:22 x", "2001:db8::1"],
  ["^by \\[?<ADDR>\\]?(:\\d+) x", "by 2001:db8::1:22 x", "2001:db8::1"],
  ["^<ADDR>:\\d+", "2001:db8::1:22", "2001:db8::1"],
  ["^<ADDR>:\\d+", "2001:db8::1:22ab", null],
  ["^<ADDR>:\\d+", "2001:db8::1:22:ab", null],
  ["^<ADDR>:\\d+", "2001:db8::1:22.example.net", null],
  ["^<ADDR>:\\d+", "2001:db8::1:22: no", "2001:db8::1"],
  ["^\\[<ADDR>\\]:\\d+", "[2001:db8::1]:22", "2001:db8::1"],
  ["^\\[<ADDR>\\]:\\d+", "[203.0.113.5]:22", "203.0.113.5"],
  ["^by \\[?<ADDR>\\]?:\\d+", "by [2001:db8::1]:22", "2001:db8::1"],
  ["^by \\[?<ADDR>\\]?:\\d+", "by 2001:db8::1:22", "2001:db8::1"],
  ["^by \\[?<ADDR>\\]?:\\d+", "by 203.0.113.5:22", "203.0.113.5"],
  ["^<ADDR>(?::\\d+)? x", "2001:db8::1:58340 x", "2001:db8::1"],
  ["^<ADDR>(?::\\d+)? x", "2001:db8:1:2:3:4:5:6:22 x", "2001:db8:1:2:3:4:5:6"],
  ["^<ADDR>(?::\\d+)? x", "2001:db8::1 x", "2001:db8::1"],
  ["^<ADDR>(?::\\d+)? x", "[2001:db8::1]:22 x", "2001:db8::1"],
  ["^<ADDR>\\.\\d+ > ", "2001:db8::1.40022 > ", "2001:db8::1"],
  ["^<ADDR>\\.\\d+ > ", "192.0.2.7.40022 > ", "192.0.2.7"],
  ["^<ADDR>\\.\\d+$", "::ffff:192.0.2.7.40022", "192.0.2.7"],
  ["^<ADDR>\\.\\d+", "192.0.2.7.40022.example.org", null],
  ["^<ADDR>\\.\\d+", "2001:db8::1.40022x", null],
  ["^<ADDR>\\.", "192.0.2.7.40022", null],
  ["^<ADDR> x", "2001:db8::1:58340 x", null],
  ["^<ADDR> x", "[2001:db8::1] x", "2001:db8::1"],
];

Deno.test("a port that a pattern says follows is no part of an IPv6 address", () => {
  for (const [source, message, address] of PORTS) {
    assert.equal(addressOf(source, message), address, `${source}: ${message}`);
  }
});

Deno.test("a pattern that never names an IPv6 address is warned of", () => {
  const warnings = (source: string, unsafe = false) =>
    pattern.form({ ...NO_OPTIONS, patterns: [source], unsafe }).warnings!();
  for (const [source] of PORTS) assert.deepEqual(warnings(source), [], source);
  assert.deepEqual(
    warnings("^(?:(?:(?:a{9999}){9999}){9999}){9999} (?=\\d+\\.)<ADDR>", true),
    [],
    "no sample",
  );
  assert.deepEqual(warnings("^a(?: b|c)+ [^x]\\w{2} .* from <ADDR>, \\d+$"), []);
  assert.deepEqual(warnings("^by (?=\\d+\\.)<ADDR>", true), [
    "its pattern ^by (?=\\d+\\.)<ADDR> never names an IPv6 address: whoever comes by IPv6 is not counted",
  ]);
});

const TRUE = "203.0.113.5";
const FAR = "198.51.100.7";

/** Pattern, a message with hostile text, and whether the address is sure all the same. */
const HOSTILE: readonly (readonly [source: string, message: string, address: string | null])[] = [
  ["^login of (?<user>.*) from <ADDR>$", `login of x from ${FAR} from ${TRUE}`, TRUE],
  ["^login of (?<user>.*) from <ADDR>", `login of x from ${FAR} from ${TRUE}`, null],
  ["^login of (?<user>.*?) from <ADDR>", `login of x from ${FAR} from ${TRUE}`, null],
  ["^login of (?<user>\\S+) from <ADDR>", `login of x from ${FAR} from ${TRUE}`, null],
  ["^login of (?<user>\\w+) from <ADDR>", `login of x from ${FAR} from ${TRUE}`, null],
  ['^login of "(?<user>[^"]*)" from <ADDR>', `login of "x" from ${FAR}" from ${TRUE}`, null],
  ["^login of (?<user>[a-z ]{1,9}) from <ADDR>", `login of x from ${FAR} from ${TRUE}`, null],
  ["^login(?: of (?<user>.*))? from <ADDR>", `login of x from ${FAR} from ${TRUE}`, null],
  ["^login (?:of .*|by nobody) from <ADDR>", `login of x from ${FAR} from ${TRUE}`, null],
  ["^login (?:\\w+ )*from <ADDR>", `login of from ${FAR} from ${TRUE}`, null],
  ["^login from <ADDR> by (?<user>.*)$", `login from ${TRUE} by x from ${FAR}`, TRUE],
  [
    "^login of (?<user>.*) from <ADDR> port (?<port>\\d+)$",
    `login of x from ${FAR} port 1 from ${TRUE} port 2`,
    TRUE,
  ],
  ["^login of (?<user>.*) from <ADDR>$", `login of x\nlogin of y from ${FAR} from ${TRUE}`, TRUE],
  ["^login of (?<user>\\d+) from <ADDR>", `login of 1 from ${FAR} from ${TRUE}`, null],
  ["^login(?: of (?<user>\\d+))? from <ADDR>", `login from ${FAR} from ${TRUE}`, null],
  ["^login of (?<user>.*)[ ]?from +<ADDR>", `login of x from ${FAR} from ${TRUE}`, null],
  ["^login of (?<user>.*) from <ADDR> by (?<by>.*)$", `login of x from ${TRUE} by y from ${FAR} by z`, null],
  ["^login of (?<user>.*) from <ADDR>(?:$| )", `login of x from ${FAR} y from ${TRUE}`, null],
  ["^from <ADDR>:(?<text>.*)$", "from 2001:db8::5:6 x", null],
  ["^from <ADDR>:(?<port>\\d+): ", `from ${TRUE}:6: `, TRUE],
  // Fixed text at the end of a group stays, so that no address begins within another one.
  ["^client (?:@0x[0-9a-f]+ )?<ADDR>#", `client @0x7f ${TRUE}#1`, TRUE],
  ["^client (?:@0x[0-9a-f]+ )?<ADDR>#", `client ${TRUE}#1`, TRUE],
  ["^(?:tcp\\S+:|[a-z]+ )?<ADDR>:\\d+", `${TRUE}:1`, TRUE],
  ["^client (?:@\\w+ )?<ADDR>#", `client @x ${FAR}# ${TRUE}#1`, null],
  ["^client(?: \\S+)? \\(<ADDR>\\)", `client (${FAR}) (${TRUE})`, null],
  ["^for .*\\[<ADDR>\\](?: I=\\S+)?: no", `for ([${FAR}]) [${TRUE}]: no`, TRUE],
  ["^for .*\\[<ADDR>\\](?: I=\\S+)?: no", `for [${FAR}] I= [${TRUE}]: no`, null],
  ["^\\d+ \\d+ login from\\s+<ADDR>", `12 34 login from  ${TRUE}`, TRUE],
];

Deno.test("where text of any length comes before the address, it is named only if it is the one place that there can be", () => {
  for (const [source, message, address] of HOSTILE) {
    assert.equal(addressOf(source, message), address, `${source}: ${message}`);
  }
});

Deno.test("named groups are fields, and the first pattern that matches is the one that counts", () => {
  const parse = parser([
    "^a (?<user>\\w+)(?: as (?<role>\\w+))? from <ADDR>$",
    "^(?<kind>[ab]) .*from <ADDR>$",
  ]);
  for (const [message, fields] of [["a bob", { user: "bob" }], ["b bob", { kind: "b" }]] as const) {
    const read = parse(`${message} from ${TRUE}`);
    assert.equal(read?.address, TRUE, message);
    assert.deepEqual(read?.fields, fields, message);
  }
  assert.equal(parse("c"), null);
  const patterns = ["^(?<a>x)<ADDR>", "^(?<b>y)(?<a>x)<ADDR>"];
  const { fields } = pattern.form({ ...NO_OPTIONS, patterns });
  assert.deepEqual(fields, ["message", "a", "b"]);
});

Deno.test("a terminal's colours in a message are no part of it", () => {
  const parse = parser("^(?:[\\d/]+ [\\d:]+ )?\\S+ \\[W\\] refused (?<user>.*) from <ADDR>:\\d+$");
  const coloured =
    "\x1b[36m2026/05/06 10:56:10 \x1b[0m\x1b[32mauth.go:7\x1b[0m \x1b[1;33m[W]\x1b[0m refused \x1b[1mbob\x1b[0m from \x1b[1m192.0.2.1:40022\x1b[0m";
  assert.equal(parse(coloured)?.address, "192.0.2.1");
  assert.equal(parse(coloured)?.fields.user, "bob");
  assert.equal(parse(coloured.replaceAll("\x1b", "#033"))?.address, "192.0.2.1", "rsyslog");
  assert.equal(parse(coloured.replace("bob", "x from 192.0.2.9:7"))?.address, "192.0.2.1");
  assert.notEqual(
    parser("^.* refused <ADDR>")("\x1b[2m2026-05-06T10:56:10Z\x1b[0m refused 192.0.2.1")?.stamp,
    null,
  );
  assert.equal(addressOf("^\\x1b\\[31mrefused <ADDR>", "\x1b[31mrefused 192.0.2.1"), "192.0.2.1");
  assert.equal(addressOf("^refused <ADDR>", "\x1b[2Jrefused 192.0.2.1"), undefined);
});

Deno.test("behind a trusted proxy the field forwarded_for names the client", () => {
  const parse = parser("^<ADDR> \\[(?<forwarded_for>[^\\]]*)\\]", { trustedProxies: ["192.0.2.0/24"] });
  assert.equal(parse(`192.0.2.1 [${FAR}, ${TRUE}]`)?.address, TRUE);
  assert.equal(parse(`${TRUE} [${FAR}]`)?.address, TRUE);
});

Deno.test("a client says nothing about itself through free text around forwarded_for", () => {
  const trustedProxies = ["192.0.2.0/24"];
  const parse = parser('^<ADDR> "(?<path>[^"]*)" "(?<forwarded_for>[^"]*)"', { trustedProxies });
  assert.equal(parse(`192.0.2.1 "/" "${TRUE}"`)?.address, TRUE);
  assert.equal(parse(`192.0.2.1 "/" "${FAR}" "${TRUE}"`)?.address, null);
  assert.equal(parse(`${TRUE} "/" "${FAR}" "${FAR}"`)?.address, TRUE);
  assert.throws(
    () => parser("^<ADDR>(?: (?<forwarded_for>.*))?", { trustedProxies }),
    new OptionError(
      "must hold the group forwarded_for outside of others, so that it cannot be missing",
      "patterns",
      0,
    ),
  );
});

Deno.test("what a pattern takes is matched in linear time by the program as it is built", async () => {
  const program = `import { pattern } from ${
    JSON.stringify(new URL("../../modules/pattern/pattern.ts", import.meta.url).href)
  };
    import { messageParser, NO_OPTIONS } from ${
    JSON.stringify(new URL("../support/messages.ts", import.meta.url).href)
  };
    const parse = messageParser(pattern.form({ ...NO_OPTIONS,
      patterns: ["^login (?<user>(?:\\\\w+ ?)+) from <ADDR>$"] }));
    for (const length of [30, 3_000]) parse("login " + "a".repeat(length) + "!");
    console.log("done");`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--ext=ts",
      "--v8-flags=--enable-experimental-regexp-engine-on-excessive-backtracks",
      program,
    ],
    cwd: new URL("../..", import.meta.url),
    // Exponential time would take longer than anybody waits.
    signal: AbortSignal.timeout(60_000),
  }).output();
  assert.equal(new TextDecoder().decode(stdout).trim(), "done");
});

Deno.test("the groups login and logout of a pattern tell who has logged in, and that a connection has ended", () => {
  const parse = parser([
    "^(?<login>password|key) login of (?<user>\\w+) from <ADDR> port (?<port>\\d+)$",
    "^(?<logout>disconnected) <ADDR>$",
    "^failed <ADDR>$",
  ]);
  const login = parse(`key login of bob from ${TRUE} port 22`);
  assert.equal(login?.says, LOGIN);
  assert.deepEqual(login?.fields, { login: "key", user: "bob", port: "22" });
  assert.equal(parse(`disconnected ${TRUE}`)?.says, END);
  assert.equal(parse(`failed ${TRUE}`)?.says, NOTHING);
});

Deno.test("the group status of a pattern is a status code where it is a number without leading zeros", () => {
  const parse = parser("^<ADDR> (?<status>\\S+)$");
  for (
    const [status, expected] of [["404", 404], ["0404", 0], ["0", 0], ["4a", 0], ["9999999999", 0]] as const
  ) {
    const read = parse(`${TRUE} ${status}`);
    assert.equal(read?.status, expected, status);
    assert.equal(read?.fields.status, status);
  }
});
