import { strict as assert } from "node:assert";
import plugin from "./layers.ts";

/** What the plugin has against `code` in the file `path`. */
function complaints(path: string, code: string): string[] {
  return Deno.lint.runPlugin(plugin, path, code).map(({ id, message }) => `${id}: ${message}`);
}

/** Rule by rule: a file with code that is refused, and one with code that passes. */
const CASES: [title: string, refused: [path: string, code: string], allowed: [path: string, code: string]][] =
  [
    [
      "core imports core alone",
      ["lib/core/time.ts", `import type { Rule } from "../rules/rule.ts";`],
      ["lib/core/address.ts", `import { detached } from "./text.ts";`],
    ],
    [
      "reading imports core alone",
      ["lib/reading/health.ts", `import type { ModuleRules } from "../rules/rule.ts";`],
      ["lib/reading/health.ts", `import type { Micros } from "../core/time.ts";`],
    ],
    [
      "modules import no rules",
      ["modules/sshd.ts", `import { Engine } from "../lib/rules/engine.ts";`],
      ["modules/sshd.ts", `import type { ModuleKind } from "../lib/reading/module.ts";`],
    ],
    [
      "rules import no state",
      ["lib/rules/engine.ts", `import type { State } from "../state/state.ts";`],
      ["lib/rules/engine.ts", `import type { Rule } from "./rule.ts";`],
    ],
    [
      "rules do not know who decides",
      ["lib/rules/engine.ts", `import { Decider } from "../deciding/decider.ts";`],
      ["lib/deciding/decider.ts", `import type { Trip } from "../rules/rule.ts";`],
    ],
    [
      "deciding imports no firewall",
      ["lib/deciding/decider.ts", `import type { Firewall } from "../firewall/firewall.ts";`],
      ["lib/deciding/decider.ts", `import { NetworkSet } from "../core/address.ts";`],
    ],
    [
      "sources import no modules and no readers",
      ["lib/sources/journal/journal.ts", `export { sshd } from "../../../modules/sshd.ts";`],
      ["lib/sources/journal/journal.ts", `export type { Source } from "../source.ts";`],
    ],
    [
      "state and postgres do not know each other",
      ["lib/postgres/outbox.ts", `import type { StateOutbox } from "../state/outbox.ts";`],
      ["lib/postgres/outbox.ts", `import type { BanChange } from "../deciding/ban.ts";`],
    ],
    [
      "firewall imports no postgres",
      ["lib/firewall/command.ts", `export * from "../postgres/fleet.ts";`],
      ["lib/firewall/command.ts", `export * from "../core/time.ts";`],
    ],
    [
      "enforcing knows no database, in a type as well",
      ["lib/enforcing/bans.ts", `type S = import("../state/state.ts").State;`],
      ["lib/enforcing/bans.ts", `type F = import("../firewall/firewall.ts").Firewall;`],
    ],
    [
      "only the monitor and the commands know everybody",
      ["lib/config/load.ts", `import { State } from "../state/state.ts";`],
      ["lib/monitor/monitor.ts", `import { State } from "../state/state.ts";`],
    ],
    [
      "the monitor imports no command",
      ["lib/monitor/monitor.ts", `import { runCommand } from "../commands/run.ts";`],
      ["lib/commands/run.ts", `import { Monitor } from "../monitor/monitor.ts";`],
    ],
    [
      "what commands share imports no command",
      ["lib/commands/common/words.ts", `import { banJson } from "../bans/bans.ts";`],
      ["lib/commands/bans/ban.ts", `import { untilText } from "../common/words.ts";`],
    ],
    [
      "commands take modules from the list",
      ["lib/commands/run.ts", `import { sshd } from "../../modules/sshd.ts";`],
      ["lib/commands/run.ts", `import { modules } from "../../modules/mod.ts";`],
    ],
    [
      "nobody imports main, not even at run time",
      ["lib/commands/run.ts", `await import("../../main.ts");`],
      ["main.ts", `await import("./lib/commands/run.ts");`],
    ],
    [
      "main leaves everything to the commands",
      ["main.ts", `import { State } from "./lib/state/state.ts";`],
      ["main.ts", `import { runCommand } from "./lib/commands/run.ts";`],
    ],
    [
      "an import says literally what it imports",
      ["lib/monitor/monitor.ts", "await import(`./${name}.ts`);"],
      ["lib/monitor/monitor.ts", `await import("./feeds.ts");`],
    ],
    [
      "a file of the house belongs to a layer",
      ["lib/misc.ts", `import { SECOND } from "./core/time.ts";`],
      ["tests/misc.ts", `import { SECOND } from "../lib/core/time.ts";`],
    ],
    ["logtape has its place", ["lib/enforcing/bans.ts", `import "@logtape/logtape";`], [
      "lib/core/log.ts",
      `import "@logtape/logtape";`,
    ]],
    ["commander has its place", ["lib/commands/run.ts", `import "commander";`], [
      "lib/commands/command_line/state.ts",
      `import "commander";`,
    ]],
    ["ipaddr.js has its place", ["lib/monitor/names.ts", `import "ipaddr.js";`], [
      "tests/model/message_model.ts",
      `import "ipaddr.js";`,
    ]],
    [
      "jsonc-parser has its place",
      ["lib/commands/check/check.ts", `import "jsonc-parser";`],
      ["lib/config/document.ts", `import "jsonc-parser";`],
    ],
    ["zod has its place", ["lib/state/state.ts", `import "zod/mini";`], [
      "lib/config/schema.ts",
      `import "zod/mini";`,
    ]],
    ["zod is the small one", ["lib/config/schema.ts", `import "zod";`], [
      "lib/config/schema.ts",
      `import "zod/mini";`,
    ]],
    [
      "postgres has its place",
      ["lib/postgres/outbox.ts", `import "postgres";`],
      ["lib/postgres/connection.ts", `import "postgres";`],
    ],
    [
      "node:sqlite has its place",
      ["lib/commands/run.ts", `import "node:sqlite";`],
      ["lib/state/database.ts", `import "node:sqlite";`],
    ],
    ["a package without a place is refused", ["lib/monitor/names.ts", `import "npm:left-pad";`], [
      "tools/build.ts",
      `import "npm:left-pad";`,
    ]],
    ["modules never use Deno", ["modules/sshd.ts", `Deno.readTextFileSync("x");`], [
      "modules/sshd.ts",
      `x.Deno();`,
    ]],
    ["rules never use Deno, not as a type either", ["lib/rules/engine.ts", `let f: Deno.FsFile;`], [
      "lib/state/state.ts",
      `let f: Deno.FsFile;`,
    ]],
    ["rules read no clock", ["lib/rules/window.ts", `Date.now();`], [
      "lib/rules/window.ts",
      `Date.parse("2026-01-01");`,
    ]],
    ["rules make no present", ["lib/rules/window.ts", `new Date();`], [
      "lib/rules/window.ts",
      `new Date(time / 1000);`,
    ]],
    ["rules hand no clock on", ["lib/rules/window.ts", `const clock = Date["now"];`], [
      "lib/rules/window.ts",
      `function text(date: Date): void {}`,
    ]],
    ["rules measure no speed", ["lib/rules/engine.ts", `performance.now();`], [
      "lib/monitor/monitor.ts",
      `performance.now();`,
    ]],
    ["rules set no timer", ["lib/rules/engine.ts", `setTimeout(sweep, 1000);`], [
      "lib/core/async.ts",
      `setTimeout(wake, 1000);`,
    ]],
    ["rules repeat nothing", ["lib/rules/engine.ts", `setInterval(sweep, 1000);`], [
      "lib/rules/engine.ts",
      `const gap = rule.setInterval;`,
    ]],
    ["nothing is exported by default", ["lib/enforcing/bans.ts", `export default class {}`], [
      "lib/enforcing/bans.ts",
      `export class Bans {}`,
    ]],
    ["nothing is exported as the default", ["lib/enforcing/bans.ts", `export { Bans as default };`], [
      "lib/enforcing/bans.ts",
      `export { Bans as BanList };`,
    ]],
  ];

for (const [title, refused, allowed] of CASES) {
  Deno.test(`layers: ${title}`, () => {
    assert.equal(
      complaints(...refused).length,
      1,
      `${refused.join(": ")}\n${complaints(...refused).join("\n")}`,
    );
    assert.deepEqual(complaints(...allowed), []);
  });
}

Deno.test("layers: a refusal says who may import whom", () => {
  assert.deepEqual(complaints("lib/sources/stdin.ts", `import { Matcher } from "../rules/matcher.ts";`), [
    "layers/imports: sources may import sources, core, not rules",
  ]);
  assert.deepEqual(complaints("lib/monitor/names.ts", `import zod from "zod/mini";`), [
    "layers/imports: zod/mini may be imported by lib/config/, lib/monitor/report.ts alone",
  ]);
});

Deno.test("layers: a file is known by its absolute path as well", () => {
  const path = new URL("../../lib/core/time.ts", import.meta.url).pathname;
  assert.equal(complaints(path, `import "../rules/rule.ts";`).length, 1);
});
