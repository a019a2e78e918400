import { strict as assert } from "node:assert";
import { HOUR, MINUTE, SECOND } from "../../lib/core/time.ts";
import type { BanStatus } from "../../lib/deciding/ban.ts";
import { Notices, type NoticeState } from "../../lib/monitor/notices.ts";
import type { Problem, ProblemKind } from "../../lib/monitor/problems.ts";

const START = 1_000 * HOUR;
const problem = (kind: ProblemKind, subject = ""): Problem => ({ kind, subject, text: `${kind} ${subject}` });
const STOPPED = problem("source_stopped", "journal");

/** A state with bans that are numbered from 1. */
class Store implements NoticeState {
  made = 0;
  kept: string | null = null;
  readonly bans = {
    madeAfter: (id: number, most: number) => {
      const count = this.made - id;
      const first = Math.max(id, this.made - most) + 1;
      const length = Math.min(most, count);
      return { bans: Array.from({ length }, (_, i) => ({ count: first + i }) as BanStatus), count };
    },
    lastId: () => this.made,
  };
  noticeMemory = () => this.kept;
  setNoticeMemory(text: string | null) {
    this.kept = text;
  }
}

/** The kinds of problems that are due, or over with a `-`. */
function kinds(notices: Notices, now: number): string[] {
  const { problems = [], over = [] } = notices.due(now) ?? {};
  return [...problems.map(({ kind }) => kind), ...over.map(({ kind }) => `-${kind}`)];
}

/** Tells what is due, and returns its kinds. */
function tell(notices: Notices, now: number): string[] {
  const told = kinds(notices, now);
  const notice = notices.due(now);
  if (notice !== null) notices.tell(notice);
  return told;
}

Deno.test("a problem is told once while it lasts, and once when it has been over for ten minutes", () => {
  const notices = new Notices(new Store(), null);
  notices.see([STOPPED], START);
  assert.deepEqual(tell(notices, START), ["source_stopped"]);
  notices.see([STOPPED], START + HOUR);
  assert.deepEqual(kinds(notices, START + HOUR), []);
  notices.see([], START + HOUR + 10 * MINUTE);
  assert.deepEqual(kinds(notices, START + HOUR + 10 * MINUTE), []);
  notices.see([], START + HOUR + 11 * MINUTE);
  assert.deepEqual(tell(notices, START + HOUR + 11 * MINUTE), ["-source_stopped"]);
  assert.deepEqual(kinds(notices, START + 2 * HOUR), []);
});

Deno.test("a problem that comes and goes every minute is told once", () => {
  const notices = new Notices(new Store(), null);
  let told = 0;
  for (let minute = 0; minute < 600; minute++) {
    const now = START + minute * MINUTE;
    notices.see(minute % 2 === 0 ? [STOPPED] : [], now);
    told += tell(notices, now).length;
  }
  assert.equal(told, 1);
});

Deno.test("a problem that may pass by itself is told when it has lasted", () => {
  const notices = new Notices(new Store(), null);
  const away = [problem("database_away")];
  notices.see(away, START);
  assert.deepEqual(kinds(notices, START + 4 * MINUTE), []);
  notices.see([], START + 4 * MINUTE);
  notices.see(away, START + 5 * MINUTE);
  assert.deepEqual(kinds(notices, START + 6 * MINUTE), []);
  notices.see(away, START + 10 * MINUTE);
  assert.deepEqual(kinds(notices, START + 10 * MINUTE), ["database_away"]);
});

Deno.test("nobody is told that what happens once is over, and it is told again when it happens later", () => {
  const notices = new Notices(new Store(), null);
  notices.see([problem("bans_gone")], START);
  tell(notices, START);
  notices.see([], START + HOUR);
  assert.deepEqual(kinds(notices, START + HOUR), []);
  notices.see([problem("bans_gone")], START + HOUR);
  assert.deepEqual(kinds(notices, START + HOUR), ["bans_gone"]);
});

Deno.test("what was not told stays due, and a crash forgets nothing that was told", () => {
  const store = new Store();
  const before = new Notices(store, 0);
  store.made = 2;
  before.see([STOPPED], START);
  assert.equal(before.due(START)?.banCount, 2);
  const after = new Notices(store, 0);
  after.see([STOPPED], START + SECOND);
  assert.deepEqual(tell(after, START + SECOND), ["source_stopped"]);
  const third = new Notices(store, 0);
  third.see([STOPPED], START + MINUTE);
  assert.equal(third.due(START + MINUTE), null);
  third.see([], START + HOUR);
  assert.deepEqual(kinds(third, START + HOUR), ["-source_stopped"]);
});

Deno.test("bans of before the first start are not told, nor those of another state", () => {
  const store = new Store();
  store.made = 50;
  assert.equal(new Notices(store, 0).due(START), null);
  store.made = 3;
  assert.equal(new Notices(store, 0).due(START), null);
  store.made = 4;
  assert.equal(new Notices(store, 0).due(START)?.banCount, 1);
});

Deno.test("a digest tells bans at most once in its span, the newest hundred of them, and none where it is never", () => {
  const store = new Store();
  const notices = new Notices(store, 30 * MINUTE);
  store.made = 1;
  tell(notices, START);
  store.made = 251;
  assert.equal(notices.due(START + 29 * MINUTE), null);
  const { bans, banCount } = notices.due(START + 30 * MINUTE)!;
  assert.deepEqual([banCount, bans.length, bans[0]!.count, bans.at(-1)!.count], [250, 100, 152, 251]);
  assert.equal(new Notices(store, null).due(START + HOUR), null);
});

Deno.test("a problem brings no bans along before their digest is due", () => {
  const store = new Store();
  const notices = new Notices(store, HOUR);
  store.made = 1;
  tell(notices, START);
  store.made = 2;
  notices.see([STOPPED], START + MINUTE);
  assert.equal(notices.due(START + MINUTE)!.banCount, 0);
  tell(notices, START + MINUTE);
  assert.equal(notices.due(START + HOUR)!.banCount, 1);
});

Deno.test("a clock that is set back neither silences a digest nor keeps a problem from being over", () => {
  const store = new Store();
  const notices = new Notices(store, HOUR);
  store.made = 1;
  notices.see([STOPPED], START);
  tell(notices, START);
  const back = START - 10 * HOUR;
  store.made = 2;
  notices.see([], back);
  assert.equal(notices.due(back)!.banCount, 1);
  notices.see([], back + 11 * MINUTE);
  assert.deepEqual(kinds(notices, back + 11 * MINUTE), ["-source_stopped"]);
});

Deno.test("damaged memory is none, and told problems are bounded", () => {
  const store = new Store();
  store.kept = "{ no json";
  const notices = new Notices(store, null);
  notices.see(Array.from({ length: 1_000 }, (_, i) => problem("unknown_format", `M${i}`)), START);
  tell(notices, START);
  assert.ok(store.kept.length < 20_000);
});
