import { strict as assert } from "node:assert";
import schema from "../../docs/config.schema.json" with { type: "json" };
import { load, more, own, refusalOf, RULE, rule, top } from "../support/configs.ts";

const SPAN = 'must be a span of time such as "90s", "10m", "2h" or "1d12h"';
const MILLISECONDS = 'must be "off" or milliseconds from "1ms" to "1000ms"';
const CENTURY = "must be longer than nothing and shorter than a century";
/** The keys of an object, as the published schema has them. */
function keysOf({ properties }: { properties: Record<string, unknown> }): string {
  return Object.keys(properties).filter((key) => key !== "$schema").join(", ");
}
const KEYS = keysOf(schema);
const RULE_KEYS = keysOf(schema.properties.modules.additionalProperties.properties.rules.items);
const MEMBER = "must be an address, a network such as 10.0.0.0/8, or a DNS name";

// Text, what is said of it after "Cannot load ", and where.
const WRONG: [text: string, complaint: string, position: string][] = [
  // not JSONC
  ["// nothing", "the configuration: a value is expected at the end of the file", "1:11"],
  ["{", "the configuration: a closing brace } is expected at the end of the file", "1:2"],
  ['{ "a" 1 }', "the configuration: a colon is expected at 1", "1:7"],
  ["{ a: 1 }", "the configuration: a word without double quotes stands at a", "1:3"],
  ["{\n  'a': 1\n}", "the configuration: a word without double quotes stands at 'a'", "2:3"],
  ['{ "a": [1 2] }', "the configuration: a comma is expected at 2", "1:11"],
  ["{} {}", "the configuration: nothing more is expected at {", "1:4"],
  ["/* open\n\u001b[31m", "the configuration: a comment is never closed at /* open [31m", "1:1"],
  ['{ "a": "x', 'the configuration: a string without its closing quote stands at "x', "1:8"],
  ['{ "a": 01 }', "the configuration: a comma is expected at 1", "1:9"],
  ['{ "a": "\\q" }', 'the configuration: an unknown escape stands at "\\q"', "1:8"],
  ["[".repeat(200_000), "the configuration: nesting is too deep at [", "1:33"],
  ["[}, ".repeat(50_000), "the configuration: nesting is too deep at [", "1:129"],
  [`${"[".repeat(33)}${"]".repeat(33)}`, "the configuration: nesting is too deep at [", "1:33"],
  [`${"[".repeat(32)}${"]".repeat(32)}`, "the configuration: must be an object, got a list", "1:1"],
  [`${'{ "a": '.repeat(33)}1`, "the configuration: nesting is too deep at {", "1:225"],
  // the outermost object
  ["[]", "the configuration: must be an object, got an empty list", "1:1"],
  ["42", "the configuration: must be an object, got 42", "1:1"],
  ["{}", "modules: is missing", "1:1"],
  [top('"ban_comand": "x %s"'), 'ban_comand: is an unknown key, did you mean "ban_command"?', "1:3"],
  [top('"db": {}'), 'db: is an unknown key, did you mean "DB"?', "1:3"],
  [top('"bantime": 600'), 'bantime: is an unknown key, did you mean "ban_time"?', "1:3"],
  [top('"ignoreip": []'), 'ignoreip: is an unknown key, did you mean "whitelist"?', "1:3"],
  [top('"__proto__": 1'), `__proto__: is an unknown key: known here are ${KEYS}`, "1:3"],
  [top('"": 1'), `[""]: is an unknown key: known here are ${KEYS}`, "1:3"],
  [top('"$schema": 1'), "$schema: must be a string, got 1", "1:14"],
  [top('"state": ""'), 'state: must not be empty, got ""', "1:12"],
  [top('"state": "a",\n  "state": "b"'), "state: is given twice, first on line 1", "2:3"],
  // modules
  ['{ "modules": [] }', "modules: must be an object of modules, got an empty list", "1:14"],
  ['{ "modules": {} }', "modules: must name at least one module, got an empty object", "1:14"],
  [
    `{ "modules": { "sshd": { "rules": [${RULE}] } } }`,
    'modules.sshd: is an unknown module, did you mean "SSHD"?',
    "1:16",
  ],
  [
    `{ "modules": { "MAILER": { "rules": [${RULE}] } } }`,
    "modules.MAILER: is an unknown module: known are SSHD, NGINX, and any other needs a pattern",
    "1:16",
  ],
  [
    '{ "modules": { "__proto__": {} } }',
    "modules.__proto__: is an unknown module: known are SSHD, NGINX, and any other needs a pattern",
    "1:16",
  ],
  [
    '{ "modules": { "ftp": { "pattern": "^<ADDR> x", "match": { "unit": "ftp.service" } } } }',
    "modules.ftp.rules: is missing",
    "1:23",
  ],
  ['{ "modules": { "SSHD": 1 } }', "modules.SSHD: must be an object, got 1", "1:24"],
  [
    '{ "modules": { "SSHD": { "rules": [] } } }',
    "modules.SSHD.rules: must hold at least one rule, got an empty list",
    "1:35",
  ],
  [
    `{ "modules": { "SSHD": { "rules": ${RULE} } } }`,
    "modules.SSHD.rules: must be a list of rules, got an object",
    "1:35",
  ],
  [
    `{ "modules": { "SSHD": { "no_log": 5, "rules": [${RULE}] } } }`,
    "modules.SSHD.no_log: must be a string or a list of strings, got 5",
    "1:36",
  ],
  [
    `{ "modules": { "SSHD": { "no_log": ["a", ""], "rules": [${RULE}] } } }`,
    'modules.SSHD.no_log[1]: must not be empty, got ""',
    "1:42",
  ],
  // modules of one's own, and what modules may be told
  [
    own('"pattern": "^x <ADDR>"'),
    "modules.ftp: must say by match where its lines are found: identifier, unit or file",
    "1:16",
  ],
  [
    own('"match": {}, "pattern": "^x <ADDR>"'),
    "modules.ftp: must say by match where its lines are found: identifier, unit or file",
    "1:16",
  ],
  [
    own('"match": { "file": "log" }, "pattern": "^x <ADDR>"'),
    'modules.ftp.match.file: must be an absolute path, got "log"',
    "1:44",
  ],
  [
    own('"match": { "unit": "ftp" }, "pattern": "^x <ADDR>"'),
    'modules.ftp.match.unit: must be the whole name of a unit, such as vsftpd.service, got "ftp"',
    "1:44",
  ],
  [
    `{ "modules": { "SSHD": { "pattern": "^x <ADDR>", "rules": [${RULE}] } } }`,
    "modules.SSHD.pattern: is not for SSHD",
    "1:26",
  ],
  [
    own('"match": { "file": "/log" }, "pattern": "^x <ADDR>", "log_format": "x"'),
    "modules.ftp.log_format: is not for a module with a pattern",
    "1:78",
  ],
  [
    `{ "modules": { "NGINX": { "trusted_proxies": "proxy", "rules": [${RULE}] } } }`,
    'modules.NGINX.trusted_proxies: must be an address or a network such as 10.0.0.0/8, got "proxy"',
    "1:46",
  ],
  [
    `{ "modules": { "NGINX": { "time_zone": "Berlin", "rules": [${RULE}] } } }`,
    'modules.NGINX.time_zone: must be the name of a zone such as "Europe/Berlin", or an offset such as "+02:00", got "Berlin"',
    "1:40",
  ],
  // rules
  [rule('"str": "x", "limit": 1'), "modules.SSHD.rules[0].name: is missing", "1:36"],
  [rule('"name": "a", "limit": 1'), "modules.SSHD.rules[0].str: is missing", "1:36"],
  [rule('"name": "a", "str": "x"'), "modules.SSHD.rules[0].limit: is missing", "1:36"],
  [
    rule('"name": "a b", "str": "x", "limit": 1'),
    'modules.SSHD.rules[0].name: must be made of letters, digits, - and _, got "a b"',
    "1:46",
  ],
  [
    rule('"name": "", "str": "x", "limit": 1'),
    'modules.SSHD.rules[0].name: must not be empty, got ""',
    "1:46",
  ],
  [rule('"name": 7, "str": "x", "limit": 1'), "modules.SSHD.rules[0].name: must be a string, got 7", "1:46"],
  [
    more('"name": "b"'),
    "modules.SSHD.rules[0].name: is given twice, first on line 1",
    "1:75",
  ],
  [
    `{ "modules": { "SSHD": { "rules": [${RULE},\n${RULE}] } } }`,
    'modules.SSHD.rules[1].name: must be unique in its module, yet rules[0] has it, got "a"',
    "2:11",
  ],
  [more('"status": 404'), "modules.SSHD.rules[0].status: needs a module that reads a status", "1:75"],
  [
    more('"distinct": "path"'),
    'modules.SSHD.rules[0].distinct: must be one of message, method, user, port, login, logout, got "path"',
    "1:87",
  ],
  [
    more('"field": ["user", "usr"]'),
    'modules.SSHD.rules[0].field[1]: must be one of message, method, user, port, login, logout, got "usr"',
    "1:93",
  ],
  [
    more('"except": [{ "field": "usr", "str": "x" }]'),
    'modules.SSHD.rules[0].except[0].field: must be one of message, method, user, port, login, logout, got "usr"',
    "1:97",
  ],
  [
    rule('"name": "a", "str": ["x", "(a)\\\\1"], "mode": "regex", "limit": 1'),
    "modules.SSHD.rules[0].str[1]: holds a back-reference, so that some lines could take very long: reword it, or say " +
    '"unsafe": true, got "(a)\\\\1"',
    "1:64",
  ],
  [
    rule('"name": "a", "str": "", "limit": 1'),
    'modules.SSHD.rules[0].str: must not be empty, got ""',
    "1:58",
  ],
  [
    rule('"name": "a", "str": [], "limit": 1'),
    "modules.SSHD.rules[0].str: must not be empty, got an empty list",
    "1:58",
  ],
  [
    rule('"name": "a", "str": ["x", 3], "limit": 1'),
    "modules.SSHD.rules[0].str[1]: must be a string, got 3",
    "1:64",
  ],
  [
    rule('"name": "a", "str": {}, "limit": 1'),
    "modules.SSHD.rules[0].str: must be a string or a list of strings, got an empty object",
    "1:58",
  ],
  [
    rule(`"name": "a", "str": "${"x".repeat(8193)}", "limit": 1`),
    `modules.SSHD.rules[0].str: must be at most 8192 characters, got "${"x".repeat(55)}…`,
    "1:58",
  ],
  [
    rule('"name": "a", "str": "x", "limit": 0'),
    "modules.SSHD.rules[0].limit: must be at least 1, got 0",
    "1:72",
  ],
  [
    rule('"name": "a", "str": "x", "limit": 1.5'),
    "modules.SSHD.rules[0].limit: must be a whole number, got 1.5",
    "1:72",
  ],
  [
    rule('"name": "a", "str": "x", "limit": "5"'),
    'modules.SSHD.rules[0].limit: must be a whole number, got "5"',
    "1:72",
  ],
  [
    rule('"name": "a", "str": "x", "limit": 1e999'),
    "modules.SSHD.rules[0].limit: must be a whole number, got 1e999",
    "1:72",
  ],
  [
    more('"mode": "begin"'),
    'modules.SSHD.rules[0].mode: must be "start", "anywhere" or "regex", got "begin"',
    "1:83",
  ],
  [more('"limt": 2'), 'modules.SSHD.rules[0].limt: is an unknown key, did you mean "limit"?', "1:75"],
  [
    more('"findtime": 600'),
    'modules.SSHD.rules[0].findtime: is an unknown key, did you mean "window"?',
    "1:75",
  ],
  [
    more('"zebra": 1'),
    `modules.SSHD.rules[0].zebra: is an unknown key: known here are ${RULE_KEYS}`,
    "1:75",
  ],
  [more('"window": "10 min"'), `modules.SSHD.rules[0].window: ${SPAN}, or "forever", got "10 min"`, "1:85"],
  [more('"window": null'), `modules.SSHD.rules[0].window: ${SPAN}, or "forever", got null`, "1:85"],
  [more('"window": "0s"'), `modules.SSHD.rules[0].window: ${CENTURY}, got "0s"`, "1:85"],
  [more('"ban_time": "9999w"'), `modules.SSHD.rules[0].ban_time: ${CENTURY}, got "9999w"`, "1:87"],
  [more('"ban_time": -1'), `modules.SSHD.rules[0].ban_time: ${SPAN}, or "forever", got -1`, "1:87"],
  // commands
  [
    top('"ban_command": "ban"'),
    'ban_command: must hold %s exactly once, where the address goes, got "ban"',
    "1:18",
  ],
  [
    top('"ban_command": "ban %s %s"'),
    'ban_command: must hold %s exactly once, where the address goes, got "ban %s %s"',
    "1:18",
  ],
  [
    top('"ban_command": "echo %s | sh"'),
    'ban_command: holds |, but no shell is used: write a list, got "echo %s | sh"',
    "1:18",
  ],
  [
    top('"unban_command": "x \'%s\'"'),
    "unban_command: holds ', but no shell is used: write a list, got \"x '%s'\"",
    "1:20",
  ],
  [top('"ban_command": ""'), 'ban_command: must not be empty, got ""', "1:18"],
  [
    top('"ban_command": []'),
    "ban_command: must not be empty: leave it out to carry out nothing, got an empty list",
    "1:18",
  ],
  [top('"ban_command": ["ban", 5]'), "ban_command[1]: must be a string, got 5", "1:26"],
  [
    top('"ban_command": ["a\\u0000", "%s"]'),
    "ban_command: must not hold a NUL character, got a list",
    "1:18",
  ],
  [
    top('"ban_command": "%s now"'),
    'ban_command: must begin with a program, not with %s, got "%s now"',
    "1:18",
  ],
  [top('"ban_command": true'), "ban_command: must be a string or a list of strings, got true", "1:18"],
  [top('"ban_timeout": "2h"'), 'ban_timeout: must be at most "1h", got "2h"', "1:18"],
  [top('"ban_timeout": "forever"'), `ban_timeout: ${SPAN}, got "forever"`, "1:18"],
  [top('"ban_concurrency": 0'), "ban_concurrency: must be at least 1, got 0", "1:22"],
  [top('"ban_concurrency": 65'), "ban_concurrency: must be at most 64, got 65", "1:22"],
  // whitelist, database, the rest
  [
    top('"whitelist": ["10.0.0.0/33"]'),
    'whitelist[0]: must be a network such as 10.0.0.0/8 or 2001:db8::/32, got "10.0.0.0/33"',
    "1:17",
  ],
  [top('"whitelist": ["::1", "10.0.0.300"]'), `whitelist[1]: ${MEMBER}, got "10.0.0.300"`, "1:24"],
  [top('"whitelist": ["-a.example"]'), `whitelist[0]: ${MEMBER}, got "-a.example"`, "1:17"],
  [
    top('"whitelist": 7'),
    "whitelist: must be an address, network or DNS name, an object with one as its address, or a list of these, got 7",
    "1:16",
  ],
  [top('"knock": true'), "knock: must be an object, got true", "1:12"],
  [
    top('"knock": { "prefix": "" }'),
    'knock.prefix: must be a letter or "_" and up to 31 letters, digits, ".", "_" or "-", got ""',
    "1:24",
  ],
  [top('"knock": { "tiem": "1h" }'), "knock.tiem: is an unknown key: known here are prefix, time", "1:14"],
  [top('"whitelist_refresh": "2d"'), 'whitelist_refresh: must be at most "1d", got "2d"', "1:24"],
  [top('"journal_wake": "20"'), `journal_wake: ${MILLISECONDS}, got "20"`, "1:19"],
  [top('"journal_wake": "1001ms"'), `journal_wake: ${MILLISECONDS}, got "1001ms"`, "1:19"],
  [
    top('"keep_log_size": "5GB"'),
    'keep_log_size: must be a size such as "500MiB" or "1GiB", at least "1MiB", or "unlimited", got "5GB"',
    "1:20",
  ],
  [top('"notify": "on"'), 'notify: must be true, false or an object, got "on"', "1:13"],
  [top('"notify": { "ban": "1h" }'), 'notify.ban: is an unknown key, did you mean "bans"?', "1:15"],
  [
    top('"notify": { "bans": "often" }'),
    `notify.bans: ${SPAN}, "at once" or "never", got "often"`,
    "1:23",
  ],
  [top('"notify": { "timeout": "1h" }'), 'notify.timeout: must be at most "10m", got "1h"', "1:26"],
  [top('"notify": { "program": "" }'), 'notify.program: must not be empty, got ""', "1:26"],
  [
    top('"metrics_file": "/run/metrics"'),
    'metrics_file: must end in ".prom", as node_exporter reads no other files, got "/run/metrics"',
    "1:19",
  ],
  [top('"keep_log": "90 days"'), `keep_log: ${SPAN}, or "forever", got "90 days"`, "1:15"],
  [top('"DB": 1'), "DB: must be an object, got 1", "1:9"],
  [top('"DB": { "host": "h", "user": "u" }'), "DB.database: is missing", "1:9"],
  [
    top('"DB": { "host": "h", "user": "u", "database": "d", "password": "p" }'),
    "DB.password: does not belong here: write it alone into db_password.secret beside this file",
    "1:54",
  ],
  [
    top('"DB": { "host": "/run/../etc", "user": "u", "database": "d" }'),
    'DB.host: must be a host name, an address, or the directory of a socket, got "/run/../etc"',
    "1:19",
  ],
  [
    top('"DB": { "host": "h", "port": 70000, "user": "u", "database": "d" }'),
    "DB.port: must be at most 65535, got 70000",
    "1:32",
  ],
  [
    top('"DB": { "host": "h:1", "port": 2, "user": "u", "database": "d" }'),
    "DB.port: must not differ from the 1 in host, got 2",
    "1:34",
  ],
  [
    top('"DB": { "host": "h:0", "user": "u", "database": "d" }'),
    'DB.host: must not hold a port above 65535 or of 0, got "h:0"',
    "1:19",
  ],
  [
    top('"DB": { "host": "h", "user": "u", "database": "d", "sslmode": "allow" }'),
    'DB.sslmode: must be one of disable, prefer, require, verify-ca, verify-full, got "allow"',
    "1:65",
  ],
  [
    top('"DB": { "host": "h", "user": "u", "database": "d", "sslmode": "require", "sslrootcert": "ca.pem" }'),
    'DB.sslrootcert: needs sslmode verify-full or verify-ca, which look at it, got "ca.pem"',
    "1:91",
  ],
];

