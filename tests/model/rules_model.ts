/** Rules as loops, counts as plain arrays, bans as a list. */
import ipaddr from "ipaddr.js";
import type { Condition, Growth, Rule } from "../../lib/rules/rule.ts";

/** What rules look at. */
export interface Counted {
  /** Canonical. */
  readonly address: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Microseconds since the epoch. */
  readonly time: number;
  /** Whether somebody with a name was served at the address lately. */
  readonly isOfUser: boolean;
}

/** Reports whether an event meets a condition: one of the texts stands in one of the fields. */
function meets({ fields, message }: Pick<Counted, "fields" | "message">, condition: Condition): boolean {
  for (const name of condition.fields) {
    const value = name === "message" ? message : fields[name];
    if (value === undefined) continue;
    const text = condition.ignoreCase ? value.toLowerCase() : value;
    for (const sought of condition.texts) {
      if (condition.mode === "start" && text.startsWith(sought)) return true;
      if (condition.mode === "anywhere" && text.includes(sought)) return true;
      if (condition.mode === "regex" && expression(sought).test(text)) return true;
    }
  }
  return false;
}

const expressions = new Map<string, RegExp>();

function expression(source: string): RegExp {
  if (!expressions.has(source)) expressions.set(source, new RegExp(source, "s"));
  return expressions.get(source)!;
}

/** Whether an event bears a user's name. */
export function hasUser({ fields: { user = "" } }: Pick<Counted, "fields">): boolean {
  return user !== "" && user !== "-";
}

/**
 * The limit of a rule, ten times as high for users where it asks for the status alone. A wrong password is nobody's.
 */
export function limitFor({ condition, status, limit }: Rule, isLenient: boolean): number {
  return condition === null && status !== null && isLenient ? 10 * limit : limit;
}

/** Whether limits are higher for an event. */
export function isLenientWith(event: Pick<Counted, "fields" | "isOfUser">): boolean {
  const { status = "" } = event.fields;
  if (!/^\d+$/.test(status) || /^[23]\d\d$/.test(status) || (status === "401" && hasUser(event))) {
    return false;
  }
  return event.isOfUser || ((status === "404" || status === "410") && hasUser(event));
}

/** The rules that an event hits. */
export function rulesHit(
  event: Pick<Counted, "fields" | "message">,
  rules: readonly Rule[],
): Rule[] {
  return rules.filter(({ condition, status, except }) => {
    if (condition !== null && !meets(event, condition)) return false;
    if (status !== null && ![...status].some((code) => String(code) === event.fields.status)) return false;
    return !except.some((one) => meets(event, one));
  });
}

/** Kinds of IPv6 addresses that name one client by more or fewer bits than others. */
const CLIENT_BITS: Readonly<Record<string, number>> = { teredo: 128, "6to4": 48 };

/**
 * What an address is counted as: itself, or of IPv6 the network of so many bits that it lies in.
 */
export function countedAs(address: string, ipv6Prefix: number): string {
  if (!address.includes(":")) return address;
  const parsed = ipaddr.IPv6.parse(address);
  const bits = parsed.parts[0]! < 0x100 ? 128 : CLIENT_BITS[parsed.range()] ?? ipv6Prefix;
  if (bits === 128) return address;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/${bits}`).toRFC5952String()}/${bits}`;
}

/** A limit passed. */
export interface ModelTrip {
  readonly rule: Rule;
  readonly address: string;
  readonly time: number;
  readonly count: number;
}

interface Hit {
  readonly time: number;
  readonly value: string | null;
}

/** Counts the hits of each address by each rule. */
export class ModelCounters {
  readonly #hits = new Map<Rule, Map<string, Hit[]>>();

  /**
   * Counts a hit; returns how many were counted when the limit was passed, otherwise 0. A value
   * that counts already is no hit.
   */
  hit(
    rule: Rule,
    { address, time, value, isLenient }: {
      address: string;
      time: number;
      value: string | null;
      isLenient: boolean;
    },
  ): number {
    const span = rule.window ?? Infinity;
    const ofRule = this.#hits.get(rule) ?? new Map<string, Hit[]>();
    this.#hits.set(rule, ofRule);
    const hits = ofRule.get(address) ?? [];
    if (value !== null && hits.some((hit) => hit.value === value && hit.time > time - span)) return 0;
    const young = [...hits.filter((hit) => hit.time > time - span), { time, value }];
    ofRule.set(address, young);
    // A late hit does not count with those that came a window after it.
    const count = young.filter((hit) => hit.time < time + span).length;
    // Who was let past the limit before is still.
    if (count <= rule.limit || count <= limitFor(rule, isLenient || count > rule.limit + 1)) return 0;
    ofRule.delete(address);
    return count;
  }

  /** Counts an event by the rules that it hits. */
  add(event: Counted, rules: readonly Rule[], address: string): ModelTrip[] {
    const { time } = event;
    const isLenient = isLenientWith(event);
    return rulesHit(event, rules).flatMap((rule) => {
      const value = rule.distinct === null
        ? null
        : rule.distinct === "message"
        ? event.message
        : event.fields[rule.distinct];
      const count = value === undefined ? 0 : this.hit(rule, { address, time, value, isLenient });
      return count > 0 ? [{ rule, address, time, count }] : [];
    });
  }
}

/** A ban of an address; `until` is Infinity where it has no end. */
export interface ModelBan {
  readonly address: string;
  readonly start: number;
  readonly until: number;
  readonly reason: string;
}

/** Bans that follow from trips, each in force at once. */
export class ModelBans {
  readonly all: ModelBan[] = [];

  /** Bans unless a ban is in force that ends no earlier. Returns the ban. */
  add({ rule, address, time, count }: ModelTrip, reason: string): ModelBan | null {
    const own = this.all.filter((ban) => ban.address === address).reverse();
    const ended = own.filter(({ until }) => until <= time);
    const span = rule.banTime === null ? Infinity : rule.banTime * factorOf(rule.growth, ended, time);
    const most = rule.banTime === null ? Infinity : rule.growth.most ?? Infinity;
    const until = time + Math.min(span, most);
    if (own.some((ban) => ban.until > time && ban.until >= until)) return null;
    const ban = { address, start: time, until, reason: `${reason}, ${count}` };
    this.all.push(ban);
    return ban;
  }
}

/**
 * How many times as long as the first a ban lasts: it grows with each before it, unless the address
 * was free for long.
 */
function factorOf({ factor, forgetAfter }: Growth, ended: readonly ModelBan[], time: number): number {
  let grown = 1;
  let freeUntil = time;
  for (const { start, until } of ended) {
    if (forgetAfter !== null && freeUntil - until >= forgetAfter) break;
    grown *= factor;
    freeUntil = start;
  }
  return grown;
}
