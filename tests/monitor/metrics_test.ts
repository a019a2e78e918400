import { strict as assert } from "node:assert";
import { type Figures, metricsOf } from "../../lib/monitor/metrics.ts";
import { MetricsFile } from "../../lib/monitor/metrics_file.ts";
import { counter, gauge, metricsText } from "../../lib/monitor/prometheus.ts";
import { readReport } from "../../lib/monitor/report.ts";
import dashboard from "../../docs/grafana.json" with { type: "json" };
import { eventually, memoryLog, temporaryState } from "../support/helpers.ts";
import { REPORT } from "../support/monitor_report.ts";
import { attack, CONFIG, Scene } from "../support/monitor_scene.ts";

/** Figures that give every metric a sample. */
const FIGURES: Figures = {
  version: "1.2.3",
  report: { ...REPORT, database: { connected: true, error: null, lastShipped: 5_000_000, setAside: 4 } },
  totals: [
    {
      name: "SSHD",
      lines: 30,
      understood: 20,
      hits: [{ rule: "invalid", count: 7 }, { rule: "failed", count: 0 }],
    },
    { name: "my app", lines: 0, understood: 0, hits: [{ rule: "a", count: 0 }] },
  ],
  decided: new Map([["SSHD invalid", 3], ["/24", 2], ["my app a", 1]]),
  lags: new Map([["journal", 1_500_000], ["file:/var/log/a*.log", -1]]),
  bans: { confirmed: 5, waiting: 2, failing: 1 },
  outbox: 9,
  messages: { errors: 1, warnings: 2 },
  memory: 1_000,
  stateSize: 2_000,
};
const TEXT = metricsText(metricsOf(FIGURES));