Deno.test("`loadConfig()` refuses what is wrong in one sentence with key, cause, value and position", () => {
  for (const [text, complaint, position] of WRONG) {
    assert.equal(refusalOf(text), `Cannot load ${complaint} (config.jsonc:${position})`);
  }
});

Deno.test("`loadConfig()` refuses a log or whitelist file that is one of the state's own, whose locks would go", () => {
  const complaint = (file: string) =>
    `must not stand for ${file}, a file of the state: reading it would end its locks`;
  const log = (state: string, file: string) =>
    own(`"pattern": "^<ADDR>$", "match": { "file": "${file}" }`).replace("{", `{ "state": "${state}",`);
  for (
    const [pattern, file] of [
      ["/s/*", "/s/lock.db"],
      ["/s/state.db", "/s/state.db"],
      ["/*/stat?.db-w*", "/s/state.db-wal"],
    ] as const
  ) {
    const refused = refusalOf(log("/s", pattern));
    assert.match(refused, /^Cannot load modules\.ftp\.match\.file: .*\(config\.jsonc:1:\d+\)$/);
    assert.ok(refused.includes(`${complaint(file)}, got "${pattern}" (`), refused);
  }
  assert.equal(
    refusalOf(top('"state": "s", "whitelist_files": ["friends", "s/state.db-shm"]')),
    `Cannot load whitelist_files[1]: ${
      complaint("s/state.db-shm")
    }, got "s/state.db-shm" (config.jsonc:1:48)`,
  );
  for (const [state, file] of [["/s", "/s/app.log"], ["/s", "/s/*.log"], ["/t", "/s/*"]] as const) {
    load(log(state, file));
  }
});

Deno.test("`loadConfig()` tells all problems in the order of the file", () => {
  assert.equal(
    refusalOf(
      '{\n "keep_log": 0,\n "modules": { "SSHD": {\n  "rules": [\n   { "name": "a", "limit": 0 }\n] } },\n "bar": 1 }',
    ),
    `Cannot load keep_log: ${SPAN}, or "forever", got 0 (config.jsonc:2:14)\n` +
      "Cannot load modules.SSHD.rules[0].str: is missing (config.jsonc:5:4)\n" +
      "Cannot load modules.SSHD.rules[0].limit: must be at least 1, got 0 (config.jsonc:5:28)\n" +
      `Cannot load bar: is an unknown key: known here are ${KEYS} (config.jsonc:7:2)`,
  );
  const rules = Array.from({ length: 50 }, (_, i) => `{ "name": "r${i}", "str": "x", "limit": 0 }`);
  const message = refusalOf(`{ "modules": { "SSHD": { "rules": [${rules.join()}] } } }`);
  assert.equal(message.split("\n").length, 50);
});
