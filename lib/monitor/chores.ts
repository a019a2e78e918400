import type { Config } from "../config/types.ts";
import { type Micros, now } from "../core/time.ts";
import type { Decider } from "../deciding/decider.ts";
import type { Bans } from "../enforcing/bans.ts";
import type { State } from "../state/state.ts";
import type { HousekeepingParts } from "./housekeeping.ts";
import type { Pipeline } from "./pipeline.ts";

/** The parts of a monitor that chores and deletions work on. */
export interface ChoreParts {
  readonly state: State;
  readonly pipeline: Pipeline;
  readonly decider: Decider;
  readonly bans: Bans;
  /** Mends bans of a clock that ran ahead. */
  readonly rebase: () => void;
  /** Takes over changes of the state. */
  readonly refresh: () => void;
}

/** Lists the chores and deletions that a monitor's configuration asks for. */
export function choresOf(
  config: Config,
  { state, pipeline, decider, bans, rebase, refresh }: ChoreParts,
): Pick<HousekeepingParts, "chores" | "deletions"> {
  const sweep = (watermark: Micros) => {
    pipeline.engine.sweep(watermark);
    decider.sweep(watermark);
  };
  return {
    chores: [
      { name: "mend bans of a clock that ran ahead", run: rebase },
      { name: "mend tries of a clock that ran ahead", run: () => state.enforcement.rebase(now()) },
      { name: "take over changes", run: refresh },
      { name: "record that this boot is under way", run: () => bans.noteBoot() },
      { name: "give back memory", run: (time) => sweep(pipeline.throughput.watermark(time)) },
    ],
    deletions: deletionsOf(config, { state, pipeline }),
  };
}

function deletionsOf(
  { keepLog, keepLogSize, keepBans, database, trust }: Config,
  { state, pipeline }: Pick<ChoreParts, "state" | "pipeline">,
): HousekeepingParts["deletions"] {
  const isShipped = database !== null;
  const keepLogins = trust?.span ?? 0;
  return [
    { name: "delete ended whitelist entries", run: (time) => state.deleteEndedWhitelist(time) },
    { name: "delete old logins", run: (time) => state.logins.deleteLogins(time - keepLogins) },
    { name: "add up counts of old hours", run: (time) => state.rollups.fold(time) },
    { name: "delete old notes", run: (time) => state.notes.deleteOld(pipeline.throughput.watermark(time)) },
    { name: "delete past bans of other servers", run: () => state.banRetention.deleteFollowed() },
    { name: "write notes anew", run: () => state.notes.rewrite(pipeline.engine) ? 1 : 0 },
    ...keepLog === null
      ? []
      : [{ name: "delete old lines", run: (time: Micros) => state.log.deleteOld(time - keepLog) }],
    ...keepLogSize === null
      ? []
      : [{ name: "delete lines for which there is no room", run: () => state.log.shrink(keepLogSize) }],
    ...keepBans === null ? [] : [{
      name: "delete old bans",
      run: (time: Micros) => state.banRetention.deleteOld({ now: time, keep: keepBans, isShipped }),
    }],
  ];
}