/** Runs promtool, which reads metrics on standard input; null where it is not installed. */
async function promtool(text: string): Promise<{ success: boolean; said: string } | null> {
  try {
    const child = new Deno.Command("promtool", {
      args: ["check", "metrics"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    const { success, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { success, said: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
const ALERTS = new URL("../../docs/alerts.yml", import.meta.url).pathname;
const hasPromtool = await promtool("") !== null;

Deno.test({
  name: `promtool finds nothing wrong with the metrics${
    hasPromtool ? "" : " (needs promtool of Debian's package prometheus)"
  }`,
  ignore: !hasPromtool,
  async fn() {
    assert.deepEqual(await promtool(TEXT), { success: true, said: "" });
    const wrong = await promtool("# TYPE wrong_name counter\nwrong_name 1\n");
    assert.equal(wrong?.success, false);
  },
});

Deno.test("`metricsOf()` counts lines, hits and bans by module and rule, and networks by prefix", () => {
  for (
    const sample of [
      'strongmonitor_build_info{version="1.2.3",firewall="nftables"} 1',
      "strongmonitor_up 1",
      'strongmonitor_lines_total{module="SSHD"} 30',
      'strongmonitor_understood_lines_total{module="SSHD"} 20',
      'strongmonitor_hits_total{module="SSHD",rule="invalid"} 7',
      'strongmonitor_hits_total{module="SSHD",rule="failed"} 0',
      'strongmonitor_bans_total{module="SSHD",rule="invalid"} 3',
      'strongmonitor_bans_total{module="SSHD",rule="failed"} 0',
      'strongmonitor_bans_total{module="my app",rule="a"} 1',
      'strongmonitor_network_bans_total{prefix="24"} 2',
      "strongmonitor_bans_in_force 5",
      'strongmonitor_source_lag_seconds{source="journal"} 1.5',
      'strongmonitor_source_lag_seconds{source="file:/var/log/a*.log"} 0',
      'strongmonitor_source_up{source="journal"} 1',
      "strongmonitor_outbox_rows 9",
      "strongmonitor_database_last_shipment_timestamp_seconds 5",
      'strongmonitor_log_messages_total{level="error"} 1',
      "strongmonitor_resident_memory_bytes 1000",
    ]
  ) {
    assert.ok(TEXT.split("\n").includes(sample), `${sample} in\n${TEXT}`);
  }
});

Deno.test("`metricsOf()` leaves out what does not apply, and counts no ban in force where the monitor observes", () => {
  const report = { ...REPORT, firewall: "observe", holding: null, database: null };
  const text = metricsText(metricsOf({ ...FIGURES, report, outbox: null }));
  assert.doesNotMatch(text, /outbox|database|firewall_/);
  assert.match(text, /^strongmonitor_bans_in_force 0$/m);
});

Deno.test("`metricsOf()` tells whether the last reload was refused", () => {
  const refused = { time: 1, error: "unknown key" };
  const [good, bad] = [REPORT, { ...REPORT, refused }].map((report) =>
    metricsText(metricsOf({ ...FIGURES, report }))
  );
  assert.match(good!, /^strongmonitor_config_last_reload_successful 1$/m);
  assert.match(bad!, /^strongmonitor_config_last_reload_successful 0$/m);
});

Deno.test("`metricsText()` escapes what a label's value may not hold, and leaves out a metric without samples", () => {
  const metrics = [
    counter("a_total", "Help.", [[{ path: '/x"\\\n# y 1' }, 2]]),
    gauge("b", "Help.", null),
    gauge("c", "Help.", 0.5),
  ];
  assert.equal(
    metricsText(metrics),
    '# HELP a_total Help.\n# TYPE a_total counter\na_total{path="/x\\"\\\\\\n# y 1"} 2\n# HELP c Help.\n# TYPE c gauge\nc 0.5\n',
  );
});

Deno.test("the dashboard joins the answers of a table, of which Grafana otherwise shows only the first", () => {
  const tables = dashboard.panels.filter(({ type }) => type === "table");
  assert.ok(tables.length > 0);
  for (const table of tables) {
    assert.deepEqual(table.transformations?.map(({ id }) => id), ["merge", "organize"], table.title);
    // `merge` joins rows whose labels are equal; a metric's own name would keep them apart.
    for (const { expr } of table.targets!) assert.match(expr, /^(?:min|max) by \(instance/, table.title);
  }
});

Deno.test("the dashboard asks for metrics that exist, and shows all of them", () => {
  const expressions = dashboard.panels.flatMap((panel) => "targets" in panel ? panel.targets! : [])
    .map(({ expr }) => expr);
  const asked = new Set(expressions.flatMap((text) => text.match(/strongmonitor_\w+/g) ?? []));
  const offered = new Set(metricsOf(FIGURES).map(({ name }) => name));
  assert.deepEqual([...asked.difference(offered)], []);
  assert.deepEqual([...offered.difference(asked)], []);
});

Deno.test({
  name: `promtool finds nothing wrong with the alerts${hasPromtool ? "" : " (needs promtool)"}`,
  ignore: !hasPromtool,
  async fn() {
    const { success, stderr } = await new Deno.Command("promtool", { args: ["check", "rules", ALERTS] })
      .output();
    assert.ok(success, new TextDecoder().decode(stderr));
  },
});

Deno.test({
  name: `promtool reads the expressions of the dashboard${hasPromtool ? "" : " (needs promtool)"}`,
  ignore: !hasPromtool,
  async fn() {
    using temporary = temporaryState();
    const rules = dashboard.panels.flatMap((panel) => "targets" in panel ? panel.targets! : [])
      .map(({ expr }, i) => ({
        record: `panel:${i}`,
        // What Grafana puts in place of its variables.
        expr: expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*"),
      }));
    const file = `${temporary.directory}/rules.yml`;
    // JSON is YAML as well.
    Deno.writeTextFileSync(file, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
    const { success, stderr } = await new Deno.Command("promtool", { args: ["check", "rules", file] })
      .output();
    assert.ok(rules.length > 20 && success, new TextDecoder().decode(stderr));
  },
});

Deno.test("the alerts ask for metrics that exist", () => {
  const offered = metricsOf(FIGURES).map(({ name }) => name);
  const asked = Deno.readTextFileSync(ALERTS).match(/\bstrongmonitor_\w+/g) ?? [];
  assert.ok(asked.length > 0);
  assert.deepEqual(asked.filter((name) => !offered.includes(name)), []);
});

Deno.test("docs/metrics.md lists every metric with its type and its help", () => {
  const page = Deno.readTextFileSync(new URL("../../docs/metrics.md", import.meta.url));
  const cells = page.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  const rows = cells.filter(([, name]) => name?.startsWith("`strongmonitor_"))
    .map(([, name, type, , help]) => [name!.replaceAll("`", ""), type, help]);
  assert.deepEqual(rows, metricsOf(FIGURES).map(({ name, type, help }) => [name, type, help]));
});

Deno.test("`MetricsFile.write()` replaces the file as a whole, readable by all, and leaves nothing beside it", async () => {
  using temporary = temporaryState();
  const path = `${temporary.directory}/a.prom`;
  Deno.writeTextFileSync(path, "old");
  const old = Deno.openSync(path);
  Deno.writeTextFileSync(`${path}.new`, "left by a crash");
  const log = memoryLog();
  await new MetricsFile(path, log).write("new\n");
  assert.equal(Deno.readTextFileSync(path), "new\n");
  assert.equal(Deno.statSync(path).mode! & 0o777, 0o644);
  const bytes = new Uint8Array(9);
  assert.equal(new TextDecoder().decode(bytes.subarray(0, old.readSync(bytes)!)), "old");
  old.close();
  assert.throws(() => Deno.statSync(`${path}.new`), Deno.errors.NotFound);
  assert.deepEqual(log.lines, []);
});

Deno.test("`MetricsFile.write()` writes into no file that a link beside it points to", async () => {
  using temporary = temporaryState();
  const [path, victim] = ["a.prom", "victim"].map((name) => `${temporary.directory}/${name}`) as [
    string,
    string,
  ];
  Deno.writeTextFileSync(victim, "mine");
  Deno.symlinkSync(victim, `${path}.new`);
  await new MetricsFile(path, memoryLog()).write("new\n");
  assert.deepEqual([victim, path].map((file) => Deno.readTextFileSync(file)), ["mine", "new\n"]);
});

Deno.test("`MetricsFile.write()` tells the log once that it cannot, and once that it can again", async () => {
  using temporary = temporaryState();
  const directory = `${temporary.directory}/missing`;
  const log = memoryLog();
  const file = new MetricsFile(`${directory}/a.prom`, log);
  await file.write("1");
  await file.write("2");
  assert.equal(log.lines.length, 1);
  assert.match(
    log.lines[0]!,
    /^warn: Cannot write the metrics to .*\/missing\/a\.prom: there is no directory \S+\/missing$/,
  );
  Deno.mkdirSync(directory);
  await file.write("3");
  await file.write("4");
  assert.deepEqual(log.lines.slice(1), [`info: the metrics are written to ${directory}/a.prom again`]);
  assert.equal(Deno.readTextFileSync(`${directory}/a.prom`), "4");
});

Deno.test("`MetricsFile.write()` lets one write wait for another, the newest: on a disk that hangs they would gather", async () => {
  const directory = Deno.makeTempDirSync();
  const path = `${directory}/a.prom`;
  const file = new MetricsFile(path, memoryLog());
  const first = file.write("1");
  await Promise.resolve();
  const second = file.write("2");
  assert.notEqual(second, first);
  assert.equal(file.write("3"), second);
  await first;
  assert.equal(Deno.readTextFileSync(path), "1");
  await second;
  assert.equal(Deno.readTextFileSync(path), "3");
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("the program counts hits and bans in its metrics file, and says there that it has stopped", async () => {
  await using scene = new Scene();
  const path = `${scene.directory}/metrics.prom`;
  scene.configure({ ...CONFIG, metrics_file: "metrics.prom" });
  scene.start();
  await scene.said(/monitoring SSHD/);
  for (let i = 0; i < 3; i++) scene.say(attack("203.0.113.1"));
  await eventually(() => scene.banned().length === 1);
  const holds = (...samples: string[]) => {
    const lines = readOrEmpty(path).split("\n");
    return samples.every((sample) => lines.includes(sample));
  };
  await eventually(() => holds("strongmonitor_up 1", "strongmonitor_bans_in_force 1"));
  scene.kill("SIGTERM");
  assert.equal(await scene.end(), 0);
  const expected = [
    "strongmonitor_up 0",
    'strongmonitor_lines_total{module="SSHD"} 3',
    'strongmonitor_hits_total{module="SSHD",rule="invalid"} 3',
    'strongmonitor_bans_total{module="SSHD",rule="invalid"} 1',
  ];
  assert.ok(holds(...expected), Deno.readTextFileSync(path));
});

Deno.test("no counter of the metrics falls at a reload, and `status` counts on", async () => {
  await using scene = new Scene();
  const metrics = { ...CONFIG, metrics_file: "one.prom" };
  scene.configure(metrics);
  scene.start();
  await scene.said(/monitoring SSHD/);
  scene.say(...Array(3).fill(attack("203.0.113.1")));
  await eventually(() => scene.banned().length === 1);
  const report = () => scene.ask((state) => readReport(state.report()));
  await eventually(() => report()?.counts.bans === 1);
  const before = report()!;
  assert.equal(before.loaded, before.started);
  scene.configure({ ...metrics, metrics_file: "two.prom", ban_command: "./none %s" });
  scene.kill("SIGHUP");
  const text = () => readOrEmpty(`${scene.directory}/two.prom`);
  await eventually(() => text() !== "");
  assert.match(text(), /^strongmonitor_lines_total\{module="SSHD"\} 3$/m);
  assert.match(text(), /^strongmonitor_hits_total\{module="SSHD",rule="invalid"\} 3$/m);
  assert.match(text(), /^strongmonitor_bans_total\{module="SSHD",rule="invalid"\} 1$/m);
  scene.say(attack("203.0.113.2"));
  await eventually(() => report()?.counts.entries === 4);
  const { started, loaded, counts, sources: [journal], recent } = report()!;
  assert.deepEqual([counts.hits, counts.bans, started], [4, 1, before.started]);
  assert.ok(loaded > started);
  assert.ok(journal!.lastBatch! > before.sources[0]!.lastBatch!);
  assert.equal(recent!.reduce((sum, [, lines]) => sum + lines, 0), 4);
});

Deno.test("a reload without metrics, or with another file, removes the file of before", async () => {
  await using scene = new Scene();
  const has = (name: string) => readOrEmpty(`${scene.directory}/${name}`) !== "";
  scene.configure({ ...CONFIG, metrics_file: "one.prom" });
  scene.start();
  await eventually(() => has("one.prom"));
  scene.configure({ ...CONFIG, metrics_file: "two.prom" });
  scene.kill("SIGHUP");
  await eventually(() => !has("one.prom") && has("two.prom"));
  scene.configure(CONFIG);
  scene.kill("SIGHUP");
  await eventually(() => !has("two.prom"));
  scene.kill("SIGTERM");
  assert.equal(await scene.end(), 0);
  assert.deepEqual([has("one.prom"), has("two.prom")], [false, false]);
  assert.deepEqual(scene.lines(/metrics/), []);
});

function readOrEmpty(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
