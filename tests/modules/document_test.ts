import { strict as assert } from "node:assert";
import { runRuleTests } from "../../lib/commands/check/rule_tests.ts";
import { configWarnings } from "../../lib/config/warnings.ts";
import { load } from "../support/configs.ts";
import { messageParser } from "../support/messages.ts";

const PAGE = Deno.readTextFileSync(new URL("../../docs/modules.md", import.meta.url));
const EXAMPLES = [...PAGE.matchAll(/```jsonc\n(.*?)```/gs)].map(([, text]) => text!);

Deno.test("docs/modules.md has examples", () => assert.ok(EXAMPLES.length >= 7));

for (const text of EXAMPLES) {
  const config = load(text);
  const { module } = config.modules[0]!;
  const parse = messageParser(module.form);
  Deno.test(`docs/modules.md: the example ${module.name} loads without a warning and passes its own tests`, () => {
    assert.deepEqual(configWarnings(config), []);
    // The program for everybody reads no log elsewhere.
    assert.ok(module.files.every((file) => file.startsWith("/var/log/")), module.files.join());
    for (const { match, noMatch } of config.tests) assert.ok(match.length > 0 && noMatch.length > 0);
    assert.deepEqual(runRuleTests(config).failures, []);
  });

  Deno.test(`docs/modules.md: the example ${module.name} names the client of its tests, by IPv4 and by IPv6`, () => {
    const named = new Set(config.tests.flatMap(({ match }) => match).map((line) => parse(line)?.address));
    assert.deepEqual([...named].sort(), ["2001:db8::5", "203.0.113.5"]);
  });

  Deno.test(`docs/modules.md: the example ${module.name} names nobody else, whatever stands in the line`, () => {
    const [line] = config.tests[0]!.match as [string];
    assert.equal(parse(line)?.address, "203.0.113.5");
    const decoys = [
      "198.51.100.7",
      " from 198.51.100.7",
      "[198.51.100.7]",
      "rip=198.51.100.7, lip=",
      "<198.51.100.7>",
    ];
    for (const name of ["bob", "unknown", "client.example.net"]) {
      for (
        const decoy of [
          ...decoys,
          ...decoys.map((decoy) => line.replaceAll("203.0.113.5", "198.51.100.7") + decoy),
        ]
      ) {
        const address = parse(line.replaceAll(name, name + decoy))?.address ?? null;
        assert.ok(address === null || address === "203.0.113.5", `${address}: ${name}${decoy}`);
      }
    }
  });
}
