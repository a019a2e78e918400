import { strict as assert } from "node:assert";
import { reviewOf } from "../../../lib/commands/report/gather.ts";
import { reviewPage } from "../../../lib/commands/report/page.ts";
import { reviewLines } from "../../../lib/commands/report/text.ts";
import { DAY, HOUR, MINUTE, now } from "../../../lib/core/time.ts";
import { fillHistory, HOSTILE } from "../../support/history.ts";
import { NO_LOGINS, NOTHING_COUNTED, type TemporaryState, temporaryState } from "../../support/helpers.ts";
import { ruleBan } from "../../support/rule_bans.ts";
import { assertDescribed } from "../../support/json_page.ts";
import { program } from "../../support/program.ts";

/** What steers a terminal or reorders text, but for line breaks. */
const STEERING = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const MOST_BYTES = 500_000;

function run({ directory }: TemporaryState, ...args: string[]) {
  return program(["report", "--state", directory, ...args]);
}

Deno.test("`report` counts a week and compares it with the week before", async () => {
  using temporary = temporaryState();
  await fillHistory(temporary.state, { now: now() });
  const report = JSON.parse((await run(temporary, "--json")).stdout);
  const { totals, totals_before: before, series, tables, heat, slow, changes, bans } = report;
  assert.ok(
    totals.hits > before.hits && before.hits > 0 && totals.lines > totals.hits,
    JSON.stringify(totals),
  );
  assert.deepEqual(series.modules, ["SSHD", "NGINX"]);
  const bars: number[] = series.bars.flatMap(({ hits }: { hits: number[] }) => hits);
  assert.equal(bars.reduce((sum, hits) => sum + hits, 0), totals.hits);
  const [modules, rules, addresses, networks] = tables.map(({ rows }: { rows: unknown[] }) => rows);
  assert.deepEqual(modules.map(({ name }: { name: string }) => name), ["SSHD", "NGINX"]);
  assert.ok(addresses.length === 10 && addresses[0].hits > addresses[9].hits);
  assert.ok(networks[0].name === "203.0.113.0/24" && networks[0].bans_made > 0);
  assert.ok(
    rules.some(({ name, bans_made }: { name: string; bans_made: number }) =>
      name === "SSHD invalid_user" && bans_made > 0
    ),
  );
  assert.deepEqual(heat.map((day: number[]) => day.length), Array(7).fill(24));
  assert.deepEqual([slow[0].address, slow[0].most_in_an_hour], ["192.0.2.241", 4]);
  // Of the first of eight days (UTC) the week has what the hour leaves, in which it may not come.
  assert.ok([7, 8].includes(slow[0].days), `${slow[0].days} days`);
  const fresh = changes.find(({ name }: { name: string }) => name === "info@example.org");
  assert.deepEqual([fresh?.by, fresh?.hits_before], ["user", 0]);
  assert.equal(bans.newest.length, 8);
  assertDescribed([report], ["`report`"], ["A ban", "`status`"]);
});

Deno.test("`report` tells who logged in after a ban, in text, page and JSON", async () => {
  using temporary = temporaryState();
  const { state } = temporary;
  const time = now();
  await fillHistory(state, { now: time, days: 1 });
  const quiet = reviewOf(state, { since: time - 7 * DAY, now: time, host: "h" });
  assert.ok(reviewLines(quiet).includes("Nobody logged in from an address that a rule had banned before."));
  const users = Array.from({ length: 10 }, (_, i) => `203.0.113.${101 + i}`);
  state.bans.addAll([
    ...users.map((address) => ruleBan({ address, start: time - 2 * HOUR, until: time - HOUR })),
    ruleBan({ address: "2001:db8:7::/64", start: time - 2 * HOUR, until: null }),
  ]);
  const logins = [...users, "2001:db8:7::1"].map((address, i) => ({
    ...{ address, method: "password", user: i === 10 ? "\u202e<i>c" : "carol", time: time - HOUR + i },
  }));
  state.logins.apply({ ...NO_LOGINS, logins });
  const review = reviewOf(state, { since: time - 7 * DAY, now: time, host: "h" });
  const lines = reviewLines(review);
  const at = lines.indexOf("LOGGED IN AFTER A BAN");
  assert.match(
    lines[at + 2]!,
    /^2001:db8:7::1 +\\u\{202e\}<i>c +[\d-]+ [\d:]+ +[\d-]+ [\d:]+ +SSHD invalid$/,
  );
  assert.match(lines[at + 3]!, /^203\.0\.113\.110 +carol +[\d-]+ [\d:]+ +[\d-]+ [\d:]+ +SSHD invalid$/);
  assert.equal(lines[at + 10], "and 3 more");
  assert.deepEqual(lines.filter((line) => line.length > 80), []);
  const page = reviewPage(review);
  assert.ok(page.includes("Logged in after a ban") && page.includes("And 3 more."));
  assert.ok(
    page.includes("\\u{202e}&lt;i>c logged in") || page.includes("\\u{202e}&lt;i&gt;c logged in"),
  );
  const json = JSON.parse((await run(temporary, "--json")).stdout);
  const { logged_in: { count, newest } } = json;
  assert.deepEqual([count, newest.length, newest[1].address, newest[1].ban.name], [
    11,
    8,
    "203.0.113.110",
    "SSHD invalid",
  ]);
  assertDescribed([json], ["`report`"], ["A ban", "`status`"]);
  const later = reviewOf(state, { since: time + HOUR, now: time + 2 * HOUR, host: "h" });
  assert.equal(later.loggedIn.count, 0);
});

