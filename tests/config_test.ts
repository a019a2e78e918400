import { strict as assert } from "node:assert";
import { join } from "node:path";
import { type Config, configWarnings, describeConfig, loadConfig } from "../lib/config.ts";
import { SECOND } from "../lib/duration.ts";
import { type Module, UserError } from "../lib/types.ts";
import { SCHEMA_FILE, schemaText } from "../tools/config_schema.ts";

const SSHD: Module = { name: "SSHD", identifiers: ["sshd"], units: ["ssh.service"], parse: () => null };
const NGINX: Module = { ...SSHD, name: "NGINX" };
const known = [SSHD, NGINX];
const SHIPPED = new URL("../config.jsonc", import.meta.url).pathname;

const RULE = '{ "name": "a", "str": "x", "limit": 1 }';
const MODULES = `"modules": { "SSHD": { "rules": [${RULE}] } }`;
const DB = '"DB": { "host": "h", "user": "u", "database": "d" }';

/** A configuration with `keys` at the top and one rule. */
const top = (keys: string) => `{ ${keys}, ${MODULES} }`;
/** A configuration whose one rule has `keys`. */
const rule = (keys: string) => `{ "modules": { "SSHD": { "rules": [{ ${keys} }] } } }`;
/** Likewise, added to a rule that is right. */
const more = (keys: string) => rule(`"name": "a", "str": "x", "limit": 1, ${keys}`);

/** Runs `use` in a directory that holds these files and is gone afterwards. */
function inDirectory<T>(files: Record<string, string | Uint8Array>, use: (directory: string) => T): T {
  const directory = Deno.makeTempDirSync();
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      Deno.writeFileSync(join(directory, name), bytes);
      Deno.chmodSync(join(directory, name), 0o640);
    }
    return use(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function load(text: string): Config {
  return inDirectory(
    { "config.jsonc": text },
    (directory) => loadConfig(join(directory, "config.jsonc"), { known, withPassword: false }),
  );
}

/** The message of the `UserError` 78 that `run` throws, without the directory's name. */
function refusal(run: () => unknown, directory = ""): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof UserError, String((error as Error).stack));
    assert.equal(error.code, 78);
    return directory ? error.message.replaceAll(`${directory}/`, "") : error.message;
  }
  assert.fail("was accepted");
}

function refusalOf(text: string | Uint8Array): string {
  return inDirectory(
    { "config.jsonc": text },
    (directory) =>
      refusal(() => loadConfig(join(directory, "config.jsonc"), { known, withPassword: false }), directory),
  );
}

