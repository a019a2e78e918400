/**
 * The metrics of a monitor, by Prometheus' conventions: base units, `_total` for counters. All
 * counters begin at 0 with the program; Prometheus recognises such a reset.
 */
import type { MessageCounts } from "../core/log.ts";
import { type Micros, SECOND } from "../core/time.ts";
import { hasUnknownFormat, type ModuleTotals } from "../reading/activity.ts";
import type { BanNumbers } from "../state/ban_reader.ts";
import { counter, gauge, type Metric, type Sample } from "./prometheus.ts";
import type { MonitorReport } from "./report.ts";

/** The numbers that the metrics are made of. */
export interface Figures {
  readonly version: string;
  readonly report: MonitorReport;
  readonly totals: readonly ModuleTotals[];
  /** Bans since the start, by the names of their provenances. */
  readonly decided: ReadonlyMap<string, number>;
  /** By source, the age of its newest event when it came. */
  readonly lags: ReadonlyMap<string, Micros>;
  readonly bans: BanNumbers;
  /** Rows that PostgreSQL has not confirmed; null: there is no database. */
  readonly outbox: number | null;
  readonly messages: MessageCounts;
  /** Bytes of memory that the program uses, and of the state. */
  readonly memory: number;
  readonly stateSize: number;
}

/** Makes the metrics of a monitor. */
export function metricsOf(figures: Figures): Metric[] {
  return [
    ...programMetrics(figures),
    ...lineMetrics(figures),
    ...moduleMetrics(figures),
    ...sourceMetrics(figures),
    ...banMetrics(figures),
    ...firewallMetrics(figures),
    ...databaseMetrics(figures),
  ];
}

function programMetrics({ version, report, messages, memory, stateSize }: Figures): Metric[] {
  const { notify } = report;
  return [
    gauge("strongmonitor_build_info", "Version of the program, and its firewall.", [
      [{ version, firewall: report.firewall }, 1],
    ]),
    gauge("strongmonitor_up", "1 while the monitor runs, 0 after it has stopped.", Number(report.running)),
    gauge("strongmonitor_start_time_seconds", "Time of the monitor's start.", report.started / SECOND),
    gauge(
      "strongmonitor_config_last_reload_successful",
      "0 if the last reload of the configuration was refused, otherwise 1.",
      Number(report.refused === undefined),
    ),
    counter("strongmonitor_log_messages_total", "Errors and warnings in the program's own log.", [
      [{ level: "error" }, messages.errors],
      [{ level: "warning" }, messages.warnings],
    ]),
    counter(
      "strongmonitor_notices_total",
      "Runs of the program for notices, by their results.",
      notify ? [[{ result: "told" }, notify.told], [{ result: "failed" }, notify.failed]] : [],
    ),
    gauge("strongmonitor_resident_memory_bytes", "Memory that the program uses.", memory),
    gauge("strongmonitor_state_size_bytes", "Used bytes of the state, with its lines.", stateSize),
  ];
}

function lineMetrics({ report: { counts, tracked } }: Figures): Metric[] {
  return [
    counter("strongmonitor_recorded_lines_total", "Lines written to the state.", counts.recorded),
    counter("strongmonitor_damaged_lines_total", "Lines that a source had to cut or drop.", counts.damaged),
    counter(
      "strongmonitor_untrusted_lines_total",
      "Lines that any user could have forged; they are recorded but not counted.",
      counts.untrusted,
    ),
    counter(
      "strongmonitor_suppressed_messages_total",
      "Messages that journald dropped because their service wrote too many.",
      counts.suppressed,
    ),
    gauge("strongmonitor_tracked_addresses", "Addresses whose hits count at present.", tracked),
    counter(
      "strongmonitor_evicted_addresses_total",
      "Addresses that no longer count because room was short.",
      counts.evicted,
    ),
  ];
}

