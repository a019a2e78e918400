import { strict as assert } from "node:assert";
import { encode } from "../../lib/core/bytes.ts";
import { Automaton, type SoughtText } from "../../lib/reading/automaton.ts";
import { END, LOGIN, NOTHING, type Says } from "../../lib/reading/message_reader.ts";
import type { Template } from "../../lib/reading/template.ts";
import { TemplateGraph } from "../../lib/reading/template_graph.ts";
import { TemplateForm, type TemplateOptions, TemplateReader } from "../../lib/reading/template_reader.ts";
import { Random } from "../support/random.ts";
import { messageParser } from "../support/messages.ts";

/** A reader of messages by `templates`. */
function readerOf(templates: readonly (string | Template)[], options: TemplateOptions = {}) {
  const all = templates.map((template) =>
    typeof template === "string" ? { name: "test", text: template } : template
  );
  return messageParser(new TemplateForm(all, options));
}

/** The address and fields that a template finds; null: it does not fit. */
function find(template: string, message: string): Record<string, string> | null {
  const said = readerOf([template])(message);
  return said && { ...said.address !== null && { address: said.address }, ...said.fields };
}

const A = "192.0.2.1";

const FITS: readonly (readonly [template: string, message: string, found: Record<string, string> | null])[] =
  [
    ["Server listening", "Server listening", {}],
    ["Server listening", "Server listens", null],
    ["Server listening", "Server listening on", null],
    ["Server listening", "Server listenin", null],
    ["Günther é", "Günther é", {}],
    ["a {b|cc|} d", "a b d", {}],
    ["a {b|cc|} d", "a cc d", {}],
    ["a {b|cc|} d", "a  d", {}],
    ["a {b|cc|} d", "a c d", null],
    ["a{ {b|c} d|}", "a c d", {}],
    ["a{ {b|c} d|}", "a c", null],
    ["a{b|bc}c", "abcc", {}],
    ["a{b|bc}c", "abc", {}],
    ["{a|b}{c|d}", "bd", {}],
    ["{a b c|a b|a|a d} e", "a b e", {}],
    ["{a b c|a b|a|a d} e", "a e", {}],
    ["{a b c|a b|a|a d} e", "a d e", {}],
    ["a{ <NUMBER>x| b| <NUMBER>y|y}", "a 1y", {}],
    ["a{ <ADDR>x|y| <ADDR> <PORT>|}", `a ${A} 22`, { address: A, port: "22" }],
    ["a <WORD>{b|c}", "a xb", null],
    ["a <USER>{ b| c}", "a b c b", { user: "b c" }],
    ["from <ADDR>", `from ${A}`, { address: A }],
    ["from <ADDR>", "from 2001:DB8::1%eth0", { address: "2001:db8::1" }],
    ["from <ADDR>", "from nobody", null],
    ["from <ADDR>", "from 192.0.2.256", {}],
    ["from <ADDR>: <REST>", `from ${A}: 11: Bye`, { address: A }],
    ["from [<ADDR>]:<PORT>", `from [${A}]:22`, { address: A, port: "22" }],
    ["port <PORT>", "port 65535", { port: "65535" }],
    ["port <PORT>", "port 123456", null],
    ["port <PORT>", "port ", null],
    ["pid <NUMBER>.", "pid 1234567890123.", {}],
    ["a <WORD> b", "a b_9 b", {}],
    ["a <WORD> b", "a b-9 b", null],
    ["a <WORD> b", "a  b", null],
    ["a <WORD?> b", "a  b", {}],
    ["a <METHOD>!", "a keyboard-interactive/pam@x.org!", { method: "keyboard-interactive/pam@x.org" }],
    ["a <TOKEN> b", "a é;!\0 b", {}],
    ["a <TOKEN> b", "a \tx b", null],
    ["a <TOKEN>, b", "a x,y, b", {}],
    ["a <TOKEN?>)", "a )", {}],
    ["a <WORDS> for <USER> from b", "a no such user for x from b", { user: "x" }],
    ["a <WORDS> for <USER> from b", "a no such user for x for y from b", { user: "x for y" }],
    ["a <WORDS> for <USER> from b", "a  for x from b", null],
    ["a <WORDS> for <USER> from b", "a no, for x from b", null],
    ["a<BLANKS>b", "a \t b", {}],
    ["a<BLANKS>b", "ab", null],
    ["a <REST>", "a ", null],
    ["a<REST>", "a", {}],
    ["a <REST>", "a x\n\0 y", {}],
    ["a <REST WITHOUT 0123456789>", "a none of those", {}],
    ["a <REST WITHOUT 0123456789>", "a none of 9 those", null],
    ["for <USER> from <ADDR>", `for root from ${A}`, { user: "root", address: A }],
    ["for <USER> from <ADDR>", `for  from ${A}`, { user: "", address: A }],
    ["for <USER> from <ADDR>", `for x from 192.0.2.7 from y from ${A}`, {
      user: "x from 192.0.2.7 from y",
      address: A,
    }],
    ["for <TEXT> from <ADDR>", `for x from 192.0.2.7 from y from ${A}`, { address: A }],
    ["for <USER> from <ADDR>", `for a\nb from ${A}`, { user: "a\nb", address: A }],
    ["for <USER> from <ADDR>", `for root from ${A} port 22`, null],
    ["for <USER> from <ADDR>", `for root fro ${A}`, null],
    ["for {invalid user |}<USER> from <ADDR>", `for invalid user x from ${A}`, { user: "x", address: A }],
    ["for {invalid user |}<USER> from <ADDR>", `for invalid x from ${A}`, { user: "invalid x", address: A }],
    ["for {invalid user |}<USER> from <ADDR>", `for invalid user from ${A}`, {
      user: "invalid user",
      address: A,
    }],
  ];

