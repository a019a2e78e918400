/** `why --user`: where somebody came from by name, and whether these addresses are banned. */
import { UserError } from "../../core/error.ts";
import { bounded, counted } from "../../core/text.ts";
import { isoTimeOrNull, localTime, type Micros } from "../../core/time.ts";
import type { BanStatus } from "../../deciding/ban.ts";
import type { Login } from "../../deciding/login_change.ts";
import { Logins } from "../../deciding/logins.ts";
import type { FoundLines } from "../../state/line_search.ts";
import { banJson } from "../bans/bans.ts";
import { Evidence } from "./evidence.ts";
import { WIDTH, wrap } from "../common/layout.ts";
import { withContext } from "../common/open_state.ts";
import {
  type CommonOptions,
  outputWidth,
  print,
  printJson,
  printTable,
  tableEnd,
  tableTime,
  zoneText,
} from "../common/output.ts";
import { lineJson } from "./json.ts";
import { lineText } from "./text.ts";

/** Most lines searched for, and milliseconds for it. */
const LIMITS = { most: 200, patience: 400 };
/** Most addresses and lines for people; `--json` prints all that were found. */
const [MOST_ADDRESSES, MOST_LINES] = [10, 5];
/** Longest name, in characters. */
const TEXT = 40;

/** An address from which somebody came. */
interface UserAddress {
  readonly address: string;
  readonly lines: number;
  readonly lastLine: Micros | null;
  readonly login: Login | null;
  /** The narrowest ban around it; null: it is not banned. */
  readonly ban: BanStatus | null;
}

interface UserStory {
  readonly user: string;
  readonly addresses: readonly UserAddress[];
  readonly found: FoundLines;
}

/** Prints where a user came from. Throws `UserError` (64, 69, 78). */
export function whyUser(user: string, options: CommonOptions): number {
  if (user === "") throw new UserError("Cannot look for a user without a name", 64);
  return withContext(options, ({ state, config, configError }) => {
    // Only a module knows which text of a line is a user's name.
    if (config === null) throw new UserError(`Cannot look for a user: ${configError}`, 78);
    const userOf = new Evidence(config, new Logins(config.trust)).userReader();
    const found = state.history.linesWith(user, (line) => userOf(line) === user, LIMITS);
    const logins = state.logins.logins().filter((login) => login.user === user);
    const lines = Map.groupBy(found.lines, ({ address }) => address);
    const names = [...new Set([...lines.keys(), ...logins.map(({ address }) => address)])];
    const bans = state.history.narrowestInForce(names);
    const addresses = names.map((address): UserAddress => ({
      address,
      lines: lines.get(address)?.length ?? 0,
      lastLine: lines.get(address)?.at(0)?.time ?? null,
      login: logins.findLast((login) => login.address === address) ?? null,
      ban: bans.get(address) ?? null,
    }));
    if (options.json) printJson(userJson({ user, addresses, found }));
    else tell({ user, addresses, found });
    return 0;
  });
}

function userJson({ user, addresses, found: { lines, isComplete, searchedSince } }: UserStory): unknown {
  return {
    user,
    addresses: addresses.map(({ address, lines, lastLine, login, ban }) => ({
      address,
      lines,
      last_line: isoTimeOrNull(lastLine),
      last_login: isoTimeOrNull(login?.time ?? null),
      ban: ban === null ? null : banJson(ban),
    })),
    lines: lines.map(lineJson),
    complete: isComplete,
    searched_since: isoTimeOrNull(searchedSince),
  };
}

/** Says from when on lines were searched. */
function reachText({ searchedSince, oldest = null }: FoundLines): string {
  if (searchedSince !== null) return ` since ${localTime(searchedSince)}, as far as the search came,`;
  return oldest === null ? "" : ` since ${localTime(oldest)}, the oldest recorded,`;
}

function tell({ user, addresses, found }: UserStory): void {
  const { lines } = found;
  const width = Math.min(WIDTH, outputWidth() ?? WIDTH);
  const from = `${counted(lines.length, "line")}${reachText(found)} from ${
    counted(addresses.length, "address")
  }`;
  wrap(`${bounded(user, TEXT)}: ${from}.`, width).forEach(print);
  if (addresses.length === 0) return;
  print("");
  printTable(
    ["ADDRESS", "LINES", "LAST LINE", "LAST LOGIN", "BANNED UNTIL"],
    addresses.slice(0, MOST_ADDRESSES).map(({ address, lines, lastLine, login, ban }) => [
      address,
      String(lines),
      lastLine === null ? "-" : tableTime(lastLine),
      login === null ? "-" : tableTime(login.time),
      ban === null ? "not banned" : tableEnd(ban.until),
    ]),
  );
  if (addresses.length > MOST_ADDRESSES) print(`and ${addresses.length - MOST_ADDRESSES} more`);
  print("");
  for (const line of lines.slice(0, MOST_LINES)) lineText({ ...line, hits: [] }, width).forEach(print);
  if (lines.length > MOST_LINES) {
    print(`and ${counted(lines.length - MOST_LINES, "older line")}, which --json prints`);
  }
  wrap(`${zoneText()} \`strongmonitor why ${addresses[0]!.address}\` tells more.`, width).forEach(print);
}
