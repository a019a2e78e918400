/** Times as lines write them, and the instants that they mean. */
import { DAY, type Micros, MINUTE, SECOND } from "./time.ts";
import { aheadByName, isRegion, LOCAL, regionOf, type Zone } from "./zone.ts";

/** A time as a line writes it. `resolveStamp()` supplies missing parts from the time of reading. */
export interface Stamp {
  /** Null if the line has none, as in classic syslog. */
  readonly year: number | null;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Fraction of the second. */
  readonly fraction: Micros;
  /** Minutes ahead of UTC; null: the line gives no numeric offset. */
  readonly offset: number | null;
  /** The word after a time without an offset, perhaps a zone's name such as `EST` or `Asia/Tokyo`. */
  readonly name?: string | undefined;
}

/** Longest delay between writing and reading of a line that is read live. */
const LIVE = 5 * MINUTE;
/** Most years between two leap days. */
const LEAP = 8;
/** Earlier years are the zeros of clocks and languages: `0000-12-30`, `0001-01-01`. */
const EPOCH = 1970;

/** Supplies the missing parts of a stamp. */
export interface Reference {
  /** When the line was read. */
  readonly now: Micros;
  /** Time of the line before; NaN: unknown. */
  readonly before: Micros;
  /** Zone of a stamp without one; default: this machine's. */
  readonly zone?: Zone;
}

/**
 * Returns the instant of `stamp`; NaN for a date that does not exist, or before 1970. Without an
 * offset, its name or the reference gives the zone. A missing year is the latest one that is at most
 * a day after `now`. A local time that clocks skipped is an hour later. A local time that came twice
 * is the second one if that is just now, else the first one that is not before the line before.
 */
export function resolveStamp(stamp: Stamp, reference: Reference): Micros {
  if (stamp.year !== null) return stamp.year < EPOCH ? NaN : ofYear(stamp, stamp.year, reference);
  const tomorrow = reference.now + DAY;
  const latest = new Date((tomorrow + (reference.zone ?? LOCAL).ahead(tomorrow)) / 1_000).getUTCFullYear();
  for (let year = latest; year > latest - 1 - LEAP; year--) {
    const time = ofYear(stamp, year, reference);
    if (time <= tomorrow) return time;
  }
  return NaN;
}

/** Returns the zone whose clocks a stamp without an offset shows, apart from short names. */
export function zoneOfStamp({ name = "" }: Pick<Stamp, "name">, { zone = LOCAL }: Reference): Zone {
  return (isRegion(name) ? regionOf(name) : null) ?? zone;
}

function ofYear(stamp: Stamp, year: number, reference: Reference): Micros {
  const utc = asUtc(stamp, year);
  if (Number.isNaN(utc)) return NaN;
  if (stamp.offset !== null) return utc - stamp.offset * MINUTE;
  const zone = zoneOfStamp(stamp, reference);
  const ahead = stamp.name === undefined || isRegion(stamp.name)
    ? null
    : aheadByName(stamp.name, { zone, year });
  return ahead === null ? ofZone(utc, zone, reference) : utc - ahead;
}

/** Reads the figures as UTC; NaN: one is out of range. A leap second is the next second. */
function asUtc({ month, day, hour, minute, second, fraction }: Stamp, year: number): Micros {
  if (hour > 23 || minute > 59 || second > 60) return NaN;
  const midnight = new Date(Date.UTC(2000, 0, 1));
  midnight.setUTCFullYear(year, month - 1, day);
  const exists = midnight.getUTCMonth() === month - 1 && midnight.getUTCDate() === day;
  return exists ? midnight.getTime() * 1_000 + ((hour * 60 + minute) * 60 + second) * SECOND + fraction : NaN;
}

/** Returns the instant at which clocks of `zone` show the figures of `utc`. */
function ofZone(utc: Micros, zone: Zone, { now, before }: Reference): Micros {
  // A zone's offset on one side of a change is its offset a day before or a day after.
  const one = utc - zone.ahead(utc - DAY);
  const other = utc - zone.ahead(utc + DAY);
  const [first, second] = [Math.min(one, other), Math.max(one, other)];
  const shown = [first, second].filter((time) => time + zone.ahead(time) === utc);
  if (shown.length === 0) return second;
  if (shown.length === 1 || first === second) return shown[0]!;
  if (Math.abs(now - second) <= LIVE) return second;
  return first < before ? second : first;
}
