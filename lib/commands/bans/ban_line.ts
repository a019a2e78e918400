import { type Micros, SECOND } from "../../core/time.ts";
import { canonicalNetwork } from "../../core/address.ts";
import { instantOf } from "../../core/timestamp.ts";
import { messageOf } from "../../core/error.ts";
import { parseScope, type Scope } from "../../core/scope.ts";
import { keptText, type NewBan, type Provenance, PROVENANCES } from "../../deciding/ban.ts";

/** A ban as one line of a list gives it; keys that the line does not give are missing. */
export interface ListedBan extends Pick<NewBan, "address"> {
  readonly scope?: Scope;
  readonly provenance?: Provenance;
  readonly reason?: string;
  readonly count?: number;
  readonly start?: Micros;
  /** Null: the ban has no end. */
  readonly until?: Micros | null;
  readonly ended?: boolean;
}

/** `fail2ban-client get sshd banip --with-time`: start, + seconds, = end. */
const WITH_TIME =
  /^(?<address>\S+)\s+(?<start>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \+ (?<span>-?\d+) = \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;

/** `192.0.2.7 until 2027-01-31`, the format of whitelist files. */
const UNTIL = /^(\S+)\s+until\s+(.+)$/;

/**
 * Reads a line of a list: an address or network, optional `until` and `#` reason, or times of
 * fail2ban-client(1); or JSON of `bans --export json`. Null: no address; a string: a complaint.
 */
export function readBanLine(line: string): ListedBan | string | null {
  const text = line.trim();
  if (text.startsWith("{")) return readRecord(text);
  const [before, ...comment] = text.split("#");
  const words = before!.trim();
  if (words === "") return null;
  const timed = WITH_TIME.exec(words)?.groups;
  const [, ending, end] = UNTIL.exec(words) ?? [];
  const address = canonicalNetwork(timed?.address ?? ending ?? words);
  if (address === null) return `expected an address or a network, got ${quoted(ending ?? words)}`;
  const until = end === undefined ? undefined : instantOf(end);
  if (until === null) return `expected a date and a time behind "until", got ${quoted(end)}`;
  const reason = keptText(comment.join("#")) || undefined;
  return said({ address, reason, until, ...timed && timesOf(timed.start!, Number(timed.span)) });
}

/** Returns start and end; a negative span has no end. */
function timesOf(text: string, seconds: number): Pick<ListedBan, "start" | "until"> {
  const start = instantOf(text);
  if (start === null) return {};
  return { start, until: seconds < 0 ? null : start + seconds * SECOND };
}

function readRecord(text: string): ListedBan | string {
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(text);
  } catch (error) {
    return `expected an object of JSON: ${messageOf(error)}`;
  }
  const { address, scope: scopeText = "all", reason, count = 0, start, until, ended } = record;
  const network = typeof address === "string" ? canonicalNetwork(address) : null;
  if (network === null) return `address must be an address or a network, got ${quoted(address)}`;
  const scope = typeof scopeText === "string" ? parseScope(scopeText) : null;
  if (scope === null) {
    return `scope must be "all", such as "tcp 22,8000-8010", or "module NGINX", got ${quoted(scopeText)}`;
  }
  const provenance = readProvenance(record);
  if (typeof provenance === "string") return provenance;
  if (reason !== undefined && typeof reason !== "string") {
    return `reason must be a string, got ${quoted(reason)}`;
  }
  if (!Number.isSafeInteger(count) || count as number < 0) {
    return `count must be a whole number, got ${quoted(count)}`;
  }
  const times = { start: readTime(start), until: readTime(until) };
  if (times.start === null && start !== null) return `start must be a date and a time, got ${quoted(start)}`;
  if (times.until === null && until !== null) {
    return `until must be a date and a time, or null, got ${quoted(until)}`;
  }
  return said({
    address: network,
    scope,
    provenance,
    reason: keptText(reason ?? "") || undefined,
    count: count as number,
    start: times.start ?? undefined,
    until: times.until,
    ended: ended !== undefined && ended !== null,
  });
}

/**
 * Returns undefined if the line gives no provenance, and a string for a complaint. `fleet` becomes
 * `import`: on another machine no member's ban would end it.
 */
function readProvenance({ provenance, name = "" }: Record<string, unknown>): Provenance | string | undefined {
  if (provenance === undefined) return undefined;
  const kind = PROVENANCES.find((kind) => kind === provenance);
  if (kind === undefined) {
    return `provenance must be one of ${PROVENANCES.join(", ")}, got ${quoted(provenance)}`;
  }
  if (typeof name !== "string") return `name must be a string, got ${quoted(name)}`;
  return { kind: kind === "fleet" ? "import" : kind, name: keptText(name) };
}

/** Returns undefined if there is no time, and null for one that it cannot read. */
function readTime(value: unknown): Micros | null | undefined {
  if (value === undefined) return undefined;
  return typeof value === "string" ? instantOf(value) : null;
}

/** Returns `ban` without its undefined keys. */
function said(ban: ListedBan): ListedBan {
  return Object.fromEntries(
    Object.entries(ban).filter(([, value]) => value !== undefined),
  ) as unknown as ListedBan;
}

function quoted(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 80) ?? "nothing";
}
