import { strict as assert } from "node:assert";
import { join } from "node:path";
import { loadConfig } from "../../lib/config/load.ts";
import { UserError } from "../../lib/core/error.ts";
import { inDirectory, known, load, rule, SHIPPED, top } from "../support/configs.ts";
import { Random } from "../support/random.ts";

Deno.test("`loadConfig()` answers whatever text with a Config or a UserError", () => {
  const random = new Random(20);
  const below = (n: number) => random.below(n);
  const shipped = Deno.readTextFileSync(SHIPPED);
  const scraps = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "/*",
    "//",
    "null",
    "-1",
    "1e999",
    '"__proto__"',
    "\0",
    "\ud800",
    "\\u",
  ];
  const mutate = (text: string) => {
    const at = below(text.length);
    const to = at + below(12);
    return text.slice(0, at) + [scraps[below(scraps.length)], "", text.slice(at, to).repeat(2)][below(3)] +
      text.slice(to);
  };
  let accepted = 0;
  inDirectory({}, (directory) => {
    const path = join(directory, "config.jsonc");
    for (let i = 0; i < 1500; i++) {
      let text = shipped;
      for (let times = 1 + below(3); times > 0; times--) text = mutate(text);
      Deno.writeTextFileSync(path, text);
      try {
        assert.equal(loadConfig(path, { known }).path, path);
        accepted++;
      } catch (error) {
        assert.ok(error instanceof UserError, `${error}\n${text}`);
        for (const line of error.message.split("\n")) assert.match(line, /^Cannot (load|read) [^\n]+$/);
      }
    }
  });
  assert.ok(accepted > 100 && accepted < 1400, `${accepted} accepted`);
});

Deno.test("`loadConfig()` answers whatever value in whatever place with a Config or a UserError", () => {
  const values = [
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    '""',
    '"x"',
    '"%s"',
    '"forever"',
    "[]",
    "{}",
    "[[]]",
    '[{"a":1}]',
    '{"__proto__":{}}',
  ];
  const places = [
    (value: string) => value,
    ...[
      "window",
      "ban_command",
      "unban_command",
      "ban_timeout",
      "ban_concurrency",
      "whitelist",
      "whitelist_files",
      "keep_log",
      "keep_bans",
      "journal_wake",
      "metrics_file",
      "notify",
      "DB",
      "state",
    ]
      .map((key) => (value: string) => top(`"${key}": ${value}`)),
    ...["host", "port", "user", "database", "sslmode", "sslrootcert"].map((key) => (value: string) =>
      top(`"DB": { "${key}": ${value} }`)
    ),
    (value: string) => `{ "modules": ${value} }`,
    (value: string) => `{ "modules": { "SSHD": ${value} } }`,
    (value: string) => `{ "modules": { "SSHD": { "rules": ${value} } } }`,
    (value: string) => `{ "modules": { "SSHD": { "rules": [${value}] } } }`,
    ...["name", "str", "mode", "limit", "window", "ban_time"].map((key) => (value: string) =>
      rule(`"${key}": ${value}`)
    ),
  ];
  for (const place of places) {
    for (const value of values) {
      try {
        assert.ok(load(place(value)).modules.length > 0);
      } catch (error) {
        assert.ok(error instanceof UserError, `${error}\n${place(value)}`);
      }
    }
  }
});
