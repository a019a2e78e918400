/**
 * The composition root: builds and connects all parts that run under one configuration, in this
 * order: whitelist, firewalls, bans, pipeline, feeds, reports. No other file knows all of them.
 */
import type { Config } from "../config/types.ts";
import { currentBoot } from "../core/boot.ts";
import type { Log } from "../core/log.ts";
import { counted } from "../core/text.ts";
import { now } from "../core/time.ts";
import type { Trial } from "../deciding/ban.ts";
import { Decider } from "../deciding/decider.ts";
import { Logins } from "../deciding/logins.ts";
import { Bans } from "../enforcing/bans.ts";
import type { Fleet } from "../postgres/fleet.ts";
import type { Lock } from "../state/lock.ts";
import type { State } from "../state/state.ts";
import { choresOf } from "./chores.ts";
import { Feeding } from "./feeding.ts";
import { openFeeds } from "./feeds.ts";
import { Firewalls } from "./firewalls.ts";
import { Housekeeping } from "./housekeeping.ts";
import { Knocking } from "./knocking.ts";
import { openLeaks } from "./leaks.ts";
import { systemResolve } from "./names.ts";
import { Pipeline } from "./pipeline.ts";
import { readReport } from "./report.ts";
import { Reporting } from "./reporting.ts";
import { Settler } from "./settler.ts";
import { Surroundings, systemSources } from "./surroundings.ts";
import { openOutputs, Publishing } from "./publishing.ts";
import { Totals } from "./totals.ts";
import { TrialWatch } from "./trial.ts";
import { Whitelisting } from "./whitelisting.ts";

/** Options of a monitor. */
export interface MonitorOptions {
  /** Outlives the monitor. */
  readonly state: State;
  /** The proof that no other monitor runs on the state. */
  readonly lock?: Pick<Lock, "look">;
  readonly log: Log;
  /** Counts of earlier monitors of this process, to go on from. */
  readonly totals?: Totals;
  /** The trial that limits all bans unless somebody confirms; null: there is none. */
  readonly trial?: Trial | null;
  /** The machine's boot id, as systemd's `%b` spells it; null: unknown. */
  readonly bootId?: string | null;
}

/** The monitor's functions that its parts call. */
export interface MonitorHooks {
  /** Takes over changes in the state. Throws if it cannot. */
  readonly refresh: () => void;
  /** Refreshes after the commit that is under way. Logs a failure. */
  readonly refreshSoon: () => void;
  /** Mends bans of a clock that ran ahead. */
  readonly rebase: () => void;
  /** This server's member of the fleet; null: there is none, or not yet. */
  readonly fleet: () => Fleet | null;
}

/** The parts of a monitor. */
export type MonitorParts = ReturnType<typeof compose>;

/** Objects that all parts are built from. */
interface CommonParts extends Required<Omit<MonitorOptions, "lock">> {
  readonly config: Config;
  readonly hooks: MonitorHooks;
}

/** Builds the parts of a monitor; none of them runs yet. Throws if the state cannot be used. */
export function compose(config: Config, options: MonitorOptions, hooks: MonitorHooks) {
  const { state, log, totals = new Totals(), trial = null, bootId = null } = options;
  const common: CommonParts = { config, state, log, totals, hooks, trial, bootId };
  const whitelists = openWhitelist(common);
  const banning = openBans(common, whitelists.whitelisting);
  const parts = {
    state,
    log,
    totals,
    trial: new TrialWatch(trial, { state, log }),
    ...whitelists,
    ...banning,
    ...openOutputs(config, common),
    ...openPipeline(common, banning),
  };
  const { pipeline } = parts;
  const feeds = openFeeds(config, parts);
  const { lastBatches } = totals;
  const settler = new Settler(state.outbox);
  const processed = () => {
    settler.processed();
    hooks.fleet()?.wake();
  };
  const feeding = new Feeding(feeds, { ...parts, lastBatches, processed });
  const housekeeping = new Housekeeping({ pipeline, ...choresOf(config, { ...parts, ...hooks }) }, log);
  const reporting = new Reporting(config, {
    ...parts,
    feeds,
    feeding,
    database: () => hooks.fleet()?.status() ?? null,
  });
  const publishing = new Publishing({ ...parts, reporting });
  return { ...parts, feeding, settler, housekeeping, reporting, publishing };
}

function openWhitelist({ config, state, log, hooks }: CommonParts) {
  const whitelisting = new Whitelisting(config, {
    state,
    log,
    clock: now,
    resolve: systemResolve(),
    changed: hooks.refreshSoon,
  });
  const surroundings = new Surroundings({
    state,
    log,
    clock: now,
    sources: systemSources(log),
    database: config.database?.host ?? null,
    changed: hooks.refreshSoon,
  });
  return { whitelisting, surroundings };
}

/** Lifts the bans that follow other servers, as nobody would end them any more. */
function unfollow(state: State, log: Log): void {
  const lifted = state.bans.unfollow(now());
  if (lifted > 0) {
    log.info(`lifting ${counted(lifted, "ban")} of other servers: this one follows none any more`);
  }
}

function openBans(
  { config, state, log, hooks, trial, bootId }: CommonParts,
  { whitelist }: Pick<Whitelisting, "whitelist">,
) {
  const firewalls = new Firewalls(config);
  state.bans.rescope([...firewalls.ofModules.keys()], now());
  if (config.following === null) unfollow(state, log);
  state.enforcement.rebase(now());
  const { start } = currentBoot(bootId);
  state.logins.deleteOld({ logins: now() - (config.trust?.span ?? 0), sessions: start });
  const logins = new Logins(config.trust);
  const decider = new Decider({
    whitelist,
    logins,
    networks: config.networkBans,
    history: state.bans,
    remembered: (span) => ({
      logins: state.logins.logins(),
      sessions: state.logins.sessions(),
      bans: state.bans.decisionsSince(now() - span),
    }),
  });
  const bans = new Bans({
    state,
    firewall: firewalls.main,
    moduleFirewalls: firewalls.ofModules,
    whitelist,
    log,
    clock: now,
    boot: () => currentBoot(bootId),
    trialEnd: trial?.end,
    // Another server's ban may last longer than ours, or than the whitelist entry.
    freed: (addresses) => hooks.fleet()?.ask(state.fleet.freed(addresses)),
  });
  return { firewalls, logins, decider, bans };
}

function openPipeline(
  { config, state, log, totals, hooks }: CommonParts,
  { firewalls, logins, decider, bans }: ReturnType<typeof openBans>,
) {
  const knocking = new Knocking({
    config: config.knock,
    log,
    keys: () => state.knocks.keys(),
    whitelisted: hooks.refreshSoon,
  });
  const bansOf = (addresses: readonly string[]) => firewalls.applied(state.bans.inForceOf(addresses));
  const leaks = firewalls.isAnyReal ? openLeaks(config, { bansOf, log }) : null;
  const batches = state.batches(config.modules.map(({ module }) => module.name));
  const pipeline = new Pipeline(config.modules, {
    state: batches,
    judge: decider,
    enforce: (decision) => bans.enforce(decision),
    log,
    before: readReport(state.report())?.modules,
    totals,
    counting: {
      ipv6Prefix: config.ipv6Prefix,
      lenience: (address, time) => logins.lenience(address, time),
    },
    knocking,
    leaks,
  });
  return { knocking, leaks, batches, pipeline };
}
