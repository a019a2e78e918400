import { strict as assert } from "node:assert";
import { type Line, lineWidth } from "../../../lib/commands/watch/cell.ts";
import { frame } from "../../../lib/commands/watch/frame.ts";
import { initialModel, type Mode, type Model } from "../../../lib/commands/watch/model.ts";
import { press } from "../../../lib/commands/watch/press.ts";
import { Rates } from "../../../lib/commands/watch/rates.ts";
import { paint } from "../../../lib/commands/watch/terminal.ts";
import { MINUTE } from "../../../lib/core/time.ts";
import { NOON, seededModel } from "../../support/watch_model.ts";

const MODEL = await seededModel(NOON);
const HOSTILE = `\x1b[2J\x1b]0;t\x07\r\nFAKE\u202egpj\u200b\u2028\x9b31m\u{e0041}${
  "漢e\u0301".repeat(3_000)
}`;

const text = (lines: readonly Line[]) => lines.map((line) => line.map(({ text }) => text).join(""));

/** What a frame must always be: just so many lines, none wider than the terminal. */
function check(model: Model, columns: number, rows: number): string[] {
  const lines = frame(model, { columns, rows });
  assert.equal(lines.length, rows);
  for (const line of lines) assert.ok(lineWidth(line) <= columns, text([line])[0]);
  return text(lines);
}

const request = { action: "ban", target: "203.0.113.9", span: "1d" } as const;
const MODES: readonly (readonly [name: string, mode: Mode, foot: RegExp])[] = [
  ["tables", { kind: "tables" }, /^ Enter why {2}b ban {2}u unban {2}w whitelist .* q quit/],
  ["filter", { kind: "filter", before: "" }, /^ Show only: /],
  ["prompt", { kind: "prompt", ask: "target", request }, /^ Ban address or network: 203\.0\.113\.9 /],
  [
    "span",
    { kind: "prompt", ask: "span", request },
    /^ Ban 203\.0\.113\.9 for \(90s, 2h, 1d12h or forever\): 1d/,
  ],
  ["confirm", { kind: "confirm", request }, /^ Ban 203\.0\.113\.9 for 1d\? y: yes, any other key: no/],
  ["busy", { kind: "busy", request }, /^ Ban 203\.0\.113\.9 for 1d …/],
  ["text", { kind: "text", text: { title: "why", lines: ["x ".repeat(500)], top: 0 } }, /^ Up\/Down scroll/],
];

for (const [columns, rows] of [[80, 24], [100, 40], [200, 60], [60, 16], [400, 120], [81, 25]] as const) {
  for (const [name, mode, foot] of MODES) {
    Deno.test(`frame() of ${columns}x${rows} shows ${name}`, () => {
      const lines = check({ ...MODEL, mode }, columns, rows);
      assert.match(lines[0]!, /^ StrongMonitor {2}running 3d4h · (?:nftables · )?\d+ bans? in force /);
      assert.match(lines[1]!, /^ All works\./);
      if (columns >= 80) assert.match(lines.at(-1)!, foot);
      if (name !== "text") {
        const all = lines.join("\n");
        for (
          const word of ["lines/s", "hits/s", "bans/min", "SOURCES", "MODULES", "ADDRESSES", "NEWEST BANS"]
        ) {
          assert.ok(all.includes(word), word);
        }
        assert.match(all, /journal.* +0\.0s +1s +SSHD .* [\d,]+ +3s/);
        assert.match(all, /198\.18\.\S+ .* [\d,]+ .*\dh/);
      }
    });
  }
}

Deno.test("frame() shows why an answer was refused above the end of a long answer", () => {
  const complaint = "Expected a time span such as 2h, 1d12h or forever.";
  const mode = {
    kind: "prompt",
    ask: "span",
    request: { ...request, span: `${"1".repeat(60)}!` },
    complaint,
  } as const;
  const lines = check({ ...MODEL, mode }, 80, 24);
  assert.equal(lines.at(-2)!.trimEnd(), ` ${complaint} Correct it or press Esc.`);
  assert.match(lines.at(-1)!, /^ ….*1! $/);
});

for (const [columns, rows] of [[40, 10], [59, 24], [80, 15], [20, 5], [1, 1]] as const) {
  Deno.test(`frame() of ${columns}x${rows} says that there is too little room`, () => {
    const all = check(MODEL, columns, rows).join(" ");
    if (columns >= 20) assert.match(all, /^This terminal has \d+/);
  });
}

