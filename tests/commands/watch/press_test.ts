import { strict as assert } from "node:assert";
import { type Model, selected, selectedTarget, topRows } from "../../../lib/commands/watch/model.ts";
import { type Effect, press } from "../../../lib/commands/watch/press.ts";
import { NOON, seededModel } from "../../support/watch_model.ts";

const SIZE = { columns: 80, rows: 24 };
const START = await seededModel(NOON);
const [FIRST, SECOND] = topRows(START).map(({ key }) => key);

/** The model after some keys, and what was to be done at the last one. */
function after(keys: readonly string[], model: Model = START): { model: Model; effect: Effect } {
  let effect: Effect = null;
  for (const key of keys) ({ model, effect } = press(model, key, SIZE));
  return { model, effect };
}

const EFFECTS: readonly (readonly [keys: readonly string[], effect: Effect])[] = [
  [["q"], "quit"],
  [["interrupt"], "quit"],
  [["?", "interrupt"], "quit"],
  [["b", "interrupt"], "quit"],
  [["?", "q"], null],
  [["r"], "read"],
  [["t"], "read"],
  [["redraw"], "redraw"],
  [["s"], null],
  [["tab", "s"], "read"],
  [["enter"], { action: "why", target: FIRST!, span: "" }],
  [["down", "enter"], { action: "why", target: SECOND!, span: "" }],
  [["b", "enter", "enter"], null],
  [["b", "enter", "enter", "y"], { action: "ban", target: FIRST!, span: "1d" }],
  [["b", "enter", "enter", "n"], null],
  [["b", "enter", "enter", "enter"], null],
  [["b", "enter", "clear", "2", "h", "enter", "y"], { action: "ban", target: FIRST!, span: "2h" }],
  [["b", "clear", ..."::1", "enter", "enter", "y"], { action: "ban", target: "::1", span: "1d" }],
  [["b", "clear", "enter", "enter", "y"], null],
  [["u", "enter", "y"], { action: "unban", target: FIRST!, span: "" }],
  [["w", "enter", "enter", "y"], { action: "whitelist", target: FIRST!, span: "8h" }],
  [["w", "escape", "enter"], { action: "why", target: FIRST!, span: "" }],
  [["enter", "q", "enter"], null],
];

for (const [keys, effect] of EFFECTS) {
  Deno.test(`press() after ${keys.join(" ")} has ${JSON.stringify(effect)} done`, () => {
    assert.deepEqual(after(keys).effect, effect);
  });
}

Deno.test("press() asks before it bans, unbans or whitelists", () => {
  for (const keys of [["b", "enter", "enter"], ["u", "enter"], ["w", "enter", "enter"]]) {
    assert.equal(after(keys).model.mode.kind, "confirm");
  }
});

const REFUSED: readonly (readonly [keys: readonly string[], complaint: RegExp])[] = [
  [["b", "clear", ..."nonsense"], /^Expected an address or a network such as/],
  [["b", "clear", ..."192.0.2.1 192.0.2.0/33"], /^Expected an address or a network such as/],
  [["u", "clear", ..."home.example.org"], /^Expected an address or a network such as/],
  [["v", "v", "enter", ..."192.0.2.1 192.0.2.2"], /^Expected an address or a network such as/],
  [["w", "clear", ..."a b!c"], /^Expected an address, a network or a DNS name/],
  [["b", "enter", "clear", ..."long"], /^Expected a time span/],
];
for (const [keys, complaint] of REFUSED) {
  Deno.test(`press() after ${keys.join(" ")} refuses the answer, and lets it be corrected`, () => {
    const asked = after(keys).model;
    const { model, effect } = after(["enter"], asked);
    assert.ok(asked.mode.kind === "prompt" && model.mode.kind === "prompt");
    assert.equal(effect, null);
    assert.match(model.mode.complaint!, complaint);
    assert.deepEqual(model.mode.request, asked.mode.request);
    assert.equal(after(["escape"], model).model.mode.kind, "tables");
    const answer = model.mode.ask === "span" ? "2h" : "192.0.2.1";
    assert.deepEqual(after(["clear", ...answer], model).model, after(["clear", ...answer], asked).model);
    assert.notDeepEqual(after(["clear", ...answer, "enter"], model).model.mode, model.mode);
  });
}

Deno.test("press() filters while it is typed, and Escape shows all again", () => {
  const typed = after(["/", "1", "9", "8", "."]).model;
  assert.ok(topRows(typed).length > 0);
  assert.ok(topRows(typed).every(({ name }) => name.includes("198.")));
  assert.equal(after(["escape"], typed).model.filter, "");
  const kept = after(["enter"], typed).model;
  assert.deepEqual([kept.mode.kind, kept.filter], ["tables", "198."]);
  assert.equal(after(["escape"], kept).model.filter, "");
});

Deno.test("press() goes to the ends of a table and no further", () => {
  const rows = topRows(START);
  assert.equal(selected(after(["up", "up"]).model)?.key, rows[0]!.key);
  assert.equal(selected(after(["end", "down"]).model)?.key, rows.at(-1)!.key);
  assert.equal(selected(after(["pagedown", "pageup", "down"]).model)?.key, rows[1]!.key);
});

Deno.test("press() keeps the selected address where others overtake it", () => {
  const { model } = after(["down"]);
  const { snapshot } = model;
  const others = [["192.0.2.250", 1e6], ["192.0.2.251", 1e6], ...snapshot!.counted.address] as const;
  const counted = { ...snapshot!.counted, address: others };
  const later = { ...model, snapshot: { ...snapshot!, counted } };
  assert.equal(selectedTarget(later), SECOND);
});

Deno.test("press() counts something else, and offers nobody where that is no address", () => {
  const tables = ["network", "user", "path", "rule", "address"];
  let { model } = after([]);
  for (const table of tables) {
    model = after(["v"], model).model;
    assert.equal(model.table, table);
    assert.equal(selectedTarget(model) !== null, ["network", "address"].includes(table), table);
  }
  const prompt = after(["v", "v", "b"]).model.mode;
  assert.ok(prompt.kind === "prompt" && prompt.request.target === "");
});

Deno.test("press() scrolls a text as far as there is more of it", () => {
  const lines = Array.from({ length: 60 }, (_, i) => `line ${i}`);
  const text = { ...START, mode: { kind: "text", text: { title: "t", lines, top: 0 } } } as const;
  const topOf = (model: Model) => model.mode.kind === "text" ? model.mode.text.top : -1;
  assert.equal(topOf(after(["end", "down"], text).model), 60 - 19);
  assert.equal(topOf(after(["end", "up"], text).model), 60 - 20);
  assert.equal(topOf(after(["up"], text).model), 0);
  assert.equal(after(["escape"], text).model.mode.kind, "tables");
});