Deno.test("templates find what they describe, from the first byte of a message to the last", () => {
  for (const [template, message, found] of FITS) {
    assert.deepEqual(find(template, message), found, `${template}: ${JSON.stringify(message)}`);
  }
});

Deno.test("a message fits with blanks behind it, whatever kind, and not without one that the template has", () => {
  for (const blanks of ["", " ", "\r\n", "\t \v\f", "\u00a0"]) {
    assert.deepEqual(find("from <ADDR>", `from ${A}${blanks}`), { address: A });
    assert.equal(find("a b <REST>", `a b${blanks}`), null);
  }
  assert.equal(find("from <ADDR>", `from ${A}\0`), null);
});

Deno.test("the first template that fits counts", () => {
  const read = readerOf(["a {x|y}", { name: "2", text: "a y", says: END }, {
    name: "3",
    text: "a <WORD>",
    says: END,
  }]);
  assert.deepEqual(["a y", "a z", "b"].map((message) => read(message)?.says), [NOTHING, END, undefined]);
});

Deno.test("what stands before a message may be there, once", () => {
  const read = readerOf(["a <PORT>"], { before: ["error: ", "info: "] });
  assert.deepEqual(
    ["a 1", "error: a 2", "info: a 3", "error: info: a 4", "debug: a 5"].map((message) =>
      read(message)?.fields.port
    ),
    ["1", "2", "3", undefined, undefined],
  );
});

Deno.test("values of a way that does not fit are not left behind", () => {
  assert.deepEqual(find("a {<ADDR> port <PORT>|<TOKEN> port <TOKEN> b}", `a ${A} port 22 b`), {});
  assert.deepEqual(find("a {<METHOD> x|<WORD> y}", "a b y"), {});
  const read = readerOf([`from <ADDR> port <PORT>`, "from <REST>"]);
  assert.deepEqual(read(`from ${A} port 22`)?.fields, { port: "22" });
  assert.equal(read(`from ${A} port 22 x`)?.address, null);
  assert.deepEqual(read(`from ${A} port 22 x`)?.fields, {});
  assert.equal(read("of"), null);
});

Deno.test("nobody is named where the address may stand at two places", () => {
  const template = "for <USER> from <ADDR>{: <REST>|}";
  assert.deepEqual(find(template, `for a from ${A}: b from gateway`), { user: "a", address: A });
  assert.deepEqual(find(template, `for a from ${A}: b from 192.0.2.2`), {});
  assert.deepEqual(find(template, `for a from ${A}: b from 192.0.2.2: c`), {});
  assert.deepEqual(find(template, `for a from 192.0.2.2, b from ${A}: c`), {
    user: "a from 192.0.2.2, b",
    address: A,
  });
});

Deno.test("the last place that fits counts where no free text follows the address", () => {
  const template = "User <USER> from <ADDR> not allowed because <REST WITHOUT 0123456789>";
  const message = "User x from ::a not allowed because y from ::b not allowed because z";
  assert.deepEqual(find(template, message), { user: "x from ::a not allowed because y", address: "::b" });
  assert.deepEqual(find(template, `${message} 9`), null);
});