const SPAN = 'must be a span of time such as "90s", "10m", "2h" or "1d12h"';
const CENTURY = "must be longer than nothing and shorter than a century";
const KEYS =
  "modules, window, ban_time, ban_command, unban_command, ban_timeout, ban_concurrency, whitelist, " +
  "whitelist_refresh, keep_log, DB, state";
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
    "modules.MAILER: is an unknown module: known are SSHD, NGINX",
    "1:16",
  ],
  [
    '{ "modules": { "__proto__": {} } }',
    "modules.__proto__: is an unknown module: known are SSHD, NGINX",
    "1:16",
  ],
  ['{ "modules": { "SSHD": {} } }', "modules.SSHD.rules: is missing", "1:24"],
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
  [more('"mode": "begin"'), 'modules.SSHD.rules[0].mode: must be "start" or "anywhere", got "begin"', "1:83"],
  [more('"limt": 2'), 'modules.SSHD.rules[0].limt: is an unknown key, did you mean "limit"?', "1:75"],
  [
    more('"findtime": 600'),
    'modules.SSHD.rules[0].findtime: is an unknown key, did you mean "window"?',
    "1:75",
  ],
  [
    more('"zebra": 1'),
    "modules.SSHD.rules[0].zebra: is an unknown key: known here are name, str, mode, limit, window, ban_time",
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
  [top('"whitelist": 7'), "whitelist: must be a string or a list of strings, got 7", "1:16"],
  [top('"whitelist_refresh": "2d"'), 'whitelist_refresh: must be at most "1d", got "2d"', "1:24"],
  [top('"keep_log": "90 days"'), `keep_log: ${SPAN}, or "forever", got "90 days"`, "1:15"],
  [top('"DB": 1'), "DB: must be an object, got 1", "1:9"],
  [top('"DB": { "host": "h", "user": "u" }'), "DB.database: is missing", "1:9"],
  [
    top('"DB": { "host": "h", "user": "u", "database": "d", "password": "p" }'),
    "DB.password: does not belong here: write it alone into db_password.secret beside this file",
    "1:54",
  ],
  [
    top('"DB": { "host": "/run/postgresql", "user": "u", "database": "d" }'),
    'DB.host: must be a host name or an address, got "/run/postgresql"',
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
];

Deno.test("`loadConfig()` refuses what is wrong in one sentence with key, cause, value and position", () => {
  for (const [text, complaint, position] of WRONG) {
    assert.equal(refusalOf(text), `Cannot load ${complaint} (config.jsonc:${position})`);
  }
});

Deno.test("`loadConfig()` tells several problems in the order of the file, ten at most", () => {
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
  assert.equal(message.split("\n").length, 10);
});

Deno.test("`loadConfig()` refuses files that cannot be a configuration", () => {
  const files = {
    empty: " \n",
    binary: new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 1]),
    latin1: new Uint8Array([0x7b, 0xe9, 0x7d]),
    huge: new Uint8Array((1 << 20) + 1).fill(0x20),
  };
  inDirectory(files, (directory) => {
    const message = (name: string) => refusal(() => loadConfig(join(directory, name), { known }), directory);
    const cause = (name: string) => message(name).replace("Cannot read the configuration: ", "");
    assert.equal(message("empty"), "Cannot load empty: it is empty");
    assert.equal(cause("binary"), "binary is binary, not text");
    assert.equal(cause("latin1"), "latin1 is not UTF-8 text");
    assert.equal(cause("huge"), "huge has 1048577 bytes, more than the 1048576 allowed");
    assert.equal(cause("missing"), "missing does not exist");
    assert.equal(cause("."), `${directory} is a directory`);
    assert.match(cause("empty/beneath"), /^empty\/beneath cannot be read, Not a directory/);
    assert.equal(
      refusal(() => loadConfig("/dev/zero", { known })),
      "Cannot read the configuration: /dev/zero is not a regular file",
    );
  });
});

Deno.test({
  name: "`loadConfig()` says so when this user may not read the file (not as root, who may read all)",
  ignore: Deno.uid() === 0,
  fn: () =>
    inDirectory({ "config.jsonc": "{}" }, (directory) => {
      const path = join(directory, "config.jsonc");
      Deno.chmodSync(path, 0o200);
      const message = refusal(() => loadConfig(path, { known }), directory);
      assert.equal(message, "Cannot read the configuration: this user may not read config.jsonc");
    }),
});

Deno.test("`loadConfig()` needs no right but to read its file, and names the build command without it", async () => {
  const program = join(Deno.makeTempDirSync(), "program.ts");
  const source = new URL("../lib/config.ts", import.meta.url).href;
  const known = '[{ name: "SSHD", identifiers: [], units: [], parse: () => null }]';
  Deno.writeTextFileSync(
    program,
    `import { loadConfig } from "${source}";
     try { console.log(loadConfig("${SHIPPED}", { known: ${known} }).path); }
     catch (error) { console.log(error.message); }`,
  );
  const run = async (...rights: string[]) => {
    const config = `--config=${new URL("../deno.json", import.meta.url).pathname}`;
    const args = ["run", "--no-prompt", "--no-lock", config, ...rights, program];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "null" }).output();
    return new TextDecoder().decode(stdout).trim();
  };
  try {
    assert.equal(await run(`--allow-read=${SHIPPED}`), SHIPPED);
    assert.equal(
      await run(),
      `Cannot read the configuration: this program was built without the right to read ${SHIPPED}, ` +
        `build it with deno task build --config ${SHIPPED}`,
    );
  } finally {
    Deno.removeSync(join(program, ".."), { recursive: true });
  }
});

