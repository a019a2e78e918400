import { strict as assert } from "node:assert";
import { now } from "../../lib/core/time.ts";
import type { BanStatus, NewBan } from "../../lib/deciding/ban.ts";
import { noticeJson } from "../../lib/monitor/notice_json.ts";
import type { Notice } from "../../lib/monitor/notices.ts";
import { type ProblemKind, problemsOf, type ProblemView } from "../../lib/monitor/problems.ts";
import type { MonitorReport } from "../../lib/monitor/report.ts";
import { REPORT } from "../support/monitor_report.ts";

/** A monitor that has no problem. */
const GOOD: ProblemView = {
  report: {
    ...REPORT,
    leaks: [],
    modules: [],
    database: { connected: true, error: null, lastShipped: 1, setAside: 0 },
  },
  failing: [],
  backlog: 0,
  isInMemory: false,
  losses: [],
};
const BAN: NewBan = {
  address: "192.0.2.7",
  scope: "all",
  provenance: { kind: "rule", name: "SSHD a" },
  reason: "[SSHD] a",
  count: 3,
  start: 0,
  until: 600_000_000,
};
const report = (over: Partial<MonitorReport>): ProblemView => ({
  ...GOOD,
  report: { ...GOOD.report, ...over },
});
const source = (over: Partial<MonitorReport["sources"][0]>) => ({
  sources: [{ ...REPORT.sources[0]!, name: "file:/log", ...over }],
});
const holding = (over: Partial<NonNullable<MonitorReport["holding"]>>) => ({
  holding: { ...REPORT.holding!, ...over },
});
const leak = (address: string) => ({ ...REPORT.leaks[0]!, address });

const CASES: readonly [ProblemKind, ProblemView, subject: string, text: RegExp][] = [
  [
    "config_refused",
    report({ refused: { time: 1, error: "unknown key" } }),
    "",
    /^The configuration on disk was refused 1970-.*, the one of 1970-.* is in force: unknown key$/,
  ],
  [
    "source_stopped",
    report(source({ running: false, stopped: { time: 1, error: "disk gone" } })),
    "file:/log",
    /^file:\/log is not being read since 1970-.*, until a reload or restart: disk gone$/,
  ],
  [
    "source_unreadable",
    report(source({ problems: ["Cannot read /log: permission denied"] })),
    "file:/log",
    /^Cannot read \/log: permission denied$/,
  ],
  [
    "bans_failing",
    { ...GOOD, failing: [1, 2, 3].map(() => ({ ...BAN, error: "exit status 1" }) as BanStatus) },
    "",
    /^Cannot ban 192\.0\.2\.7 and 2 addresses more: exit status 1$/,
  ],
  ["bans_gone", report(holding({ missing: 2 })), "", /^2 bans were gone from the firewall and put back/],
  ["firewall_unknown", report(holding({ error: "no nft" })), "", /^Cannot tell whether bans hold: no nft$/],
  [
    "getting_through",
    report({ leaks: ["1", "2", "3", "4", "5", "6", "7"].map((n) => leak(`192.0.2.${n}`)) }),
    "",
    /^Banned and still getting through: 192\.0\.2\.1, .*192\.0\.2\.5 and 2 more: /,
  ],
  [
    "database_away",
    {
      ...report({ database: { connected: false, error: "Cannot reach it", lastShipped: 1, setAside: 0 } }),
      backlog: 7,
    },
    "",
    /^7 rows wait for the database: Cannot reach it$/,
  ],
  [
    "unknown_format",
    report({ modules: REPORT.modules }),
    "SSHD",
    /^Module SSHD understood only 9 of 20 lines/,
  ],
  [
    "whitelist_unreadable",
    report({ whitelistProblems: ["/friends is a directory"] }),
    "/friends is a directory",
    /^\/friends is a directory$/,
  ],
  [
    "module_given_up",
    report({ modules: [{ ...REPORT.modules[0]!, understood: 20, givenUp: 1 }] }),
    "SSHD",
    /^Module SSHD failed too often/,
  ],
  [
    "state_lost",
    { ...GOOD, losses: ["It was empty"] },
    "It was empty",
    /^It was empty$/,
  ],
  [
    "state_in_memory",
    { ...GOOD, isInMemory: true },
    "",
    /^The state cannot be written, so the monitor keeps it/,
  ],
];

