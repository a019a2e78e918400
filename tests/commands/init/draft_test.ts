import { strict as assert } from "node:assert";
import { parse } from "jsonc-parser";
import { type Answers, draftConfig } from "../../../lib/commands/init/draft.ts";
import type { NginxSurvey, Survey } from "../../../lib/commands/init/survey.ts";
import { printable } from "../../../lib/core/text.ts";
import { load } from "../../support/configs.ts";

const SURVEY: Survey = {
  journal: null,
  hasJournal: true,
  sshPorts: [22],
  sshLog: null,
  origins: [],
  origin: null,
  nginx: null,
  hasNft: true,
  obstacle: null,
  managers: [],
  bansBySudo: false,
  unit: "strongmonitor",
};
const NGINX: NginxSurvey = {
  logs: [],
  formats: [],
  proxies: [],
  proxyNames: [],
  unread: null,
  busiest: null,
};
const ANSWERS: Answers = { whitelist: [], bans: true, isDirect: null };

/** The text for a machine and answers that differ from the plain ones. */
function draft(survey: Partial<Survey> = {}, answers: Partial<Answers> = {}): string {
  return draftConfig({ ...SURVEY, ...survey }, { ...ANSWERS, ...answers });
}

Deno.test("`draftConfig()` fits a terminal of 80 columns", () => {
  const nginx = { ...NGINX, unread: "the words of a long reason ".repeat(9), proxies: ["192.0.2.1"] };
  for (const hasJournal of [false, true]) {
    const text = draft({ nginx, hasJournal, sshPorts: [22, 2222], managers: ["ufw", "Docker"] }, {
      whitelist: ["2001:db8::1"],
    });
    load(text);
    assert.deepEqual(text.split("\n").filter((line) => line.length > 80), []);
  }
});

Deno.test("`draftConfig()` gives what was found as keys, in a text that loads", () => {
  const nginx = (over: Partial<NginxSurvey>) => ({ nginx: { ...NGINX, ...over } });
  const cases: readonly [string, (text: string) => unknown, unknown][] = [
    [draft(), (text) => Object.keys(parse(text).modules), ["SSHD"]],
    [draft({ obstacle: "nft is not installed" }, { bans: false }), (text) => parse(text).firewall, "observe"],
    [draft({}, { bans: false }), (text) => parse(text).firewall, "observe"],
    [draft({ bansBySudo: true }), (text) => parse(text).nft_command, "sudo -n nft"],
    [
      draft({}, { whitelist: ["192.0.2.7", "2001:db8::7"] }),
      (text) => load(text).whitelist.members.length,
      2,
    ],
    [
      draft({ journal: "none", hasJournal: false, sshLog: "/var/log/auth.log" }),
      (text) => load(text).modules[0]!.module.files,
      ["/var/log/auth.log"],
    ],
    [
      draft({ journal: "none", hasJournal: false, ...nginx({}) }),
      (text) =>
        load(text).modules.map(({ module: { identifiers, units, files } }) => [identifiers, units, files]),
      [[[], [], ["/var/log/auth.log", "/var/log/secure"]], [[], [], ["/var/log/nginx/*.log"]]],
    ],
    [draft({ journal: "not for you" }), (text) => parse(text).modules.SSHD.match, undefined],
    [draft(nginx({ logs: ["/var/log/nginx/a.log"] })), (text) => parse(text).modules.NGINX, {
      record: "hits",
    }],
    [
      draft(nginx({ logs: ["/var/log/nginx/a.log", "/var/log/sites/*.log"] })),
      (text) => load(text).modules[1]!.module.files,
      ["/var/log/nginx/*.log", "/var/log/sites/*.log"],
    ],
    [draft(nginx({}), { isDirect: true }), (text) => load(text).modules[1]!.trustedProxies, []],
    [draft(nginx({ busiest: "10.0.0.1" })), (text) => load(text).modules[1]!.trustedProxies, ["10.0.0.1"]],
    [
      draft(nginx({ proxies: ["10.0.0.0/8"], busiest: "10.0.0.1" })),
      (text) => parse(text).modules.NGINX.trusted_proxies,
      ["10.0.0.0/8", "10.0.0.1"],
    ],
  ];
  for (const [text, look, expected] of cases) {
    load(text);
    assert.deepEqual(look(text), expected, text);
  }
});

Deno.test("`draftConfig()` lets no path and no error out of its string or its comment", () => {
  const path = '/var/log/x\u202e"\n.log';
  const text = draft({
    nginx: { ...NGINX, logs: [path], unread: 'no\n"whitelist": ["0.0.0.0/0"],\u2028 x' },
  });
  assert.equal(load(text).modules[1]!.module.files[1], path);
  assert.deepEqual(parse(text).whitelist, []);
  assert.equal(text.split("\n").map(printable).join("\n"), text);
});