Deno.test("`loadConfig()` takes the database password from the file beside the configuration", () => {
  const passwords: [secret: string | null, mode: number, expected: string][] = [
    ["s3cret\n", 0o640, "s3cret"],
    ["s3cret", 0o600, "s3cret"],
    [" two words \r\n", 0o600, " two words "],
    [null, 0, "does not exist"],
    ["", 0o600, "is empty"],
    ["\n\n", 0o600, "is empty"],
    ["a\nb\n", 0o600, "must hold one line, the password alone"],
    ["a\0b", 0o600, "is binary, not text"],
    ["x".repeat(1025), 0o600, "has 1025 bytes, more than the 1024 allowed"],
  ];
  for (const [secret, mode, expected] of passwords) {
    const files = { "config.jsonc": top(DB), ...(secret === null ? {} : { "db_password.secret": secret }) };
    inDirectory(files, (directory) => {
      if (secret !== null) Deno.chmodSync(join(directory, "db_password.secret"), mode);
      const open = () => loadConfig(join(directory, "config.jsonc"), { known }).database?.password;
      if (secret?.trim() === expected.trim()) assert.equal(open(), expected);
      else {
        const message = refusal(open, directory);
        assert.equal(message, `Cannot read the database password: db_password.secret ${expected}`);
      }
    });
  }
});

Deno.test("`loadConfig()` refuses a password that everyone may read, and can leave the password alone", () => {
  inDirectory({ "config.jsonc": top(DB), "db_password.secret": "s3cret" }, (directory) => {
    Deno.chmodSync(join(directory, "db_password.secret"), 0o644);
    const path = join(directory, "config.jsonc");
    assert.equal(
      refusal(() => loadConfig(path, { known }), directory),
      "Cannot read the database password: everyone may read db_password.secret, forbid it with chmod 640",
    );
    assert.equal(loadConfig(path, { known, withPassword: false }).database?.password, "");
  });
});

Deno.test("`loadConfig()` runs the config.json of the original program as it is", () => {
  const original = `{
    "DB": { "host": "localhost", "port": 5432, "user": "monitor", "database": "monitor" },
    "ban_command": "sudo /opt/banIP.sh %s",
    "modules": {
      "SSHD": {
        "no_log": "Connection from",
        "rules": [
          { "name": "invalid_user", "str": "Invalid user", "mode": "start", "limit": 5 },
          { "name": "preauth", "str": ["[preauth]", "Bad protocol"], "mode": "anywhere", "limit": 10 }
        ]
      }
    }
  }`;
  inDirectory({ "config.json": original, "db_password.secret": "s3cret\n" }, (directory) => {
    const forever = { window: null, banTime: null };
    assert.deepEqual(loadConfig(join(directory, "config.json"), { known }), {
      path: join(directory, "config.json"),
      stateDirectory: "/var/lib/strongmonitor",
      modules: [{
        module: SSHD,
        noLog: ["Connection from"],
        rules: [
          { name: "invalid_user", str: ["Invalid user"], mode: "start", limit: 5, ...forever },
          { name: "preauth", str: ["[preauth]", "Bad protocol"], mode: "anywhere", limit: 10, ...forever },
        ],
      }],
      ban: { command: ["sudo", "/opt/banIP.sh", "%s"], unban: null, timeout: 10 * SECOND, concurrency: 4 },
      database: { host: "localhost", port: 5432, user: "monitor", database: "monitor", password: "s3cret" },
      whitelist: { networks: [], names: [], refresh: 300 * SECOND },
      keepLog: null,
    });
  });
});

Deno.test("`loadConfig()` takes spans from the rule, else from its module, else from the top", () => {
  const text = `{
    "window": "1h", "ban_time": 60, // seconds
    "modules": {
      "SSHD": { "window": "10m", "rules": [
        { "name": "own", "str": "x", "limit": 1, "window": "5s", "ban_time": "forever" },
        { "name": "inherits", "str": "x", "limit": 1 },
      ] },
      "NGINX": { "ban_time": "forever", "rules": [${RULE}] },
    },
  }`;
  const spans = load(text).modules.flatMap(({ rules }) =>
    rules.map(({ window, banTime }) => [window, banTime])
  );
  assert.deepEqual(spans, [[5 * SECOND, null], [600 * SECOND, 60 * SECOND], [3600 * SECOND, null]]);
});

