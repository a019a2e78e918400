import { strict as assert } from "node:assert";
import { join } from "node:path";
import { configWarnings } from "../../lib/config/warnings.ts";
import { describeConfig } from "../../lib/config/describe.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { inDirectory, known, load, top } from "../support/configs.ts";

Deno.test("`describeConfig()` says what a configuration means, without the password", () => {
  const text = `{
    "ban_command": ["ban", "--note", "by us", "%s"], "unban_command": "unban %s", "keep_log": "30d", "state": "/s",
    "DB": { "host": "::1", "user": "u", "database": "d" },
    "whitelist": ["10.0.0.0/8", "example.org"], "trust_logins": { "for": "7d" },
    "ban_time_factor": 2, "max_ban_time": "30d", "forget_after": "60d",
    "network_bans": [{ "ipv4": 24, "limit": 5, "ban_time": "1h" }],
    "modules": { "SSHD": { "no_log": "quiet", "rules": [
      { "name": "a", "str": ["x", "y"], "limit": 1 },
      { "name": "b", "str": "z", "mode": "anywhere", "limit": 5, "window": "10m", "ban_time": "1d" }
    ] } }
  }`;
  inDirectory({ "config.jsonc": text, "db_password.secret": "s3cret" }, (directory) => {
    const described = describeConfig(loadConfig(join(directory, "config.jsonc"), { known }), { rules: true });
    assert.equal(
      described.replace(directory, ""),
      `Configuration: /config.jsonc
State: /s, recorded lines are kept for 30d in at most 1 GiB, ended bans for 365d
Database: d on [::1]:5432 as u
Bans: by ban --note "by us" %s
  lifted by unban %s
  4 at once, each for at most 10s
  each further ban of an address lasts 2 times as long, up to 30d; 60d without a ban start over
Networks: a /24 with more than 5 bans inside within 1d is banned for 1h (longer each time)
Whitelist: 10.0.0.0/8, example.org (names resolved every 5m)
Logins: an address is not banned for 7d after one by publickey; after others its limits are 3 times as high
Module SSHD: journal entries of sshd, sshd-session, sshd-auth
  not recorded: lines that start with
    "quiet"
  a: bans for good at more than 1 hit, however far apart; a hit is a line that starts with
    "x"
    or "y"
  b: bans for 1d (longer each time) at more than 5 hits within 10m; a hit is a line that contains
    "z"`,
    );
  });
});

Deno.test("`describeConfig()` says what rules ask of fields, and where lines are found", () => {
  const text = `{ "modules": {
    "NGINX": { "match": { "identifier": "nginx", "file": "/a/*.log" }, "rules": [
      { "name": "a", "field": ["path", "query"], "str": "x", "mode": "regex", "ignore_case": true, "status": ["4xx", 500],
        "except": ["/ok", "/fine"], "limit": 2 },
      { "name": "b", "status": 404, "distinct": "path", "limit": 9 }
    ] },
    "ftp": { "match": { "unit": "ftp.service" }, "pattern": "^no <ADDR>$", "rules": [{ "name": "c", "limit": 1 }] }
  } }`;
  const described = describeConfig(load(text), { rules: true });
  assert.match(described, /^Whitelist: nobody but this machine, its gateways and name servers$/m);
  assert.equal(
    described.split("\n").slice(6).join("\n"),
    `Module NGINX: journal entries of nginx; lines of /a/*.log
  not counted: requests that nginx refused before it had read them (400 and such), until trusted_proxies says which proxies stand in front, or [] for none
  a: bans for good at more than 2 hits, however far apart; a hit is a line with status 4xx, 500 whose path or query matches in any case
    "x"
    unless it is one whose path or query starts with in any case
    "/ok"
    or "/fine"
  b: bans for good at more than 9 hits with different path, however far apart; a hit is any line with status 404
Module ftp: journal entries of ftp.service
  c: bans for good at more than 1 hit, however far apart; a hit is any line`,
  );
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
      "bans by [SSHD] a end after a ban_time, but no unban_command lifts them",
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
    [`{ ${rules('"name": "one", "str": "I", "limit": 5', '"name": "same", "str": "I", "limit": 5')} }`, [
      "[SSHD] same never acts: one sees the same lines and bans no later",
    ]],
    [
      `{ ${
        rules(
          '"name": "fast", "str": "I", "limit": 5, "window": "10m", "ban_time": "1h"',
          '"name": "slow", "str": "I", "limit": 9, "window": "1d", "ban_time": "1w"',
          '"name": "elsewhere", "str": "I", "mode": "anywhere", "limit": 9, "window": "10m", "ban_time": "1h"',
        )
      } }`,
      [],
    ],
  ];
  for (const [text, warnings] of cases) {
    const said = configWarnings(load(text)).filter((sentence) => !/: set (?:window|ban_time)/.test(sentence));
    assert.deepEqual(said, warnings);
  }
});
