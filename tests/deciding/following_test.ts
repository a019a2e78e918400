import { strict as assert } from "node:assert";
import { formatScope } from "../../lib/core/scope.ts";
import { HOUR, MINUTE } from "../../lib/core/time.ts";
import type { BanInForce } from "../../lib/deciding/ban.ts";
import { follow, type FollowFacts, type FollowRules, type Report } from "../../lib/deciding/following.ts";
import { scopeOf } from "../support/helpers.ts";

const NOW = 100 * HOUR;
const RULES: FollowRules = { minReports: 1, window: HOUR, acceptFrom: null, modules: null, maxBans: 100 };
const FACTS: FollowFacts = {
  inForce: new Map(),
  lifted: new Map(),
  followed: 0,
  followedOf: () => 0,
  firewalls: new Set(),
  whyNot: () => null,
  now: NOW,
};

function report(server: string, over: Partial<Report> = {}): Report {
  return {
    address: "192.0.2.1",
    scope: "all",
    host: `id of ${server}`,
    server,
    provenance: { kind: "rule", name: "SSHD invalid_user" },
    reason: "[SSHD] invalid_user",
    start: NOW - MINUTE,
    until: NOW + HOUR,
    isInForce: true,
    ...over,
  };
}

function known(over: Partial<BanInForce> = {}): FollowFacts["inForce"] {
  return new Map([["192.0.2.1", [{ scope: "all", until: NOW + HOUR, isFollowed: true, ...over }]]]);
}

/** Says what follows for the addresses of the reports and of the bans in force: `+` ban, `-` end, `?` spared. */
function decide(
  reports: readonly Report[],
  { rules = {}, ...facts }: Partial<FollowFacts> & { rules?: Partial<FollowRules> } = {},
): string[] {
  const { inForce } = { ...FACTS, ...facts };
  const addresses = [...reports.map(({ address }) => address), ...inForce.keys()];
  const { bans, ends, spared } = follow({ addresses, reports }, {
    rules: { ...RULES, ...rules },
    facts: { ...FACTS, ...facts },
  });
  const name = ({ address, scope }: Pick<Report, "address" | "scope">) =>
    scope === "all" ? address : `${address} ${formatScope(scope)}`;
  return [
    ...bans.map((ban) => `+${name(ban)} ${ban.until === null ? "for good" : (ban.until - NOW) / HOUR}`),
    ...ends.map((ban) => `-${name(ban)}`),
    ...spared.map((sentence) => `?${sentence.replace(/^.*: /, "")}`),
  ];
}

Deno.test("`follow()` bans with the origin's scope, reason and end, and names the origin", () => {
  const reports = [report("web1", { scope: scopeOf("tcp 22") })];
  const { bans } = follow({ addresses: ["192.0.2.1"], reports }, {
    rules: RULES,
    facts: FACTS,
  });
  assert.deepEqual(bans, [{
    address: "192.0.2.1",
    scope: scopeOf("tcp 22"),
    provenance: { kind: "fleet", name: "web1" },
    reason: "[FLEET] web1: [SSHD] invalid_user",
    count: 0,
    start: NOW - MINUTE,
    until: NOW + HOUR,
  }]);
});

Deno.test("`follow()` bans for a module by the module's own firewall, and says where there is none", () => {
  const reports = [report("web1", { scope: scopeOf("module NGINX") })];
  const follows = (...firewalls: string[]) => {
    const facts = { ...FACTS, firewalls: new Set(firewalls) };
    const { bans } = follow({ addresses: ["192.0.2.1"], reports }, { rules: RULES, facts });
    return bans.map(({ scope, reason }) => [formatScope(scope), reason]);
  };
  const reason = "[FLEET] web1: [SSHD] invalid_user";
  assert.deepEqual(follows("NGINX"), [["module NGINX", reason]]);
  assert.deepEqual(follows("SSHD"), [
    ["all", `${reason}; bans from everything, as NGINX has no firewall of its own here`],
  ]);
});