Deno.test("`loadConfig()` finds state and programs relative to the configuration, --state to the working directory", () => {
  inDirectory({ "config.jsonc": top('"state": "run", "ban_command": ["./ban.sh", "%s"]') }, (directory) => {
    const path = join(directory, "config.jsonc");
    const config = loadConfig(path, { known });
    assert.equal(config.stateDirectory, join(directory, "run"));
    assert.deepEqual(config.ban.command, [join(directory, "ban.sh"), "%s"]);
    assert.equal(loadConfig(path, { known, state: "here" }).stateDirectory, join(Deno.cwd(), "here"));
  });
});

Deno.test("`loadConfig()` brings the whitelist into canonical form, each member once", () => {
  const members =
    '["10.1.2.3/8", "10.0.0.0/8", "::ffff:192.0.2.1", "2001:DB8:0::1", "Home.Example.ORG.", "home.example.org"]';
  assert.deepEqual(load(top(`"whitelist": ${members}`)).whitelist, {
    networks: ["10.0.0.0/8", "192.0.2.1", "2001:db8::1"],
    names: ["home.example.org"],
    refresh: 300 * SECOND,
  });
  assert.deepEqual(load(top('"whitelist": "gateway"')).whitelist.names, ["gateway"]);
});

Deno.test("`loadConfig()` understands a database host with a port", () => {
  const hosts: [string, string, number][] = [
    ["db.example.org", "db.example.org", 5432],
    ["DB.example.org:6432", "db.example.org", 6432],
    ["192.0.2.1:1", "192.0.2.1", 1],
    ["::1", "::1", 5432],
    ["[::1]", "::1", 5432],
    ["[2001:db8::0]:6432", "2001:db8::", 6432],
  ];
  for (const [written, host, port] of hosts) {
    const { database } = load(top(`"DB": { "host": "${written}", "user": "u", "database": "d" }`));
    assert.deepEqual(database, { host, port, user: "u", database: "d", password: "" });
  }
});

Deno.test("`loadConfig()` takes a list of command words as it is, blanks and shell characters included", () => {
  const { ban } = load(
    top('"ban_command": ["nft", "add element inet f b { %s }; # $x"], "unban_command": "  u  %s "'),
  );
  assert.deepEqual(ban.command, ["nft", "add element inet f b { %s }; # $x"]);
  assert.deepEqual(ban.unban, ["u", "%s"]);
});

Deno.test("`describeConfig()` says what a configuration means, without the password", () => {
  const text = `{
    "ban_command": ["ban", "--note", "by us", "%s"], "unban_command": "unban %s", "keep_log": "30d", "state": "/s",
    "DB": { "host": "::1", "user": "u", "database": "d" },
    "whitelist": ["10.0.0.0/8", "example.org"],
    "modules": { "SSHD": { "no_log": "quiet", "rules": [
      { "name": "a", "str": ["x", "y"], "limit": 1 },
      { "name": "b", "str": "z", "mode": "anywhere", "limit": 5, "window": "10m", "ban_time": "1d" }
    ] } }
  }`;
  inDirectory({ "config.jsonc": text, "db_password.secret": "s3cret" }, (directory) => {
    const described = describeConfig(loadConfig(join(directory, "config.jsonc"), { known }));
    assert.equal(
      described.replace(directory, ""),
      `Configuration: /config.jsonc
State: /s, recorded lines are kept for 30d
Database: d on [::1]:5432 as u
Bans: by ban --note "by us" %s
  lifted by unban %s
  4 at once, each for at most 10s
Whitelist: 10.0.0.0/8, example.org (names resolved every 5m)
Module SSHD:
  not recorded: lines that start with
    "quiet"
  a: bans for good at more than 1 hit, however far apart; a hit is a line that starts with
    "x"
    or "y"
  b: bans for 1d at more than 5 hits within 10m; a hit is a line that contains
    "z"`,
    );
  });
});