Deno.test("an address that stands before a stranger's text is sure", () => {
  assert.deepEqual(find("from <ADDR> to <USER> with <REST>", `from ${A} to a with b with c`), {
    address: A,
    user: "a",
  });
});

Deno.test("a login tells how, an end needs the port where the template has one", () => {
  const says = (text: string, said: Says, message: string) => {
    const { says, fields } = readerOf([{ name: "", text, says: said }], { endless: " [preauth]" })(message)!;
    return [says, fields.login, fields.logout];
  };
  assert.deepEqual(says("Accepted <METHOD> from <ADDR>", LOGIN, `Accepted publickey from ${A}`), [
    LOGIN,
    "publickey",
    undefined,
  ]);
  const closed = "closed by <ADDR>{ port <PORT>|}<REST>";
  assert.deepEqual(says(closed, END, `closed by ${A} port 22`), [END, undefined, "yes"]);
  assert.deepEqual(says(closed, END, `closed by ${A}`), [NOTHING, undefined, undefined]);
  assert.deepEqual(says(closed, END, `closed by ${A} port 22 [preauth]`), [NOTHING, undefined, undefined]);
  assert.deepEqual(says("session closed<REST>", END, "session closed for x"), [END, undefined, "yes"]);
  const ending = "session closed for x [preauth]";
  assert.deepEqual(says("session closed<REST>", END, ending), [END, undefined, "yes"], "a name may end so");
});

Deno.test("the outputs of a message that names an address are those of all its bytes", () => {
  const texts = ["for", "r x", "x from", "from 1", "0.2.1 p", "t 22", "é", "  ", "no", "because"];
  const templates = [
    "for <USER> from <ADDR>{ port <PORT>|}{ é<REST>|}",
    "{no|not} for <USER> from <ADDR> because <REST WITHOUT 0123456789>",
  ].map((text) => ({ name: "test", text }));
  const form = new TemplateForm(templates, { before: ["é: "] });
  const sought = texts.map((text, output): SoughtText => ({
    bytes: new TextEncoder().encode(text),
    place: "anywhere",
    output,
  }));
  const automaton = new Automaton([{ texts: sought, ignoreCase: false }], form.literals);
  const reader = form.open(() => automaton);
  const messages = [
    `for x from ${A} port 22`,
    `for x from from ${A} é because  `,
    `é: for r x from ${A} port 22  `,
    `no for x from ::1 because x from ::a because no  y`,
    `not for x from fe80::1%eth0 because no`,
  ];
  for (const message of messages) {
    const { bytes, end } = encode(`no ${message} because`);
    automaton.begin();
    assert(reader.read(bytes, 3, end - " because".length), message);
    const outputs = automaton.outputsOf(reader.outputSet).map((output) => texts[output]);
    assert.deepEqual(outputs, texts.filter((text) => message.includes(text)), message);
  }
});

const MISTAKES: readonly (readonly [template: string, cause: string])[] = [
  ["", "it is empty"],
  ["a {b|c", '"{" has no "}" behind it (character 3)'],
  ["a b}", '"}" has no "{" before it (character 4)'],
  ["a | b", '"|" has no "{" before it (character 3)'],
  ["a <ADDR", '"<" has no ">" behind it (character 3)'],
  [
    "a <HOST>",
    "<HOST> is none of <ADDR>, <USER>, <TEXT>, <REST>, <PORT>, <NUMBER>, <WORD>, <WORDS>, <METHOD>, <TOKEN>, <BLANKS> (character 3)",
  ],
  ["a <ADDR?>", "<ADDR?> is none of"],
  ["a <ADDR> <ADDR>", "<ADDR> stands twice on one way"],
  ["a <USER> b <TEXT> c", "two texts of strangers stand on one way"],
  ["a {<PORT> |}<PORT>", "<PORT> stands twice on one way"],
  ["a <REST> b", "nothing may follow <REST>"],
  ["a {<REST>|b} c", "nothing may follow <REST>"],
  ["<ADDR> a", "it must begin with a text"],
  ["{a|} ", ""],
  ["{a|}", "it must begin with a text"],
  ["a <USER>", "a text with a blank must follow <USER>"],
  ["a <USER>,", "a text with a blank must follow <USER>"],
  ["a <USER>{ b|,c}", "a text with a blank must follow <USER>"],
  ["a <USER> from <WORDS> b", "<WORDS> and <BLANKS> cannot follow <USER>"],
  ["a <TEXT>", "a text with a blank must follow <TEXT>"],
];

