import { strict as assert } from "node:assert";
import { NO_DECISION } from "../../lib/deciding/decider.ts";
import { Pipeline } from "../../lib/monitor/pipeline.ts";
import { NoState } from "../../lib/commands/common/dry_run.ts";
import { nginx } from "../../modules/nginx/nginx.ts";
import { sshd } from "../../modules/sshd.ts";
import { linesAt } from "../support/records.ts";
import { memoryLog, NO_LOGINS, rule } from "../support/helpers.ts";
import { type CorpusOptions, type Expected, writeAccessLog, writeAuthLog } from "./corpus.ts";
import { judge, median, medians, quantile, rounded, without } from "./figures.ts";
import { Peers } from "./peers.ts";
import { svg } from "./plot.ts";
import { Workshop } from "./workshop.ts";
import { NO_OPTIONS } from "../support/messages.ts";

function made(
  write: (options: CorpusOptions) => Expected,
  seed: number,
): { text: string; expected: Expected } {
  const pieces: string[] = [];
  const expected = write({ lines: 5_000, seed, write: (text) => void pieces.push(text) });
  return { text: pieces.join(""), expected };
}

Deno.test("the logs of the benchmark are the same for the same seed, and contain the expected lines", () => {
  const modules = {
    auth: { name: "SSHD", identifiers: ["sshd"], units: [], files: [], form: sshd.form(NO_OPTIONS) },
    access: { name: "NGINX", identifiers: [], units: [], files: [], form: nginx.form(NO_OPTIONS) },
  };
  for (const [name, write] of [["auth", writeAuthLog], ["access", writeAccessLog]] as const) {
    const { text, expected } = made(write, 7);
    assert.deepEqual(made(write, 7), { text, expected });
    assert.notEqual(made(write, 8).text, text);
    const rules = [{
      module: modules[name],
      noLog: [],
      trustedProxies: [],
      record: "all" as const,
      rules: [rule()],
    }];
    const judging = { note() {}, takeLogins: () => NO_LOGINS, reset() {}, decide: () => NO_DECISION };
    const pipeline = new Pipeline(rules, {
      state: new NoState(),
      judge: judging,
      log: memoryLog(),
    });
    const records = linesAt(0, ...text.trimEnd().split("\n"));
    const feed = { name, reader: pipeline.readers.of(rules) };
    pipeline.process({ records, position: "", damaged: 0 }, feed, Date.UTC(2026, 10) * 1_000);
    assert.equal(records.length, expected.lines);
    assert.equal(pipeline.throughput.counts.events, expected.named, name);
    const part = expected.attacks / expected.lines;
    assert.ok(
      name === "auth" ? Math.abs(part - 0.6) < 0.06 : Math.abs(part - 0.1) < 0.02,
      `${part} are attacks`,
    );
  }
});

Deno.test("`median()` and `quantile()` sort their values, and `medians()` skips rounds without a figure", () => {
  assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3]), median([7])], [2, 2.5, 7]);
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.deepEqual([quantile(hundred, 0.5), quantile(hundred, 0.99), quantile([5], 0.99)], [50, 99, 5]);
  assert.deepEqual(medians([{ a: 1, b: 4 }, { a: 3, b: NaN }, { a: 2 }]), { a: 2, b: 4 });
});

Deno.test("`judge()` compares the median of the rounds with a target, if there is one", () => {
  const target = {
    words: ">= 5 x",
    value: (f: Readonly<Record<string, number>>) => f.other! / f.ours!,
    atLeast: 5,
    unit: " x",
  };
  const rounds = [{ ours: 1, other: 4 }, { ours: 1, other: 6 }, { ours: 1, other: 100 }];
  assert.deepEqual(judge(target, rounds), { target: ">= 5 x", value: 6, unit: " x", isMet: true });
  assert.equal(judge(target, rounds.slice(0, 1))!.isMet, false);
  assert.equal(judge(target, [{ ours: 1 }]), null, "the other side is not installed");
});

Deno.test("`without()` gives no figure if the start took as long", () => {
  assert.deepEqual([without(2, 5), without(5, 5), without(5, 2)], [3, NaN, NaN]);
});

Deno.test("`rounded()` keeps three figures", () => {
  assert.deepEqual([1234.5, 99.94, 9.994, 0.5, NaN].map(rounded), ["1235", "99.9", "9.99", "0.50", "-"]);
});

Deno.test("`svg()` draws every point and escapes texts", () => {
  const points = [[1, 2], [10, 3], [100, 5]] as const;
  const drawn = svg({ title: "a < b & c", x: "lines", y: "seconds", series: [{ name: "ours", points }] });
  assert.equal(drawn.match(/<circle /g)?.length, 3);
  assert.match(drawn, /a &lt; b &amp; c/);
});

Deno.test("`Peers` names a program that fails, leaves it out from then on, and measures the others", async () => {
  const said: string[] = [];
  const peers = new Peers((words) => said.push(words));
  let tries = 0;
  const broken = () => {
    tries++;
    return Promise.reject(new Error("it is broken"));
  };
  for (let round = 0; round < 3; round++) {
    assert.deepEqual(await peers.figures("grep", broken), {});
    assert.deepEqual(await peers.figures("sshg-parser", () => Promise.resolve({ "sshg-parser": 7 })), {
      "sshg-parser": 7,
    });
  }
  assert.equal(tries, 1);
  assert.deepEqual(peers.failures, [{ peer: "grep", cause: "it is broken" }]);
  assert.deepEqual(said, ["grep is left out: it is broken"]);
});

Deno.test("`Workshop.peer()` fails with the exit code and the message of the other program", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  try {
    const workshop = new Workshop(directory, { lines: 1, say() {} });
    const { stdout } = await workshop.peer(["echo", "found"]);
    assert.equal(stdout, "found\n");
    await assert.rejects(workshop.peer(["sh", "-c", "echo 'no such log' >&2; exit 3"]), {
      message: "sh failed with exit code 3: no such log",
    });
    await assert.rejects(
      workshop.peer(["/nonexistent/parser"]),
      /^Error: \S+parser failed with exit code 127: /,
    );
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