Deno.test("`configWarnings()` tells what is allowed but hardly meant", () => {
  const rules = (...list: string[]) =>
    `"modules": { "SSHD": { "rules": [${list.map((keys) => `{ ${keys} }`)}] } }`;
  const cases: [text: string, warnings: string[]][] = [
    [top('"whitelist": ["0.0.0.0/0", "10.0.0.0/8", "8000::/1", "2001:db8::/32"]'), [
      "whitelist 0.0.0.0/0 is so large that few or none are ever banned",
      "whitelist 8000::/1 is so large that few or none are ever banned",
    ]],
    [top('"ban_command": "ban %s"'), []],
    [top('"ban_command": "ban %s", "ban_time": "1d"'), [
      "ban_time is set but unban_command is not: bans that run out are not lifted by a command",
    ]],
    [top('"unban_command": "unban %s"'), ["unban_command has no use without ban_command"]],
    [top('"ban_command": ["sudo", "/bin/sh", "-c", "ban %s"]'), [
      "ban_command runs /bin/sh: whoever may run a shell may run anything",
    ]],
    [
      `{ ${
        rules('"name": "wide", "str": "Inv", "limit": 5', '"name": "narrow", "str": ["Invalid"], "limit": 5')
      } }`,
      [
        "[SSHD] narrow never acts: wide sees the same lines and bans no later",
      ],
    ],
    [`{ ${rules('"name": "one", "str": "x", "limit": 5', '"name": "same", "str": "x", "limit": 5')} }`, [
      "[SSHD] same never acts: one sees the same lines and bans no later",
    ]],
    [
      `{ ${
        rules(
          '"name": "fast", "str": "x", "limit": 5, "window": "10m", "ban_time": "1h"',
          '"name": "slow", "str": "x", "limit": 9, "window": "1d", "ban_time": "1w"',
          '"name": "elsewhere", "str": "x", "mode": "anywhere", "limit": 9, "window": "10m", "ban_time": "1h"',
        )
      } }`,
      [],
    ],
  ];
  for (const [text, warnings] of cases) assert.deepEqual(configWarnings(load(text)), warnings);
});

Deno.test("the shipped configuration loads, observes, and warns of nothing", () => {
  const config = loadConfig(SHIPPED, { known });
  assert.deepEqual(config.modules.map(({ module }) => module.name), ["SSHD"]);
  assert.deepEqual([config.ban.command, config.database], [null, null]);
  assert.deepEqual(configWarnings(config), []);
  for (const { rules } of config.modules) {
    for (const { window, banTime } of rules) assert.ok(window !== null && banTime !== null);
  }
});

Deno.test("what the shipped configuration gives as examples in comments loads as well", () => {
  const text = Deno.readTextFileSync(SHIPPED).replace(/^(\s*)\/\/ (?="\w+": )/gm, "$1");
  const config = load(text);
  assert.deepEqual(config.ban.unban?.slice(-2), ["blackhole", "%s"]);
  assert.deepEqual(config.whitelist.names, ["home.example.org"]);
  assert.equal(config.database?.host, "db.example.org");
  assert.deepEqual(configWarnings(config), []);
});

Deno.test("docs/config.schema.json is what the schema generates (else: deno run -W=docs tools/config_schema.ts)", () => {
  assert.equal(Deno.readTextFileSync(SCHEMA_FILE), schemaText());
});

Deno.test("docs/configuration.md explains every key", () => {
  const page = Deno.readTextFileSync(new URL("../docs/configuration.md", import.meta.url));
  const keys = [...schemaText().matchAll(/"([\w$]+)": \{/g)].map(([, key]) => key!);
  const own = keys.filter((key) =>
    !["properties", "additionalProperties", "items", "propertyNames"].includes(key)
  );
  assert.ok(own.includes("ban_command") && own.includes("limit"));
  assert.deepEqual(own.filter((key) => !page.includes(`\`${key}\``)), []);
});

/** Numbers in [0, 1), the same in every run (mulberry32). */
function randomly(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

Deno.test("`loadConfig()` answers whatever text with a Config or a UserError", () => {
  const random = randomly(20);
  const below = (n: number) => Math.floor(random() * n);
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
      "keep_log",
      "DB",
      "state",
    ]
      .map((key) => (value: string) => top(`"${key}": ${value}`)),
    ...["host", "port", "user", "database"].map((key) => (value: string) =>
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