Deno.test("`report` counts days where hours are kept no more", async () => {
  using temporary = temporaryState();
  const time = now();
  await fillHistory(temporary.state, { now: time, days: 30 });
  const review = reviewOf(temporary.state, { since: time - 25 * DAY, now: time, host: "h" });
  assert.equal(review.series.unit, "day");
  assert.equal(review.totalsBefore, null);
  const week = reviewOf(temporary.state, { since: time - 8 * DAY, now: time, host: "h" });
  const hits = (of: typeof review) =>
    of.series.bars.flatMap(({ hits }) => hits).reduce((sum, one) => sum + one, 0);
  assert.equal(hits(review), review.totals.hits);
  assert.ok(review.totals.hits > 2 * week.totals.hits);
});

Deno.test("`report` keeps to 80 columns and to what can be printed, whatever was tried", async () => {
  using temporary = temporaryState();
  await fillHistory(temporary.state, { now: now(), names: HOSTILE, days: 3 });
  const { stdout, code } = await run(temporary, "--since", "8d");
  assert.equal(code, 0);
  for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
  assert.doesNotMatch(stdout, STEERING);
  for (const title of ["HITS OVER TIME", "USER NAMES", "SLOW ATTACKERS", "BANS IN FORCE", "SOURCES"]) {
    assert.match(stdout, new RegExp(`^${title}$`, "m"));
  }
});

Deno.test("`report` writes the longest addresses in full", async () => {
  using temporary = temporaryState();
  const address = [1, 2].map((end) => [`2001:db8:abcd:1234:5678:9abc:def0:123${end}`, 5] as const);
  const none = { lines: [], rule: [], network: [], user: [], path: [] };
  temporary.state.rollups.store(now() - now() % HOUR, { ...none, hits: [["SSHD", 10]], address });
  const { stdout } = await run(temporary);
  for (const [name] of address) assert.match(stdout, new RegExp(`^${name}  5 `, "m"));
});

Deno.test("`report` of a shorter period promises no seven days of hours", async () => {
  using temporary = temporaryState();
  const none = { lines: [], rule: [], network: [], user: [], path: [], address: [] };
  temporary.state.rollups.store(now() - now() % HOUR, { ...none, hits: [["SSHD", 10]] });
  const { stdout } = await run(temporary, "--since", "1h");
  assert.match(stdout, /^HITS BY WEEKDAY AND HOUR, AT MOST SEVEN DAYS$/m);
  const page = await run(temporary, "--since", "1h", "--html");
  assert.match(page.stdout, /At most the last seven days, in local time\./);
});

Deno.test("`report --html` makes one small page in which nothing of what was tried is markup", async () => {
  using temporary = temporaryState();
  const time = now();
  // Nobody tried anything else, so that all of it is on the page.
  await fillHistory(temporary.state, { now: time, names: HOSTILE, days: 3, isNothingElse: true });
  const { stdout, code } = await run(temporary, "--html", "-");
  assert.equal(code, 0);
  assert.ok(new TextEncoder().encode(stdout).length < MOST_BYTES);
  assert.doesNotMatch(stdout, STEERING);
  assert.doesNotMatch(stdout, /<script|<img|<b>|<style>\*|https?:(?!\/\/?192\.0\.2\.99\/x)/);
  for (
    const shown of [
      "\\x1b[31mred",
      "\\u{202e}evil",
      "&lt;script&gt;alert(1)",
      "שלום &lt;b&gt;",
      `${"x".repeat(79)}…`,
    ]
  ) {
    assert.ok(stdout.includes(shown), shown);
  }
});

Deno.test("`report --html` of a year keeps to 500 kB where every name is as long as can be", async () => {
  using temporary = temporaryState();
  const time = now();
  await fillHistory(temporary.state, { now: time, names: HOSTILE, isNothingElse: true, days: 1 });
  const { rollups } = temporary.state;
  const names = Array.from({ length: 100 }, (_, i) => [`${i}${"\u202e<".repeat(24)}`, 1_000 - i] as const);
  const modules = names.slice(0, 40);
  const content = {
    lines: modules,
    hits: modules,
    rule: names,
    address: [],
    network: [],
    user: names,
    path: names,
  };
  for (let day = 0; day < 390; day++) rollups.store(time - time % HOUR - day * DAY, content);
  const page = reviewPage(reviewOf(temporary.state, { since: time - 390 * DAY, now: time, host: "<h>" }));
  assert.ok(new TextEncoder().encode(page).length < MOST_BYTES, String(page.length));
});