Deno.test("`follow()` goes by reports, bans in force and rules", async (t) => {
  const ended = { isInForce: false, until: NOW - 1 };
  const cases: readonly [string, readonly Report[], Parameters<typeof decide>[1], string[]][] = [
    ["a report bans", [report("a")], {}, ["+192.0.2.1 1"]],
    ["a ban for good lasts", [report("a", { until: null })], {}, ["+192.0.2.1 for good"]],
    ["the latest end counts", [report("a"), report("b", { until: NOW + 3 * HOUR })], {}, ["+192.0.2.1 3"]],
    ["each scope is a ban of its own", [report("a"), report("a", { scope: scopeOf("udp") })], {}, [
      "+192.0.2.1 1",
      "+192.0.2.1 udp 1",
    ]],
    [
      "a ban for a module and one of everything are one where the module has no firewall",
      [report("a", { scope: scopeOf("module NGINX") }), report("b")],
      { inForce: known(), rules: { minReports: 2 } },
      [],
    ],
    [
      "an own ban of everything does not cut off who comes through a module's proxy",
      [report("a", { scope: scopeOf("module NGINX") })],
      { inForce: known({ isFollowed: false }), firewalls: new Set(["NGINX"]) },
      ["+192.0.2.1 module NGINX 1"],
    ],
    ["a ban that is over here bans nobody", [report("a", { until: NOW })], {}, []],
    ["a ban that is followed already stays", [report("a")], { inForce: known() }, []],
    ["another end moves it", [report("a", { until: NOW + 2 * HOUR })], { inForce: known() }, [
      "+192.0.2.1 2",
    ]],
    ["without a report it ends", [], { inForce: known() }, ["-192.0.2.1"]],
    ["of two reports one is enough to go on", [report("a", ended), report("b")], { inForce: known() }, []],
    [
      "an own ban comes first",
      [report("a", { until: null })],
      { inForce: known({ isFollowed: false }) },
      [],
    ],
    ["an own ban never ends with others'", [], { inForce: known({ isFollowed: false }) }, []],
    ["an own ban of other ports does not cover it", [report("a")], {
      inForce: known({ isFollowed: false, scope: scopeOf("tcp 22") }),
    }, ["+192.0.2.1 1"]],
    ["whom this server protects is spared", [report("a")], { whyNot: () => "logged in" }, ["?logged in"]],
    ["protection that came later ends the ban", [report("a")], {
      inForce: known(),
      whyNot: () => "logged in",
    }, ["-192.0.2.1", "?logged in"]],
    ["everything is never banned", [report("a", { address: "0.0.0.0/0" })], {}, ["?it is wider than /16"]],
    ["no half of IPv6 either", [report("a", { address: "8000::/1" })], {}, ["?it is wider than /32"]],
    ["a /16 may be banned", [report("a", { address: "10.1.0.0/16" })], {}, ["+10.1.0.0/16 1"]],
    ["a ban lifted here by hand stays lifted", [report("a")], { lifted: new Map([["192.0.2.1", NOW]]) }, []],
    ["but not for a ban of later", [report("a")], { lifted: new Map([["192.0.2.1", NOW - HOUR]]) }, [
      "+192.0.2.1 1",
    ]],
    ["one report of two is not enough", [report("a")], { rules: { minReports: 2 } }, []],
    ["two of one server are one", [report("a"), report("a", { scope: scopeOf("tcp") })], {
      rules: { minReports: 2 },
    }, []],
    ["two servers are two, also where one ban is over", [report("a"), report("b", ended)], {
      rules: { minReports: 2 },
    }, ["+192.0.2.1 1"]],
    ["a report before the window does not count", [report("a"), report("b", { start: NOW - 2 * HOUR })], {
      rules: { minReports: 2 },
    }, []],
    [
      "servers that are not accepted are not heard",
      [report("a")],
      { rules: { acceptFrom: new Set(["b"]) } },
      [],
    ],
    ["accepted ones are", [report("a")], { rules: { acceptFrom: new Set(["a"]) } }, ["+192.0.2.1 1"]],
    [
      "modules are chosen",
      [
        report("a"),
        report("a", { address: "192.0.2.2", provenance: { kind: "rule", name: "NGINX scan" } }),
        report("a", { address: "192.0.2.3", provenance: { kind: "manual", name: "" } }),
      ],
      { rules: { modules: new Set(["NGINX"]) } },
      ["+192.0.2.2 1"],
    ],
    ["no more than max_bans", [report("a"), report("b", { address: "192.0.2.2" })], {
      followed: 4,
      rules: { maxBans: 5 },
    }, [
      "+192.0.2.1 1",
      "?no room, as max_bans is 5, and one server gets half of what the others leave",
    ]],
    [
      "the only followed server fills all of max_bans",
      [report("a"), report("a", { address: "192.0.2.2" })],
      { followed: 4, followedOf: () => 4, rules: { maxBans: 5, acceptFrom: new Set(["a"]) } },
      ["+192.0.2.1 1", "?no room, as max_bans is 5"],
    ],
    [
      "a server leaves half of the room to others",
      [
        report("a"),
        report("a", { address: "192.0.2.2" }),
        report("b", { address: "192.0.2.3" }),
        report("b", { address: "192.0.2.4" }),
      ],
      { followed: 50, followedOf: (server) => server === "a" ? 48 : 2, rules: { maxBans: 99 } },
      [
        "+192.0.2.1 1",
        "+192.0.2.3 1",
        "+192.0.2.4 1",
        "?no room, as max_bans is 99, and one server gets half of what the others leave",
      ],
    ],
  ];
  for (const [name, reports, facts, expected] of cases) {
    await t.step(name, () => assert.deepEqual(decide(reports, facts), expected));
  }
});

Deno.test("`follow()` counts the followed bans of a server once, however many have no room", () => {
  let counts = 0;
  const reports = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map((address) => report("a", { address }));
  const followedOf = () => {
    counts++;
    return 50;
  };
  assert.equal(
    decide(reports, { followed: 50, followedOf }).filter((said) => said.startsWith("?")).length,
    3,
  );
  assert.equal(counts, 1);
});
