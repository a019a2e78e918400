/**
 * A plain model of how a line becomes hits, trips and bans: text, anchored regular expressions,
 * loops and arrays. It is slow and meant to be obviously right. The product's way on bytes is held
 * against it.
 */
import type { Rule } from "../../lib/rules/rule.ts";
import { readHead } from "./head_model.ts";
import type { Said, Service } from "./message_model.ts";
import { countedAs, ModelBans, ModelCounters, rulesHit } from "./rules_model.ts";

/** A module as a configuration has it. */
export interface ModelModule {
  readonly name: string;
  /** Programs whose lines are the module's. */
  readonly identifiers: readonly string[];
  readonly read: Service;
  readonly rules: readonly Rule[];
}

/** What a line means, in text that two verdicts can be compared by. */
export interface Verdict {
  /** Null for a line of no module: the rest is empty then. */
  readonly module: string | null;
  readonly isUnderstood: boolean;
  readonly address: string | null;
  readonly fields: Readonly<Record<string, string>>;
  readonly message: string;
  readonly time: number;
  readonly pid: number | null;
  /** Names of the rules that the line hits. */
  readonly hits: readonly string[];
  /** A line for each limit that is passed. */
  readonly trips: readonly string[];
  readonly bans: readonly string[];
}

/** The verdict on a line of no module. */
export const NO_MODULE: Verdict = {
  module: null,
  isUnderstood: false,
  address: null,
  fields: {},
  message: "",
  time: 0,
  pid: null,
  hits: [],
  trips: [],
  bans: [],
};

/** What the model is asked with. */
export interface ModelOptions {
  /** When all lines are read, in microseconds since the epoch. */
  readonly now: number;
  readonly ipv6Prefix: number;
}

/** Judges lines one after the other. */
export class Model {
  readonly #modules: readonly ModelModule[];
  readonly #options: ModelOptions;
  readonly #counters = new ModelCounters();
  readonly #bans = new ModelBans();

  constructor(modules: readonly ModelModule[], options: ModelOptions) {
    this.#modules = modules;
    this.#options = options;
  }

  judge(line: string): Verdict {
    const { now } = this.#options;
    // A line that a module understands as it stands is a bare message, whatever it seems to
    // contain.
    const bare = this.#firstOf(this.#modules, line);
    if (bare?.said) return this.#verdict(bare, { time: null, pid: null, message: line });
    const head = readHead(line, now);
    const named = this.#modules.filter(({ identifiers }) => identifiers.includes(head.program));
    const open = this.#modules.filter(({ identifiers }) => identifiers.length === 0);
    const found = this.#firstOf(
      head.program === "" ? this.#modules : named.length > 0 ? named : open,
      head.message,
    );
    return found === null ? NO_MODULE : this.#verdict(found, head);
  }

  /** The first module that understands a message; the first of all where none does. */
  #firstOf(
    modules: readonly ModelModule[],
    message: string,
  ): { module: ModelModule; said: Said | null } | null {
    for (const module of modules) {
      const said = module.read(message, this.#options.now);
      if (said !== null) return { module, said };
    }
    return modules.length > 0 ? { module: modules[0]!, said: null } : null;
  }

  #verdict(
    { module, said }: { module: ModelModule; said: Said | null },
    { time: headTime, pid, message }: { time: number | null; pid: number | null; message: string },
  ): Verdict {
    const { now, ipv6Prefix } = this.#options;
    // A message's own time beats the head's, unless it has no zone. Lines that tell none, or one
    // ahead of the clock, are of now.
    const isOwn = said?.time !== undefined && (!said.isZoneless || headTime === null);
    const told = isOwn ? said.time! : headTime;
    const time = told === null || told > now ? now : told;
    const address = said?.address ?? null;
    const fields = Object.fromEntries(
      // A half of a character is none in UTF-8.
      Object.entries(said?.fields ?? {}).map(([name, text]) => [name, text.toWellFormed()]),
    );
    const event = { address: address ?? "", message, fields, time };
    const verdict = { module: module.name, isUnderstood: said !== null, address, fields, message, time, pid };
    if (address === null) return { ...verdict, hits: [], trips: [], bans: [] };
    const trips = this.#counters.add(event, module.rules, countedAs(address, ipv6Prefix));
    const reasonOf = (rule: Rule) => `[${module.name}] ${rule.name}`;
    return {
      ...verdict,
      hits: rulesHit(event, module.rules).map(({ name }) => name),
      trips: trips.map(({ rule, address, count }) => `${reasonOf(rule)}: ${address}, ${count} hits`),
      bans: trips.flatMap((trip) => {
        const ban = this.#bans.add(trip, reasonOf(trip.rule));
        return ban ? [`${ban.address} from ${ban.start} until ${ban.until}: ${ban.reason}`] : [];
      }),
    };
  }
}
