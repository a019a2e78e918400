import { strict as assert } from "node:assert";
import { join } from "node:path";
import { describeConfig } from "../../lib/config/describe.ts";
import { loadConfig, withPassword } from "../../lib/config/load.ts";
import { SECOND } from "../../lib/core/time.ts";
import { sshd } from "../../modules/sshd.ts";
import { messageParser, NO_OPTIONS } from "../support/messages.ts";
import { condition, rule } from "../support/helpers.ts";
import { inDirectory, known, load, own, RULE, top } from "../support/configs.ts";

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
    const loaded = withPassword(loadConfig(join(directory, "config.json"), { known }));
    const { complain: _, target: __, ...config } = loaded;
    assert.deepEqual(config, {
      path: join(directory, "config.json"),
      name: join(directory, "config.json"),
      stateDirectory: "/var/lib/strongmonitor",
      metricsFile: null,
      following: null,
      notify: null,
      modules: [{
        module: {
          name: "SSHD",
          ...sshd.match,
          options: { logFormats: [], trustedProxies: [], patterns: [], unsafe: false },
          programs: [...sshd.match.identifiers],
          aliases: sshd.aliases,
          form: sshd.form(NO_OPTIONS),
        },
        noLog: ["Connection from"],
        trustedProxies: [],
        record: "all",
        rules: [
          rule({
            name: "invalid_user",
            condition: condition({ texts: ["Invalid user"] }),
            limit: 5,
            window: null,
          }),
          rule({
            name: "preauth",
            condition: condition({ texts: ["[preauth]", "Bad protocol"], mode: "anywhere" }),
            limit: 10,
            window: null,
          }),
        ],
      }],
      tests: [],
      moduleBans: [],
      ban: {
        firewall: "command",
        nft: ["sudo", "-n", "nft"],
        unbanOnStop: false,
        command: ["sudo", "/opt/banIP.sh", "%s"],
        unban: null,
        timeout: 10 * SECOND,
        concurrency: 4,
      },
      database: { host: "localhost", port: 5432, user: "monitor", database: "monitor", password: "s3cret" },
      whitelist: { members: [], files: [], refresh: 300 * SECOND },
      ipv6Prefix: 64,
      networkBans: [],
      trust: null,
      keepLog: null,
      keepLogSize: 2 ** 30,
      keepBans: 365 * 86_400 * SECOND,
      journalWake: 15_000,
      knock: { prefix: "knock-", time: 43_200_000_000 },
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

/** A member of the whitelist that is an address or a network and no more. */
const plainly = (address: string) => ({ address, isName: false, note: "", until: null });

Deno.test("`loadConfig()` brings the whitelist into canonical form, each member once", () => {
  const members =
    '["10.1.2.3/8", "10.0.0.0/8", "::ffff:192.0.2.1", "2001:DB8:0::1", "Home.Example.ORG.", "home.example.org"]';
  assert.deepEqual(load(top(`"whitelist": ${members}`)).whitelist, {
    members: [...["10.0.0.0/8", "192.0.2.1", "2001:db8::1"].map(plainly), {
      ...plainly("home.example.org"),
      isName: true,
    }],
    files: [],
    refresh: 300 * SECOND,
  });
  assert.deepEqual(load(top('"whitelist": "gateway"')).whitelist.members, [{
    ...plainly("gateway"),
    isName: true,
  }]);
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

Deno.test("`loadConfig()` reads what a rule may ask: fields, status codes, exceptions, different values", () => {
  const text = `{ "modules": { "NGINX": { "rules": [
    { "name": "a", "field": ["path", "query"], "str": ["X", "y"], "mode": "anywhere", "ignore_case": true,
      "except": ["/API", { "field": "user_agent", "str": "Bot" }], "status": [404, "5xx"], "limit": 1 },
    { "name": "b", "status": 403, "distinct": "path", "limit": 1 },
    { "name": "c", "str": "^A+$", "mode": "regex", "ignore_case": true, "limit": 1 }
  ] } } }`;
  const [a, b, c] = load(text).modules[0]!.rules;
  assert.deepEqual(a!.condition, {
    fields: ["path", "query"],
    mode: "anywhere",
    texts: ["x", "y"],
    ignoreCase: true,
  });
  assert.deepEqual(a!.except, [
    { fields: ["path", "query"], mode: "start", texts: ["/api"], ignoreCase: true },
    { fields: ["user_agent"], mode: "start", texts: ["Bot"], ignoreCase: false },
  ]);
  assert.deepEqual([a!.status!.size, a!.status!.has(404), a!.status!.has(599)], [101, true, true]);
  assert.deepEqual([b!.condition, [...b!.status!], b!.distinct], [null, [403], "path"]);
  assert.deepEqual(c!.condition!.texts, ["^a+$"]);
});

Deno.test("`loadConfig()` makes a module of a pattern, found where match says", () => {
  const text = own(
    '"match": { "identifier": ["ftpd", "vsftpd"], "unit": "ftp.service", "file": "/var/log/*.log" }, ' +
      '"pattern": "^refused <ADDR>$"',
  );
  const { module } = load(text).modules[0]!;
  assert.deepEqual(
    [module.name, module.identifiers, module.units, module.files],
    ["ftp", ["ftpd", "vsftpd"], ["ftp.service"], ["/var/log/*.log"]],
  );
  assert.equal(messageParser(module.form)("refused 192.0.2.1")?.address, "192.0.2.1");
});

Deno.test("`loadConfig()` looks for a known service where match says, and nowhere else", () => {
  const originOf = (match: string) => {
    const text = `{ "modules": { "NGINX": { "match": ${match}, "rules": [${RULE}] } } }`;
    const { identifiers, units, files } = load(text).modules[0]!.module;
    return [identifiers, units, files];
  };
  assert.deepEqual(originOf('{ "file": "/srv/log" }'), [[], [], ["/srv/log"]]);
  assert.deepEqual(originOf('{ "identifier": "web" }'), [["web"], ["nginx.service"], []]);
  assert.deepEqual(originOf('{ "unit": "web.service" }'), [[], ["web.service"], []]);
});

Deno.test("`loadConfig()` tells proxies that are not known from none", () => {
  const proxies = (keys: string) =>
    load(`{ "modules": { "NGINX": { ${keys} "rules": [${RULE}] }, "SSHD": { "rules": [${RULE}] } } }`).modules
      .map(({ trustedProxies }) => trustedProxies);
  assert.deepEqual(proxies(""), [null, []]);
  assert.deepEqual(proxies('"trusted_proxies": [],'), [[], []]);
  assert.deepEqual(proxies('"trusted_proxies": "192.0.2.0/24",'), [["192.0.2.0/24"], []]);
});

Deno.test("`loadConfig()` knows the zone of a module's times", () => {
  const text = `{ "modules": { "NGINX": { "time_zone": "Asia/Kathmandu", "rules": [${RULE}] } } }`;
  const config = load(text);
  assert.equal(config.modules[0]!.module.zone?.ahead(0), 5.5 * 3_600 * SECOND, "until 1986");
  assert.match(describeConfig(config), / times without a zone are those of Asia\/Kathmandu\n/);
});

Deno.test("`loadConfig()` never bans a trusted proxy", () => {
  const text = `{ "modules": { "NGINX": { "trusted_proxies": "10.1.2.3/8", "rules": [${RULE}] } } }`;
  assert.deepEqual(load(text).whitelist.members, [{ ...plainly("10.0.0.0/8"), note: "trusted proxy" }]);
});

Deno.test("`loadConfig()` keeps the lines that rules are to be tested with", () => {
  const text = `{ "modules": { "SSHD": { "rules": [
    { "name": "a", "str": "x", "limit": 1, "tests": { "match": "x", "no_match": ["y", "z"] } }
  ] } } }`;
  assert.deepEqual(load(text).tests, [{ module: "SSHD", rule: "a", match: ["x"], noMatch: ["y", "z"] }]);
});