Deno.test("frame() says how many columns and rows it needs", () => {
  const words = check(MODEL, 40, 10).join(" ").trim();
  assert.equal(
    words,
    "This terminal has 40 columns and 10 rows. Make it at least 60 by 16, or press q to leave.",
  );
});

Deno.test("frame() of 80x24 keeps the end of a path, and the count of 100,000 bans", () => {
  const snapshot = MODEL.snapshot!;
  const [source] = snapshot.report!.sources;
  const paths = ["access", "error"].map((log) => `file:/srv/www/example.org/logs/${log}.log`);
  const sources = paths.map((name) => ({ ...source!, name }));
  const report = { ...snapshot.report!, firewall: "observe", sources };
  const numbers = { ...snapshot.numbers, confirmed: 123_456 };
  const lines = check({ ...MODEL, snapshot: { ...snapshot, report, numbers } }, 80, 24);
  assert.match(lines[0]!, / observe · 123456 bans noted only +\d/);
  assert.ok(lines.some((line) => /^ …\S*\/access\.log /.test(line)), lines.join("\n"));
  assert.ok(lines.some((line) => /^ …\S*\/error\.log /.test(line)), lines.join("\n"));
  assert.match(lines.at(-2)!, /banned for /);
  assert.doesNotMatch(lines.at(-2)!, /since.*…/, "a time is told in full or not at all");
});

Deno.test("frame() of 80x24 gives up the firewall's name before numbers, filter and the end of a trial", () => {
  const snapshot = MODEL.snapshot!;
  const report = { ...snapshot.report!, trialEnd: snapshot.time + 5 * MINUTE };
  const numbers = { ...snapshot.numbers, confirmed: 101_922, waiting: 1 };
  const many = check({ ...MODEL, snapshot: { ...snapshot, numbers } }, 80, 24);
  assert.match(many[0]!, /running 3d4h · 101922 bans in force, 1 waiting +\d/);
  const filtered = check({ ...MODEL, filter: "admin" }, 80, 24);
  assert.match(filtered[0]!, /running 3d4h · \d+ bans? in force · showing "admin" +\d/);
  const onTrial = check({ ...MODEL, snapshot: { ...snapshot, report } }, 80, 24);
  assert.match(onTrial[0]!, /running 3d4h · trial until \d\d:\d\d · \d+ bans? in force +\d/);
  const ended = check({ ...MODEL, snapshot: { ...snapshot, report, isRunning: false } }, 80, 24);
  assert.doesNotMatch(ended[0]!, /trial/);
});

Deno.test("frame() of 80x24 tells long addresses of one network apart", () => {
  const snapshot = MODEL.snapshot!;
  const address = [1, 2, 3].map((end): [string, number] => [`2001:db8:abcd:1234:5678:9abc:def0:${end}`, 9]);
  const counted = { ...snapshot.counted, address };
  const lines = check({ ...MODEL, snapshot: { ...snapshot, counted } }, 80, 24);
  const shown = lines.flatMap((line) => /^ (2001:\S+) /.exec(line)?.[1] ?? []);
  assert.deepEqual(shown.slice(0, 3), [1, 2, 3].map((end) => `2001:db8:a…abc:def0:${end}`));
});

Deno.test("frame() shows what does not work before all else, and that no monitor runs", () => {
  const problems = ["no monitor runs on this state", "second"];
  const lines = check({ ...MODEL, snapshot: { ...MODEL.snapshot!, isRunning: false, problems } }, 80, 24);
  assert.match(lines[0]!, /^ StrongMonitor {2}not running/);
  assert.match(lines[1]!, /^ ! no monitor runs on this state \(and 1 more: press !\)/);
  assert.match(lines.join("\n"), /journal +stopped/);
});

Deno.test("frame() says how many log files are awaited, and `!` which", () => {
  const snapshot = MODEL.snapshot!;
  const { report } = snapshot;
  const [journal, file] = report!.sources;
  const sources = [journal!, { ...file!, waiting: true }];
  const model = { ...MODEL, snapshot: { ...snapshot, report: { ...report!, sources } } };
  assert.match(check(model, 80, 24)[1]!, /^ All works, 1 log file awaited\. *$/);
  const all = check(press(model, "!", { columns: 80, rows: 24 }).model, 80, 24).join("\n");
  assert.match(
    all,
    /All works, 1 log file awaited\.[^]*Awaited: \/var\/log\/nginx\/access\.log: there is no/,
  );
});

