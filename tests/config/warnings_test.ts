import { strict as assert } from "node:assert";
import type { Config } from "../../lib/config/types.ts";
import { configWarnings, wideWarning } from "../../lib/config/warnings.ts";
import type { Condition, Rule } from "../../lib/rules/rule.ts";
import { HOUR } from "../../lib/core/time.ts";
import { load } from "../support/configs.ts";
import { STEADY } from "../support/helpers.ts";

function condition(over: Partial<Condition>): Condition {
  return { fields: ["message"], mode: "start", texts: ["Invalid"], ignoreCase: false, ...over };
}

function rule(name: string, over: Partial<Rule> = {}): Rule {
  return {
    name,
    condition: condition({}),
    status: null,
    except: [],
    distinct: null,
    limit: 5,
    window: HOUR,
    banTime: HOUR,
    growth: STEADY,
    scope: "all",
    ...over,
  };
}

/** What `configWarnings()` says of a module with these rules. */
function warnings(
  rules: readonly Rule[],
  over: {
    ban?: Partial<Config["ban"]>;
    own?: Partial<Config["ban"]>;
    trustedProxies?: unknown;
    following?: unknown;
  } = {},
) {
  const { ban, own, trustedProxies = [], following = null } = over;
  const firewall = {
    firewall: "command",
    nft: ["nft"],
    command: null,
    unban: null,
    timeout: 1,
    concurrency: 1,
  };
  return configWarnings({
    ban: { ...firewall, ...ban },
    moduleBans: own === undefined ? [] : [{ module: "M", ban: { ...firewall, ...own } }],
    whitelist: { members: [], files: [], refresh: 1 },
    following,
    modules: [{ module: { name: "M", form: {} }, noLog: [], trustedProxies, record: "all", rules }],
  } as unknown as Config);
}

Deno.test("`configWarnings()` warns of a fleet in which too few are believed", () => {
  const of = (minReports: number, ...names: string[]) =>
    warnings([rule("a")], {
      following: { minReports, acceptFrom: names.length > 0 ? new Set(names) : null },
    });
  assert.deepEqual(of(3, "alpha", "beta"), [
    "fleet.min_reports is 3, and accept_from names 2: no ban of another server is followed",
  ]);
  assert.deepEqual(of(2, "alpha", "beta"), []);
  assert.deepEqual(of(1_000), []);
});

Deno.test("`configWarnings()` names texts with which no message begins, as rules and as exceptions look for them", () => {
  const of = (condition: string, module = "NGINX") =>
    configWarnings(load(
      `{ "window": "1m", "ban_time": "1h", "modules": { "${module}": { "trusted_proxies": [], "rules": [
        { "name": "a", "limit": 1, ${condition} }
      ] } } }`.replace(module === "SSHD" ? '"trusted_proxies": [],' : "", ""),
    ));
  const lost = (text: string) =>
    `[NGINX] a: no message begins with "${text}": name its field, such as "path", or set "mode": "anywhere"`;
  assert.deepEqual(of('"str": ["/.env", "192.0.2."]'), [lost("/.env")]);
  assert.deepEqual(of('"status": 404, "except": "/favicon.ico"'), [lost("/favicon.ico")]);
  assert.deepEqual(of('"str": "/.env", "field": "path"'), []);
  assert.deepEqual(of('"str": "/.env", "mode": "anywhere"'), []);
  assert.deepEqual(of('"str": "Invaild user"', "SSHD"), [
    '[SSHD] a: no message begins with "Invaild user": compare it with a line of the log, or set "mode": "anywhere"',
  ]);
  assert.deepEqual(of('"str": "invalid user", "ignore_case": true', "SSHD"), []);
});

const never = (name: string) => `[M] ${name} never hits: its exceptions leave nothing of what it looks for`;
const idle = (name: string, other: string) =>
  `[M] ${name} never acts: ${other} sees the same lines and bans no later`;

const BLIND: [title: string, over: Partial<Rule>, isBlind: boolean][] = [
  ["the same", { except: [condition({})] }, true],
  ["a wider text", { except: [condition({ texts: ["Inv"] })] }, true],
  ["a narrower text", { except: [condition({ texts: ["Invalid user"] })] }, false],
  ["one text of two", {
    condition: condition({ texts: ["Invalid", "Failed"] }),
    except: [condition({ texts: ["Inv"] })],
  }, false],
  ["a text anywhere", { except: [condition({ mode: "anywhere", texts: ["nval"] })] }, true],
  ["a start for what is sought anywhere", {
    condition: condition({ mode: "anywhere" }),
    except: [condition({})],
  }, false],
  ["another field", { except: [condition({ fields: ["user"] })] }, false],
  ["that field among others", { except: [condition({ fields: ["user", "message"] })] }, true],
  ["case ignored", { except: [condition({ texts: ["invalid"], ignoreCase: true })] }, true],
  ["case regarded where it is ignored", {
    condition: condition({ texts: ["invalid"], ignoreCase: true }),
    except: [condition({ texts: ["invalid"] })],
  }, false],
  ["the same expression", {
    condition: condition({ mode: "regex", texts: ["a+b"] }),
    except: [condition({ mode: "regex", texts: ["a+b"] })],
  }, true],
  ["an expression", { except: [condition({ mode: "regex", texts: ["Inv"] })] }, false],
  ["something of any message", { condition: null, except: [condition({})] }, false],
];
for (const [title, over, isBlind] of BLIND) {
  Deno.test(`\`configWarnings()\` ${isBlind ? "names" : "does not name"} a rule that excepts ${title}`, () => {
    assert.deepEqual(warnings([rule("a", over)]), isBlind ? [never("a")] : []);
  });
}