Deno.test("mistakes in a template are told in one sentence", () => {
  for (const [text, cause] of MISTAKES) {
    const make = () => new TemplateForm([{ name: "login", text }]);
    if (cause === "") make();
    else {
      assert.throws(make, ({ message }: Error) => {
        assert(message.startsWith(`Cannot use the template "login": ${cause}`), message);
        assert(message.endsWith(`: ${text}`), message);
        return true;
      });
    }
  }
});

/** Returns how many bytes templates read for a message; a byte read twice counts twice. */
function readsOf(texts: readonly string[], message: string): number {
  const templates = texts.map((text) => ({ name: "test", text }));
  const graph = new TemplateGraph(templates);
  const automaton = new Automaton(
    [{ texts: [], ignoreCase: false }],
    graph.literals.all.map(({ bytes }) => bytes),
  );
  const reader = new TemplateReader({ graph, templates, fields: ["message", "user"], automaton });
  const { bytes: { array, view }, end } = encode(message);
  let reads = 0;
  const counted = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(_, key) {
        reads++;
        const value = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  reader.read(
    { array: counted(array), view: counted(view), logged: 0, fresh: 0, piece: 0, isLast: false },
    0,
    end,
  );
  return reads;
}

const HARD = [
  "a {x |y |}<USER> from <ADDR>{ port <PORT>|}{ [preauth]|}",
  "a {x |y |}<USER> from <ADDR> port <PORT>{: <REST>|}",
  "a <USER> from <ADDR> because <REST WITHOUT 0123456789>",
  "a <USER> from <TOKEN> to <TOKEN?>, <WORD?>{ b|}<REST WITHOUT =>",
  "a {<WORDS> for |}<USER> <ADDR> port <PORT>",
];
const PIECES = [
  " from ",
  "1.2.3.4",
  "::",
  " port ",
  "22",
  ": ",
  " because ",
  " to ",
  ", ",
  "x ",
  "y ",
  " for ",
  "a",
  " ",
  "=",
  "9",
  "é",
  "\n",
];

Deno.test("matching takes time linear in the message, whatever is in it", () => {
  const random = new Random(14);
  for (let i = 0; i < 300; i++) {
    const unit = random.times(1 + random.below(6), () => random.pick(PIECES)).join("");
    const end = random.pick(["", "9", "=", " from 1.2.3.4 port 2", " because y"]);
    const [short, long] = [30, 240].map((times) => readsOf(HARD, `a ${unit.repeat(times)}${end}`));
    assert(long! <= 8.5 * short! + 1_000, `${short} reads, then ${long}: ${unit}·${end}`);
  }
});

Deno.test("`TemplateReader.firstBytes` holds what a message may begin with, behind a level or without one", () => {
  const templates = [{ name: "a", text: "{Failed|fatal} x" }, { name: "b", text: "User <USER> y" }];
  const form = new TemplateForm(templates, { before: ["error: "] });
  const { firstBytes } = form.open(() => new Automaton([], form.literals));
  const first = [...firstBytes].flatMap((isFirst, byte) => isFirst ? String.fromCharCode(byte) : []);
  assert.deepEqual(first, ["F", "U", "e", "f"]);
});

Deno.test("`TemplateForm.mayBegin()` tells what no message begins with, behind a level or without one", () => {
  const templates = [{ name: "a", text: "{Failed|Missing {x|y}} z" }, {
    name: "b",
    text: "Failure of <USER> y",
  }];
  const form = new TemplateForm(templates, { before: ["error: "] });
  for (
    const text of [
      "F",
      "Fail",
      "Failed z",
      "Failure of Mar  1",
      "Missing ",
      "err",
      "error: Mis",
    ]
  ) {
    assert.equal(form.mayBegin(text), true, text);
  }
  for (
    const text of [
      "Mar  1 00:",
      "Feb  1 00:",
      "Failing",
      "2026-03-01T00:",
      "web1 sshd",
      "errors",
      "error: Mar  1",
    ]
  ) {
    assert.equal(form.mayBegin(text), false, text);
  }
});