Deno.test("`report --html FILE` replaces a file as a whole, and says what to do where the program may not", async () => {
  using temporary = temporaryState();
  await fillHistory(temporary.state, { now: now(), days: 1 });
  const { directory } = temporary;
  const file = `${directory}/week.html`;
  Deno.writeTextFileSync(file, "old");
  const old = Deno.openSync(file);
  assert.deepEqual(await run(temporary, "--html", file), {
    code: 0,
    stdout: `${file} is written.\n`,
    stderr: "",
  });
  assert.match(Deno.readTextFileSync(file), /^<!DOCTYPE html>[^]*<\/html>\n$/);
  assert.equal(old.statSync().size, 3);
  old.close();
  Deno.mkdirSync(`${directory}/taken`);
  const taken = await run(temporary, "--html", `${directory}/taken`);
  assert.equal(taken.code, 69);
  assert.match(taken.stderr, /Cannot write .*\/taken: Is a directory/);
  assert.ok(![...Deno.readDirSync(directory)].some(({ name }) => name.endsWith(".new")));
  const rights = [`--allow-write=${directory}`, "--allow-read", "--allow-sys", "--allow-env"];
  const elsewhere = await program(["report", "--state", directory, "--html", "/srv/it's.html"], rights);
  assert.equal(elsewhere.code, 69);
  assert.match(
    elsewhere.stderr,
    /Cannot write \/srv\/it's\.html: this program may write its state alone; have the shell/,
  );
  const whole = `: strongmonitor report --state ${directory} --html - > '/srv/it'\\''s.html'\n`;
  assert.ok(elsewhere.stderr.endsWith(whole), elsewhere.stderr);
});

Deno.test("`report --html FILE` writes through no link that another user has laid beside the file", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  const file = `${directory}/week.html`;
  Deno.writeTextFileSync(`${directory}/other`, "theirs");
  Deno.symlinkSync(`${directory}/other`, `${file}.new`);
  assert.equal((await run(temporary, "--html", file)).code, 0);
  assert.equal(Deno.readTextFileSync(`${directory}/other`), "theirs");
  assert.ok(Deno.lstatSync(file).isFile);
});

Deno.test("`report` says in a sentence what is wrong with an option, and that nothing was counted", async () => {
  using temporary = temporaryState();
  const nothing = await run(temporary);
  assert.equal(nothing.code, 0);
  assert.match(nothing.stdout, /^No line hit a rule\.$/m);
  assert.match(nothing.stdout, /^Nothing was counted yet\.$/m);
  assert.match((await run(temporary, "--html")).stdout, /No line hit a rule\./);
  const wrong = [
    await run(temporary, "--since", "2200-01-01"),
    await run(temporary, "--html", "-", "--json"),
  ];
  assert.deepEqual(wrong.map(({ code }) => code), [64, 64]);
  assert.match(wrong[0]!.stderr, /Cannot begin at "2200-01-01": that time is ahead/);
  assert.match(wrong[1]!.stderr, /--html.*cannot be used with.*--json/);
});

Deno.test("`report` of some minutes has one hour", async () => {
  using temporary = temporaryState();
  const time = now();
  await fillHistory(temporary.state, { now: time, days: 1 });
  const { series, heat, slow } = reviewOf(temporary.state, { since: time - MINUTE, now: time, host: "h" });
  assert.ok(series.bars.length <= 2);
  assert.ok(heat.flat().filter((hits) => hits !== null).length <= 2);
  assert.deepEqual(slow, []);
});

Deno.test("`report` compares a week with the hours of the week before, at any hour of the day", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  const midnight = now() - now() % DAY;
  const content = { ...NOTHING_COUNTED, lines: [["SSHD", 1]], hits: [["SSHD", 1]] } as const;
  for (let hour = midnight - 20 * DAY; hour < midnight + DAY; hour += HOUR) {
    state.rollups.store(hour, content);
  }
  while (state.rollups.fold(midnight) > 0);
  for (let hour = midnight + HOUR; hour <= midnight + DAY; hour += HOUR) {
    const { totals, totalsBefore } = reviewOf(state, { since: hour - 7 * DAY, now: hour, host: "h" });
    assert.deepEqual([totals.lines, totalsBefore?.lines], [7 * 24, 7 * 24]);
  }
});

Deno.test("`report` counts the lines and hits of the running hour from its first minute", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  const start = now() - now() % HOUR;
  state.rollups.store(start, { ...NOTHING_COUNTED, lines: [["SSHD", 65]], hits: [["SSHD", 64]] });
  for (const since of [start - 7 * DAY, start - HOUR, start]) {
    const review = reviewOf(state, { since, now: start + MINUTE, host: "h" });
    assert.deepEqual([review.totals.lines, review.totals.hits], [65, 64]);
    assert.deepEqual(review.series.bars.at(-1)!.hits, [64]);
    assert.equal(review.heat.flat().reduce<number>((sum, hits) => sum + (hits ?? 0), 0), 64);
    assert.deepEqual(review.tables.module.map(({ name, hits }) => [name, hits]), [["SSHD", 64]]);
    assert.ok(!reviewLines(review).includes("No line hit a rule."));
  }
});