const IDLE: [title: string, first: Partial<Rule>, second: Partial<Rule>, expected: string[]][] = [
  ["the same twice", {}, {}, [idle("second", "first")]],
  ["any message before some", { condition: null }, {}, [idle("second", "first")]],
  ["some messages before any", {}, { condition: null }, [idle("first", "second")]],
  ["all status codes before some", {}, { status: new Set([404]) }, [idle("second", "first")]],
  ["more status codes", { status: new Set([403, 404]) }, { status: new Set([404]) }, [
    idle("second", "first"),
  ]],
  ["other status codes", { status: new Set([403]) }, { status: new Set([404]) }, []],
  ["hits before different values", {}, { distinct: "path" }, [idle("second", "first")]],
  ["different values of different fields", { distinct: "path" }, { distinct: "user" }, []],
  ["a milder limit", { limit: 9, status: new Set([404]) }, { limit: 5, distinct: "path" }, []],
  [
    "an exception that the other lacks",
    { except: [condition({ texts: ["Invalid user"] })] },
    { limit: 9 },
    [],
  ],
  ["an exception that both have", { except: [condition({ texts: ["Invalid user"] })] }, {
    limit: 9,
    except: [condition({ texts: ["Invalid u"] })],
  }, [idle("second", "first")]],
];
for (const [title, first, second, expected] of IDLE) {
  Deno.test(`\`configWarnings()\` judges of two rules whether one can act: ${title}`, () => {
    assert.deepEqual(warnings([rule("first", first), rule("second", second)]), expected);
  });
}

Deno.test("`configWarnings()` names rules that forget no hit and bans without an end", () => {
  const texts = ["a", "b", "c", "d"].map((text) => ({ name: text, condition: condition({ texts: [text] }) }));
  const said = (over: Partial<Rule>, count = 1) =>
    warnings(texts.slice(0, count).map(({ name, condition }) => rule(name, { condition, ...over })));
  assert.deepEqual(said({}), []);
  assert.deepEqual(said({ window: null }), ["[M] a: hits count however far apart: set window"]);
  assert.deepEqual(said({ banTime: null }, 3), ["[M] a, b, c: bans are for good: set ban_time"]);
  assert.deepEqual(said({ window: null, banTime: null }, 4), [
    "[M] a, b, c and 1 more: bans are for good, and hits count however far apart: set window and ban_time",
  ]);
});

Deno.test("`configWarnings()` warns where a proxy could be banned, or those behind it without effect", () => {
  const said = (trustedProxies: unknown, ban: Partial<Config["ban"]>) =>
    warnings([rule("a")], { trustedProxies, ban }).filter((sentence) => sentence.includes("trusted_proxies"))
      .map((sentence) => sentence.slice(0, 40));
  const [unknown, unseen] = [
    "[M] trusted_proxies is not set: a proxy i",
    "cuts off nobody behind trusted_pr",
  ];
  const command = (text: string) =>
    ({ firewall: "command", command: text.split(" "), unban: ["u"] }) as const;
  const [proxies, nftables] = [["192.0.2.0/24"], { firewall: "nftables" } as const];
  assert.deepEqual(said(null, nftables), [unknown.slice(0, 40)]);
  assert.deepEqual(said(null, command("sudo /opt/ban %s")), [unknown.slice(0, 40)]);
  assert.deepEqual(said(null, { firewall: "observe" }), []);
  assert.deepEqual(said(null, {}), [], "no command");
  assert.deepEqual(said([], nftables), []);
  assert.deepEqual(said(proxies, { firewall: "observe" }), []);
  assert.deepEqual(said(proxies, command("/opt/deny-in-nginx %s")), []);
  for (
    const [name, ban] of [["nftables", nftables], [
      "ipset",
      command("sudo -n /usr/sbin/ipset add %s"),
    ]] as const
  ) {
    assert.deepEqual(said(proxies, ban), [`[M] ${name} ${unseen}`.slice(0, 40)]);
    assert.deepEqual(
      warnings([rule("a")], { trustedProxies: proxies, ban, own: command("/opt/deny-in-nginx %s") }),
      [],
      "the module's own firewall sees the clients",
    );
  }
});

Deno.test("`wideWarning()` spares networks that one party may have", () => {
  for (const network of ["0.0.0.0/0", "8.0.0.0/7", "::/0", "2000::/15"]) {
    assert.equal(wideWarning(network), `whitelist ${network} is so large that few or none are ever banned`);
  }
  for (const network of ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "2001::/16", "::1"]) {
    assert.equal(wideWarning(network), null);
  }
});
