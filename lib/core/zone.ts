import { Cache } from "./cache.ts";
import { tried } from "./error.ts";
import { HOUR, type Micros, MILLISECOND, MINUTE } from "./time.ts";

/** A time zone, for times written without one. */
export interface Zone {
  /** Name as in a configuration; "": this machine's zone. */
  readonly name: string;
  /** Offset from UTC at `time`; positive east of Greenwich. */
  ahead(time: Micros): Micros;
}

/** This machine's zone. */
export const LOCAL: Zone = {
  name: "",
  ahead: (time) => (0 - new Date(time / MILLISECOND).getTimezoneOffset()) * MINUTE,
};

/** Clocks are set at full quarters of hours. */
const QUARTER = 15 * MINUTE;
/** Quarters whose offset is cached: the platform takes 20 µs to answer. */
const MAX_QUARTERS = 1_000;

/**
 * Returns the zone of a name in the IANA database, `Europe/Berlin`, or of an offset, `+05:30` or
 * `-03`; null if the platform knows no such zone.
 */
export function zoneOf(name: string): Zone | null {
  const format = tried(() => new Intl.DateTimeFormat("en", { timeZone: name, timeZoneName: "longOffset" }));
  if (format === null) return null;
  const known = new Cache<number, Micros>(MAX_QUARTERS);
  const offsetAt = (quarter: number) =>
    parseOffset(partOf(format, quarter * QUARTER)?.replace("GMT", "") || "+00") ?? 0;
  return { name, ahead: (time) => known.of(Math.floor(time / QUARTER), offsetAt) };
}

/** Zones by the names of regions in lines; null: not a region. */
const regions = new Cache<string, Zone | null>(100);

/** Reports whether a zone's name has the form of a region's, `Europe/Berlin`. */
export function isRegion(name: string): boolean {
  return name.includes("/");
}

/** Returns the zone of a region that a line names; null for another word. */
export function regionOf(name: string): Zone | null {
  return regions.of(name, zoneOf);
}

/** Reads the offset `+02:00`, `+0200` or `+02`; null: other text. */
export function parseOffset(text: string): Micros | null {
  const [, sign, hours, minutes = "0"] = /^([+-])(\d\d)(?::?(\d\d))?/.exec(text) ?? [];
  if (sign === undefined) return null;
  const ahead = Number(hours) * HOUR + Number(minutes) * MINUTE;
  return sign === "-" ? -ahead : ahead;
}

/** Other short names of the time zone database, which the platform knows in their own zones alone. */
const OTHERS: ReadonlyMap<string, Micros> = new Map(
  Object.entries({
    ...{ HDT: -9, AKST: -9, AKDT: -8, AST: -4, ADT: -3, NST: -3.5, NDT: -2.5, BST: 1, MSK: 3, IDT: 3 },
    ...{ WAT: 1, CAT: 2, SAST: 2, EAT: 3, PKT: 5, WIB: 7, WITA: 8, WIT: 9, SGT: 8, HKT: 8, KST: 9 },
    ...{ AWST: 8, ACST: 9.5, ACDT: 10.5, NZST: 12, NZDT: 13, SST: -11 },
  }).map(([name, hours]) => [name, hours * HOUR]),
);

/** Cache of short names' offsets by zone, year and name; null: not a zone's name. */
const found = new Cache<string, Micros | null>(1_000);

/**
 * Returns how far a clock with the short name `EST` or `CEST` is ahead of UTC; null for a word that
 * is no zone. Short names are not unique: `zone` decides if its own clocks have the name.
 */
export function aheadByName(name: string, { zone, year }: Place): Micros | null {
  return found.of(
    `${keyOf({ zone, year })} ${name}`,
    () =>
      namesOf({ zone, year }).get(name) ?? ofMail(name) ?? ofDatabase(name, year) ?? OTHERS.get(name) ?? null,
  );
}

interface Place {
  readonly zone: Zone;
  readonly year: number;
}

/** Includes the offsets: this machine's zone may change while the program runs. */
function keyOf({ zone, year }: Place): string {
  return [zone.name, year, ...halves(year).map((time) => zone.ahead(time))].join(" ");
}

/** Cached names by place and year: the platform takes milliseconds to find one. */
const names = new Cache<string, ReadonlyMap<string, Micros>>(100);

/**
 * Returns the names of a zone's time in winter and in summer: the short ones of regions, and the
 * initials of the long one, such as `China Standard Time`.
 */
function namesOf({ zone, year }: Place): ReadonlyMap<string, Micros> {
  return names.of(keyOf({ zone, year }), () => {
    const times = halves(year);
    const initialsAt = (time: Micros) =>
      nameIn("en", "long", { zone, time }).split(/[ -]/).map((word) => word[0]).join("");
    const initials = times.map((time) => [initialsAt(time), time] as const);
    const short = times.flatMap((time) => shortNames(zone, time).map((name) => [name, time] as const));
    // The short names win: the long name of `CET` has the initials of `CEST`.
    return new Map([...initials, ...short].map(([name, time]) => [name, zone.ahead(time)]));
  });
}

/** Regions whose language has short names for their zones. */
const REGIONS = ["en-US", "en-GB", "en-IN", "en-AU", "en-NZ", "en-ZA", "en-HK", "ja"];

function shortNames(zone: Zone, time: Micros): string[] {
  return REGIONS.map((region) => nameIn(region, "short", { zone, time }));
}

/** Reads a name of mail (RFC 5322, section 4.3), which the platform knows in dates. */
function ofMail(name: string): Micros | null {
  const time = Date.parse(`1 Jan 2000 00:00:00 ${name}`);
  return Number.isNaN(time) ? null : (Date.UTC(2000, 0) - time) * MILLISECOND;
}

/** Finds a name of a zone in the database: `CET`, and `CEST`, which `CET` shows in summer. */
function ofDatabase(name: string, year: number): Micros | null {
  for (const id of [name, name.replace(/[SD]T$/, "T")]) {
    const zone = zoneOf(id);
    if (zone === null) continue;
    const time = halves(year).find((time) => shortNames(zone, time).includes(name));
    if (time !== undefined) return zone.ahead(time);
    // Platforms know names that nobody means, such as `BST` of Bangladesh; those are renamed now.
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: id }).resolvedOptions();
    const [winter, summer] = halves(year).map((time) => zone.ahead(time)).sort((a, b) => a - b);
    if (timeZone === id || timeZone.startsWith("Etc/")) return id === name ? winter! : summer!;
  }
  return null;
}

/** Returns one instant in winter and one in summer, unordered; years before 2000 as 2000. */
function halves(year: number): Micros[] {
  return [0, 6].map((month) => Date.UTC(Math.max(2000, year), month) * MILLISECOND);
}

function nameIn(
  language: string,
  timeZoneName: "short" | "long",
  { zone: { name }, time }: { zone: Zone; time: Micros },
): string {
  const timeZone = name === "" ? undefined : name;
  return partOf(new Intl.DateTimeFormat(language, { timeZone, timeZoneName }), time) ?? "";
}

/** Returns the name of the zone in a date. */
function partOf(format: Intl.DateTimeFormat, time: Micros): string | undefined {
  return format.formatToParts(time / MILLISECOND).find(({ type }) => type === "timeZoneName")?.value;
}