Deno.test("frame() shows a state that nothing was ever read from", () => {
  const empty = initialModel(new Rates());
  check(empty, 80, 24);
  assert.match(
    check({ ...empty, error: "Cannot open the state /s" }, 80, 24)[1]!,
    /^ ! Cannot open the state/,
  );
  const { counted } = MODEL.snapshot!;
  const nothing = Object.fromEntries(
    Object.keys(counted).map((key) => [key, []]),
  ) as unknown as typeof counted;
  const snapshot = { ...MODEL.snapshot!, report: null, bans: [], counted: nothing };
  const all = check({ ...empty, snapshot }, 80, 24).join("\n");
  for (const word of ["none is reported", "nothing counted", "nobody is banned"]) {
    assert.ok(all.includes(word));
  }
  const filtered = check({ ...MODEL, filter: "no row has this" }, 80, 24).join("\n");
  assert.equal(filtered.match(/no row holds that text/g)?.length, 2);
});

/** The model with hostile text wherever others have a say. */
function hostileModel(): Model {
  const { snapshot } = MODEL;
  const { counted, report, bans } = snapshot!;
  const provenance = { kind: "fleet", name: HOSTILE } as const;
  return {
    ...MODEL,
    filter: "",
    error: null,
    snapshot: {
      ...snapshot!,
      problems: [HOSTILE],
      counted: { ...counted, user: [[HOSTILE, 9]], path: [[HOSTILE, 8]] },
      bans: bans.map((ban) => ({ ...ban, reason: HOSTILE, provenance, error: HOSTILE })),
      report: {
        ...report!,
        firewall: HOSTILE,
        sources: report!.sources.map((source) => ({ ...source, name: HOSTILE })),
        modules: report!.modules.map((module) => ({ ...module, name: HOSTILE })),
      },
    },
  };
}

Deno.test("paint() lets nothing hostile steer the terminal, and the program's own sequences alone", () => {
  const model = hostileModel();
  const shown: readonly Partial<Model>[] = [
    { focus: "bans" },
    { table: "user" },
    { table: "path" },
    { error: HOSTILE },
    { filter: HOSTILE, mode: { kind: "filter", before: "" } },
    { mode: { kind: "text", text: { title: HOSTILE, lines: [HOSTILE], top: 0 } } },
    { mode: { kind: "prompt", ask: "target", request: { ...request, target: HOSTILE } } },
    { mode: { kind: "confirm", request: { ...request, target: HOSTILE } } },
  ];
  for (const over of shown) {
    for (const isAscii of [false, true]) {
      check({ ...model, ...over }, 80, 24);
      const lines = frame({ ...model, ...over }, { columns: 80, rows: 24 });
      for (const line of lines) {
        // deno-lint-ignore no-control-regex
        const painted = paint(line, { hasColour: true, isAscii }).replace(/\x1b\[(?:[\d;]*m|\d+G)/g, "");
        assert.doesNotMatch(painted, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        if (isAscii) assert.match(painted, /^[ -~]*$/);
      }
    }
  }
});

Deno.test("paint() without colour uses no colour, and the words are the same", () => {
  // deno-lint-ignore no-control-regex
  const bare = (painted: string) => painted.replace(/\x1b\[[\d;]*[mG]/g, "");
  const model = { ...MODEL, snapshot: { ...MODEL.snapshot!, problems: ["p"] } };
  for (const line of frame(model, { columns: 80, rows: 24 })) {
    const [plain, coloured] = [false, true].map((hasColour) => paint(line, { hasColour, isAscii: false }));
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(plain!, /\x1b\[(?:\d;)*3[0-7]m/);
    assert.equal(bare(plain!), bare(coloured!));
  }
});

Deno.test("paint() in ASCII draws bars as high as those of dots", () => {
  const span = (text: string) => [{ text, style: "plain" } as const];
  assert.equal(paint(span(" ⢀⣤⣶⣿…·漢"), { hasColour: false, isAscii: true }), " .:|#~|??");
});