function moduleMetrics({ report: { modules }, totals }: Figures): Metric[] {
  const ofModules = (value: (module: ModuleTotals) => number): Sample[] =>
    totals.map((module) => [{ module: module.name }, value(module)]);
  return [
    counter("strongmonitor_lines_total", "Lines of a module's service.", ofModules(({ lines }) => lines)),
    counter(
      "strongmonitor_understood_lines_total",
      "Lines that the module understood.",
      ofModules(({ understood }) => understood),
    ),
    counter(
      "strongmonitor_hits_total",
      "Hits of a rule.",
      totals.flatMap(({ name: module, hits }) =>
        hits.map(({ rule, count }): Sample => [{ module, rule }, count])
      ),
    ),
    gauge(
      "strongmonitor_module_unknown_format",
      "1 if a module understood fewer than half of its lines, 20 or more, in the last hour.",
      modules.map((module): Sample => [{ module: module.name }, Number(hasUnknownFormat(module))]),
    ),
    gauge(
      "strongmonitor_module_given_up",
      "1 if a module failed too often and is off until the next start.",
      modules.map((module): Sample => [{ module: module.name }, Number(module.givenUp !== undefined)]),
    ),
  ];
}

function sourceMetrics({ report: { sources }, lags }: Figures): Metric[] {
  return [
    gauge(
      "strongmonitor_source_up",
      "1 while the monitor reads a source.",
      sources.map(({ name: source, running }): Sample => [{ source }, Number(running)]),
    ),
    gauge(
      "strongmonitor_source_problems",
      "Parts of a source that the monitor cannot read.",
      sources.map(({ name: source, problems }): Sample => [{ source }, problems.length]),
    ),
    gauge(
      "strongmonitor_source_lag_seconds",
      "Age of a source's newest line with an address, at the time of its counting.",
      [...lags].map(([source, lag]): Sample => [{ source }, Math.max(0, lag) / SECOND]),
    ),
    gauge(
      "strongmonitor_source_last_line_timestamp_seconds",
      "Time at which the last lines of a source came.",
      sources.flatMap(({ name: source, lastBatch }): Sample[] =>
        lastBatch === null ? [] : [[{ source }, lastBatch / SECOND]]
      ),
    ),
  ];
}

function banMetrics({ totals, decided, bans, report: { leaks, firewall } }: Figures): Metric[] {
  const confirmed = firewall === "observe" ? 0 : bans.confirmed;
  return [
    counter(
      "strongmonitor_bans_total",
      "Bans by a rule.",
      totals.flatMap(({ name: module, hits }) =>
        hits.map(({ rule }): Sample => [{ module, rule }, decided.get(`${module} ${rule}`) ?? 0])
      ),
    ),
    counter(
      "strongmonitor_network_bans_total",
      "Bans of networks because of bans inside of them, by prefix length.",
      [...decided].flatMap(([name, count]): Sample[] =>
        name.startsWith("/") ? [[{ prefix: name.slice(1) }, count]] : []
      ),
    ),
    gauge("strongmonitor_bans_in_force", "Bans that the firewall has confirmed.", confirmed),
    gauge("strongmonitor_bans_waiting", "Bans that the firewall has not confirmed yet.", bans.waiting),
    gauge("strongmonitor_bans_failing", "Bans and lifts whose last try failed.", bans.failing),
    gauge(
      "strongmonitor_banned_addresses_getting_through",
      "Banned addresses that go on sending lines, at most 20.",
      leaks.length,
    ),
  ];
}

function firewallMetrics({ report: { holding } }: Figures): Metric[] {
  return [
    gauge(
      "strongmonitor_firewall_check_success",
      "1 if the last comparison of the firewall with the state succeeded.",
      holding === null ? null : Number(holding.error === null),
    ),
    gauge(
      "strongmonitor_firewall_held_bans",
      "Bans in the firewall at the last comparison.",
      holding?.held ?? null,
    ),
    gauge(
      "strongmonitor_firewall_missing_bans",
      "Bans that the firewall lacked at the last comparison.",
      holding?.missing ?? null,
    ),
  ];
}

function databaseMetrics({ report: { database }, outbox }: Figures): Metric[] {
  return [
    gauge("strongmonitor_outbox_rows", "Rows that PostgreSQL has not confirmed.", outbox),
    gauge("strongmonitor_database_up", "1 while PostgreSQL answers.", database && Number(database.connected)),
    gauge(
      "strongmonitor_database_last_shipment_timestamp_seconds",
      "Time at which the outbox was last empty.",
      database?.lastShipped ? database.lastShipped / SECOND : null,
    ),
    counter(
      "strongmonitor_database_refused_rows_total",
      "Rows that PostgreSQL refused because of their content.",
      database ? database.setAside : [],
    ),
  ];
}
