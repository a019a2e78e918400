/** The story of an address or network, as state, configuration and fleet know it. */
import { withPassword } from "../../config/load.ts";
import type { Config } from "../../config/types.ts";
import { enclosingNetworks } from "../../core/address.ts";
import { NetworkSet } from "../../core/network_set.ts";
import { type Micros, MILLISECOND } from "../../core/time.ts";
import { Logins } from "../../deciding/logins.ts";
import { readReport } from "../../monitor/report.ts";
import type { MemberReport } from "../../postgres/member_reports.ts";
import { isLocked } from "../../state/lock.ts";
import type { State } from "../../state/state.ts";
import { Evidence, type NearCounts } from "./evidence.ts";
import { coveringEntries } from "../whitelist/covering.ts";

/** Most lines in a story. */
const MOST_LINES = 200;
/** Milliseconds for counts, inner bans and lines, and the least of them for lines. */
const [PATIENCE, LEAST_PATIENCE] = [300, 100];
/** Milliseconds for the counts of an address, and of a network, in which the bans are counted too. */
const NOTE_PATIENCE = { address: 250, network: 150 };
/** Most bans inside a network in a story. */
const MOST_INSIDE = 20;
/** Counts without a configuration. */
const NO_COUNTS: NearCounts = { counts: [], isComplete: true };
/** Longest wait for the database, each time. */
const MEMBERS_PATIENCE: Micros = 300 * MILLISECOND;

/** All facts about an address or network. */
export interface Story extends ReturnType<typeof storyOf>, MemberFacts {
  /** Why limits, trust and the configured whitelist are unknown; null: they are known. */
  readonly configError: string | null;
}

interface MemberFacts {
  /** Null: no database is configured, or it did not answer. */
  readonly members: readonly MemberReport[] | null;
  readonly memberError: string | null;
}

interface Sources {
  readonly state: State;
  readonly config: Config | null;
}

/** Reads the story of an address or network at `time` from the state and a configuration. */
export function storyOf(
  target: string,
  { state, config, time }: Sources & { readonly time: Micros },
) {
  const began = performance.now();
  const network = new NetworkSet([target]);
  const isInside = ({ address }: { readonly address: string }) => network.covers(address);
  const logins = state.logins.logins();
  const sessions = state.logins.sessions();
  const trust = new Logins(config?.trust ?? null);
  trust.restore({ logins, sessions });
  const evidence = config === null ? null : new Evidence(config, trust);
  const report = readReport(state.report());
  const limits = { time, patience: NOTE_PATIENCE[target.includes("/") ? "network" : "address"] };
  const { counts, isComplete } = evidence?.near(target, state.notes, limits) ?? NO_COUNTS;
  const bans = state.history.bansOf(target);
  const around = state.history.bansAround(target);
  const inside = target.includes("/") ? state.history.bansInside(target, MOST_INSIDE) : null;
  const patience = Math.max(LEAST_PATIENCE, PATIENCE - (performance.now() - began));
  const found = state.history.lines(target, { most: MOST_LINES, patience });
  const banned = new Set([...bans, ...around].map(({ address }) => address));
  return {
    target,
    now: time,
    bans,
    /** Bans of networks that contain the target. */
    around,
    /** Null: the target is one address. */
    inside,
    whitelist: coveringEntries(target, config, state),
    logins: logins.filter(isInside).reverse(),
    sessions: sessions.filter(isInside),
    /** Login that keeps it from being banned; null: none. */
    trusted: trust.trusted(target, time),
    knocks: state.knocks.keys().filter(({ used }) => used !== null && network.covers(used.by)),
    counts,
    /** Whether `counts` is of all stored notes, not only of the newest ones. */
    areCountsComplete: isComplete,
    lines: evidence?.judge(found.lines) ?? found.lines.map((line) => ({ ...line, hits: [] })),
    search: found,
    isRunning: isLocked(state.directory),
    report,
    /** Bans of the target that lines still get past. */
    leaks: (report?.leaks ?? []).filter((leak) => banned.has(leak.address) || isInside(leak)),
  };
}

/** Asks the database what other members of the fleet have seen. */
export async function askMembers(
  address: string,
  { state, config }: Sources,
): Promise<MemberFacts> {
  if (!config?.database) return { members: null, memberError: null };
  const networks = enclosingNetworks(address);
  const question = { host: state.outbox.hostId, address, networks };
  const { memberReports } = await import("../../postgres/member_reports.ts");
  try {
    const members = await memberReports(withPassword(config).database!, question, MEMBERS_PATIENCE);
    return { members, memberError: null };
  } catch (error) {
    const { explain } = await import("../../postgres/failures.ts");
    return { members: null, memberError: explain(error, config.database) };
  }
}