Deno.test("`problemsOf()` finds nothing where all is well", () => {
  assert.deepEqual(problemsOf(GOOD), []);
});

for (const [kind, view, subject, text] of CASES) {
  Deno.test(`\`problemsOf()\` finds ${kind} and nothing else`, () => {
    const [problem, ...others] = problemsOf(view);
    assert.deepEqual([problem!.kind, problem!.subject, others], [kind, subject, []]);
    assert.match(problem!.text, text);
  });
}

const NOTICE: Notice = { time: now(), problems: [], over: [], bans: [BAN], banCount: 1, lastBan: 1 };
const SENDER = { host: "web1", firewall: "nftables" };

Deno.test("`noticeJson()` writes bans, problems and what is over as JSON and as text", () => {
  const problem = {
    kind: "source_stopped",
    subject: "journal",
    text: "journal is read no longer",
    since: 0,
  } as const;
  const over = {
    kind: "firewall_unknown",
    subject: "",
    text: "no nft",
    since: 0,
    seen: 120_000_000,
  } as const;
  const json = noticeJson({ ...NOTICE, time: 0, problems: [problem], over: [over], banCount: 4 }, SENDER);
  assert.deepEqual(JSON.parse(json), {
    version: 1,
    host: "web1",
    time: "1970-01-01T00:00:00.000000Z",
    title: "web1: 1 problem, 1 problem over, 4 bans",
    text: [
      "Problem: journal is read no longer",
      "Over after 2m: no nft",
      "Banned 192.0.2.7 for 10m: [SSHD] a, 3 hits",
      "and 3 earlier bans",
    ].join("\n"),
    firewall: "nftables",
    problems: [{ ...problem, since: "1970-01-01T00:00:00.000000Z" }],
    over: [{
      kind: "firewall_unknown",
      subject: "",
      text: "no nft",
      since: "1970-01-01T00:00:00.000000Z",
      until: "1970-01-01T00:02:00.000000Z",
    }],
    bans: [{
      address: "192.0.2.7",
      scope: "all",
      provenance: "rule",
      name: "SSHD a",
      reason: "[SSHD] a",
      count: 3,
      start: "1970-01-01T00:00:00.000000Z",
      until: "1970-01-01T00:10:00.000000Z",
    }],
    ban_count: 4,
  });
});

Deno.test("`noticeJson()` says that nobody is really banned where the monitor observes", () => {
  const { text } = JSON.parse(noticeJson(NOTICE, { ...SENDER, firewall: "observe" }));
  assert.equal(text, "Would ban 192.0.2.7 for 10m: [SSHD] a, 3 hits");
});

Deno.test("`noticeJson()` makes hostile text harmless and short, and writes one line without control characters", () => {
  const text = `\x1b]0;evil\x07\n$(reboot) \`id\` "quoted" \u202egnp.exe\u2028${"x".repeat(5_000)}`;
  const problem = { kind: "source_unreadable", subject: text, text, since: 0 } as const;
  const json = noticeJson({ ...NOTICE, problems: [problem] }, SENDER);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(json, /[\x00-\x1f\x7f-\x9f\u202e\u2028]/);
  const read = JSON.parse(json);
  assert.match(
    read.text,
    /^Problem: \\x1b\]0;evil\\x07\\x0a\$\(reboot\) `id` "quoted" \\u\{202e\}gnp\.exe\\u\{2028\}x+…\nBanned /,
  );
  assert.ok(json.length < 5_000);
});
