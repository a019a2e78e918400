/**
 * `why`: the story of an address or network from the state: lines and the rules they hit, bans and
 * their effect, whitelist and trust, and why it is not banned. Without a configuration, some parts
 * are missing. Reports of other members come from the database, if it answers soon.
 */
import { readPassword } from "../config/file.ts";
import type { Config } from "../config/types.ts";
import { enclosingNetworks } from "../core/address.ts";
import { NetworkSet } from "../core/network_set.ts";
import { type Micros, MILLISECOND, now } from "../core/time.ts";
import { Logins } from "../deciding/logins.ts";
import { readReport } from "../monitor/report.ts";
import { isLocked } from "../state/lock.ts";
import type { State } from "../state/state.ts";
import { requireNetwork } from "./change.ts";
import { type Counts, Evidence } from "./evidence.ts";
import { withContext } from "./open_state.ts";
import { WIDTH } from "./layout.ts";
import { type CommonOptions, outputWidth, printResult, zoneName } from "./output.ts";
import { storyJson } from "./why_json.ts";
import type { Story } from "./why_story.ts";
import { storyLines } from "./why_text.ts";
import { coveringEntries } from "./why_whitelist.ts";

/** Most lines in a story, and longest search for them in milliseconds. */
const SEARCH = { most: 200, patience: 500 };
/** Most bans inside a network in a story. */
const MOST_INSIDE = 20;
/** Counts without a configuration. */
const NO_COUNTS: Counts = { counts: [], isComplete: true };
/** Longest wait for the database, each time. */
const PATIENCE: Micros = 300 * MILLISECOND;

/** `why`: prints the story of an address or network. Throws `UserError` (64, 69). */
export async function whyCommand(text: string, options: CommonOptions): Promise<number> {
  const target = requireNetwork(text);
  return await withContext(options, async ({ state, config, configError }) => {
    const story = {
      ...storyOf(target, { state, config, time: now() }),
      ...await askMembers(target, { state, config, options }),
      configError,
    };
    const lines = storyLines(story, Math.min(WIDTH, outputWidth() ?? WIDTH));
    printResult(options, storyJson(story), ...lines, `times     of ${zoneName()}`);
    return 0;
  });
}

interface Sources {
  readonly state: State;
  readonly config: Config | null;
}

/** Reads the story of an address or network at `time` from the state and a configuration. */
export function storyOf(
  target: string,
  { state, config, time }: Sources & { readonly time: Micros },
): Omit<Story, "members" | "memberError" | "configError"> {
  const network = new NetworkSet([target]);
  const isInside = ({ address }: { readonly address: string }) => network.covers(address);
  const logins = state.logins.logins();
  const sessions = state.logins.sessions();
  const trust = new Logins(config?.trust ?? null);
  trust.restore({ logins, sessions });
  const evidence = config === null ? null : new Evidence(config, trust);
  const found = state.history.lines(target, SEARCH);
  const report = readReport(state.report());
  const { counts, isComplete } = evidence?.near(target, state.notes, time) ?? NO_COUNTS;
  const bans = state.history.bansOf(target);
  const around = state.history.bansAround(target);
  const banned = new Set([...bans, ...around].map(({ address }) => address));
  return {
    target,
    now: time,
    bans,
    around,
    inside: target.includes("/") ? state.history.bansInside(target, MOST_INSIDE) : null,
    whitelist: coveringEntries(target, config, state),
    logins: logins.filter(isInside).reverse(),
    sessions: sessions.filter(isInside),
    trusted: trust.trusted(target, time),
    knocks: state.knocks.keys().filter(({ used }) => used !== null && network.covers(used.by)),
    counts,
    areCountsComplete: isComplete,
    lines: evidence?.judge(found.lines) ?? found.lines.map((line) => ({ ...line, hits: [] })),
    search: found,
    isRunning: isLocked(state.directory),
    report,
    leaks: (report?.leaks ?? []).filter((leak) => banned.has(leak.address) || isInside(leak)),
  };
}

/** Asks the database what other members of the fleet have seen. */
async function askMembers(
  address: string,
  { state, config, options }: Sources & { options: CommonOptions },
): Promise<Pick<Story, "members" | "memberError">> {
  if (!config?.database) return { members: null, memberError: null };
  const networks = enclosingNetworks(address);
  const question = { host: state.outbox.hostId, address, networks };
  const { memberReports } = await import("../postgres/member_reports.ts");
  try {
    const password = readPassword(config.path, { state: options.state, server: config.database });
    const members = await memberReports({ ...config.database, password }, question, PATIENCE);
    return { members, memberError: null };
  } catch (error) {
    const { explain } = await import("../postgres/connection.ts");
    return { members: null, memberError: explain(error, config.database) };
  }
}
