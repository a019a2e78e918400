import { LineParser } from "./lines.ts";
import { resolveStamp, type Stamp, StampResolver } from "./core/timestamp.ts";
import type { Entry } from "./core/entry.ts";
import type { Micros } from "./core/time.ts";
import type { Module, Parsed } from "./reading/module.ts";
import type { ModuleRules } from "./rules/rule.ts";

/** An entry and what one module makes of it. */
export interface Reading {
  readonly rules: ModuleRules;
  /** Null: the module does not know such a message. */
  readonly parsed: Parsed | null;
  /** Without what stood before it in a log file. */
  readonly message: string;
  readonly time: Micros;
  /** Of the process that wrote it, where that is known. */
  readonly pid: number | null;
  /** Whether nobody but root or the service itself can have written it, as far as its source can tell. */
  readonly trusted: boolean;
}

/** A module, and what it makes of a message. */
type Found = Pick<Reading, "rules" | "parsed">;

/** A line of text, read at `time`. */
export function textEntry(line: string, time: Micros): Entry {
  return { time, identifier: null, pid: null, message: line, sender: null };
}

/** How a module is asked; may stand in for `module.parse` where that might throw. */
export type Ask = (module: Module, message: string) => Parsed | null;

/** Finds out which of the modules of one source an entry belongs to, and what it says. */
export class Reader {
  readonly #modules: readonly ModuleRules[];
  readonly #ask: Ask;
  readonly #byIdentifier: ReadonlyMap<string, readonly ModuleRules[]>;
  /** Modules that take what any program writes. */
  readonly #open: readonly ModuleRules[];
  /** How messages of any of the modules begin; null where that is not known of all, or of one alone. */
  readonly #beginning: RegExp | null;
  /** Time of the line before: clocks that were set back are read by it. */
  #before: Micros | null = null;
  readonly #lines = new LineParser();
  readonly #stamps = new StampResolver();

  constructor(modules: readonly ModuleRules[], ask: Ask = (module, message) => module.parse(message)) {
    this.#modules = modules;
    this.#ask = ask;
    this.#byIdentifier = Map.groupBy(
      modules.flatMap((rules) => rules.module.identifiers.map((identifier) => ({ identifier, rules }))),
      ({ identifier }) => identifier,
    ).entries().reduce(
      (index, [identifier, all]) => index.set(identifier, all.map(({ rules }) => rules)),
      new Map(),
    );
    const beginnings = modules.map(({ module }) => module.parse.beginning?.source);
    this.#beginning = beginnings.includes(undefined) || beginnings.length < 2
      ? null
      : new RegExp(beginnings.map((source) => `(?:${source})`).join("|"));
    this.#open = modules.filter(({ module }) => module.identifiers.length === 0);
  }

  /** What `entry` says; null when it belongs to none of the modules. Lines of text are read as of `now`. */
  read(entry: Entry, now: Micros): Reading | null {
    return entry.identifier === null ? this.#readLine(entry, now) : this.#readRecord(entry, entry.identifier);
  }

  /** When a line of text was written, as far as it tells itself. */
  timeOf(line: string, now: Micros): Micros | null {
    const { stamp } = this.#takeApart(line);
    return stamp && resolveStamp(stamp, { now, before: null });
  }

  #readRecord({ message, time, pid, sender }: Entry, identifier: string): Reading | null {
    const inUnit = () =>
      this.#open.filter(({ module }) => sender !== null && isOfUnit(sender.unit, module.units));
    const found = this.#first(this.#byIdentifier.get(identifier) ?? inUnit(), message);
    if (found === null) return null;
    const { rules, parsed } = found;
    return { rules, parsed, message, time, pid, trusted: isTrusted({ sender }, rules.module) };
  }

  #readLine({ message: line, time: readAt }: Entry, now: Micros): Reading | null {
    const { found, stamp, pid, message } = this.#takeApart(line);
    const time = (stamp && this.#stamps.resolve(stamp, { now, before: this.#before })) ?? readAt;
    this.#before = time;
    return found && { rules: found.rules, parsed: found.parsed, message, time, pid, trusted: true };
  }

  /** A line that a module understands as it stands is a bare message, whatever it seems to contain. */
  #takeApart(
    line: string,
  ): { found: Found | null; stamp: Stamp | null; pid: number | null; message: string } {
    const bare = this.#bare(line);
    if (bare !== null) {
      return { found: bare, stamp: bare.parsed.stamp ?? null, pid: null, message: line };
    }
    const { stamp, identifier, pid, message } = this.#lines.parse(line);
    const candidates = identifier === "" ? this.#modules : this.#byIdentifier.get(identifier) ?? this.#open;
    const found = this.#first(candidates, message);
    return { found, stamp: found?.parsed?.stamp ?? stamp, pid, message };
  }

  /** The module that understands a line as it stands; most are turned away by how a line of syslog begins. */
  #bare(line: string): { rules: ModuleRules; parsed: Parsed } | null {
    if (this.#beginning?.test(line) === false) return null;
    for (const rules of this.#modules) {
      const { parse } = rules.module;
      if (parse.beginning?.test(line) === false) continue;
      const parsed = this.#ask(rules.module, line);
      if (parsed !== null) return { rules, parsed };
    }
    return null;
  }

  /** The first of `candidates` that understands `message`, or where none does, the first. */
  #first(candidates: readonly ModuleRules[], message: string): Found | null {
    for (const rules of candidates) {
      const parsed = this.#ask(rules.module, message);
      if (parsed !== null) return { rules, parsed };
    }
    return candidates.length > 0 ? { rules: candidates[0]!, parsed: null } : null;
  }
}

/** Whether a message of a module that names an address is to be recorded. */
export function isRecorded(
  { noLog, record }: ModuleRules,
  { message, isHit }: { message: string; isHit: boolean },
): boolean {
  return (isHit || record === "all") && !noLog.some((prefix) => message.startsWith(prefix));
}

/** Whether nobody but root or the service itself can have written an entry, as far as its source can tell. */
export function isTrusted({ sender }: Pick<Entry, "sender">, { units }: Pick<Module, "units">): boolean {
  return sender === null || sender.uid === 0 || isOfUnit(sender.unit, units);
}

function isOfUnit(unit: string, units: readonly string[]): boolean {
  return units.some((name) => unit === name || isInstance(unit, name));
}

/** Whether `unit` is an instance such as `ssh@1-2.service` of the template behind `ssh@.service`. */
function isInstance(unit: string, name: string): boolean {
  const at = name.indexOf("@.");
  return at > 0 && unit.startsWith(name.slice(0, at + 1)) && unit.endsWith(name.slice(at + 1));
}
