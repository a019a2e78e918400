import { strict as assert } from "node:assert";
import { parse } from "jsonc-parser";
import { runRuleTests } from "../../lib/commands/check/rule_tests.ts";
import { configWarnings } from "../../lib/config/warnings.ts";
import { UNEDITED } from "../../lib/config/shipped.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { SCHEMA_FILE, schemaText } from "../../tools/config_schema.ts";
import { HOUR } from "../../lib/core/time.ts";
import { known, load, SHIPPED } from "../support/configs.ts";
import { NO_OPTIONS } from "../support/messages.ts";

Deno.test("the shipped configuration loads, observes, and warns of nothing", () => {
  const config = loadConfig(SHIPPED, { known });
  assert.deepEqual(config.modules.map(({ module }) => module.name), ["SSHD", "NGINX"]);
  assert.deepEqual([config.ban.command, config.database], [null, null]);
  assert.deepEqual(configWarnings(config), []);
  for (const { rules } of config.modules) {
    for (const { window, banTime } of rules) assert.ok(window !== null && banTime !== null);
  }
});

Deno.test("the configuration of the Debian package is the shipped one without its rules", () => {
  const [shipped, packaged] = UNEDITED.map((text) => {
    const { $schema: _, modules, ...keys } = parse(text);
    const sections = Object.entries<Record<string, unknown>>(modules);
    return { ...keys, modules: sections.map(([name, { rules: _, ...section }]) => [name, section]) };
  });
  assert.deepEqual(packaged, shipped);
  for (const line of UNEDITED[1]!.split("\n")) assert.doesNotMatch(line, /"rules": \[/);
});

Deno.test("every rule of the shipped configuration has lines that it must hit and lines that it must not", () => {
  const config = loadConfig(SHIPPED, { known });
  const untested = config.modules.flatMap(({ module, rules }) =>
    rules.filter(({ name }) => {
      const test = config.tests.find((test) => test.module === module.name && test.rule === name);
      return !test?.match.length || !test.noMatch.length;
    }).map(({ name }) => `${module.name} ${name}`)
  );
  assert.deepEqual(untested, []);
  const { tried, failures } = runRuleTests(config);
  assert.deepEqual(failures, []);
  assert.ok(tried >= 60);
});

Deno.test("modules without rules have those of the shipped configuration, with the spans that are given", () => {
  const own = load('{ "modules": { "SSHD": {}, "NGINX": { "trusted_proxies": [] } }, "window": "1h" }');
  const shipped = loadConfig(SHIPPED, { known });
  const names = ({ modules }: typeof own) => modules.map(({ rules }) => rules.map(({ name }) => name));
  assert.deepEqual(names(own), names(shipped));
  const [first] = own.modules[0]!.rules;
  assert.deepEqual([first!.window, first!.banTime], [HOUR, null]);
  assert.deepEqual(own.tests, []);
});

Deno.test("what the shipped configuration gives as examples in comments loads as well", () => {
  const text = Deno.readTextFileSync(SHIPPED).replace(/^(\s*)\/\/ (?="\w+": )/gm, "$1");
  const config = load(text);
  assert.equal(config.ban.firewall, "nftables");
  assert.deepEqual(config.whitelist.members.flatMap(({ address, isName }) => isName ? address : []), [
    "home.example.org",
  ]);
  assert.equal(config.database?.host, "db");
  // Proxies and nftables do not go together.
  assert.match(
    configWarnings(config).join("\n"),
    /^\[NGINX\] nftables cuts off nobody behind trusted_proxies.*$/,
  );
});

Deno.test("docs/config.schema.json is what the schema generates (else: deno run -W=docs tools/config_schema.ts)", () => {
  assert.equal(Deno.readTextFileSync(SCHEMA_FILE), schemaText());
});

Deno.test("docs/configuration.md explains every key", () => {
  const page = Deno.readTextFileSync(new URL("../../docs/configuration.md", import.meta.url));
  const keys = [...schemaText().matchAll(/"([\w$]+)": \{/g)].map(([, key]) => key!);
  const own = keys.filter((key) =>
    !["default", "properties", "additionalProperties", "items", "propertyNames"].includes(key)
  );
  assert.ok(own.includes("ban_command") && own.includes("limit"));
  assert.deepEqual(own.filter((key) => !page.includes(`\`${key}\``)), []);
});

Deno.test("docs/configuration.md names every field that the known modules give", () => {
  const page = Deno.readTextFileSync(new URL("../../docs/configuration.md", import.meta.url));
  const fields = known.flatMap((kind) => kind.form(NO_OPTIONS).fields.slice(1));
  assert.ok(fields.includes("user_agent"));
  assert.deepEqual(fields.filter((field) => !page.includes(`\`${field}\``)), []);
});

Deno.test("the shipped configurations are ASCII, of which V8 keeps one byte for each character", () => {
  for (const text of UNEDITED) assert.equal(text.match(/\P{ASCII}/u)?.[0], undefined);
});
