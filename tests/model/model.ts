/**
 * A plain model of how a line becomes hits, trips and bans: text, anchored regular expressions,
 * loops and arrays. It is slow and meant to be obviously right. The product's way on bytes is held
 * against it.
 */
import type { Rule } from "../../lib/rules/rule.ts";
import { type HeadedLine, headParts } from "./head_model.ts";
import type { Said, Service } from "./message_model.ts";
import {
  countedAs,
  hasUser,
  isLenientWith,
  limitFor,
  ModelBans,
  ModelCounters,
  rulesHit,
} from "./rules_model.ts";

/** A module as a configuration has it. */
export interface ModelModule {
  readonly name: string;
  /** Programs whose lines are the module's. */
  readonly identifiers: readonly string[];
  /** Whether no message of it is JSON. */
  readonly isTextual: boolean;
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

/** Whether something was less than ten minutes ago, or is to come. */
function isLately(then: number | undefined, time: number): boolean {
  return then !== undefined && Math.abs(time - then) < 600_000_000;
}

/** What the model is asked with. */
export interface ModelOptions {
  /** When all lines are read, in microseconds since the epoch. */
  readonly now: number;
  readonly ipv6Prefix: number;
}

type Head = Omit<HeadedLine, "program" | "isObject">;

/** Judges lines one after the other. */
export class Model {
  readonly #modules: readonly ModelModule[];
  readonly #options: ModelOptions;
  readonly #counters = new ModelCounters();
  readonly #bans = new ModelBans();
  /** When the last try began whose messages count once, by rule and address. */
  readonly #tries = new Map<string, number>();
  /** When a user was served last, by address. */
  readonly #users = new Map<string, number>();
  /** When an address was asked to log in last, and when its form was accepted last, by address and path. */
  readonly #asked = new Map<string, number>();
  readonly #forms = new Map<string, number>();

  constructor(modules: readonly ModelModule[], options: ModelOptions) {
    this.#modules = modules;
    this.#options = options;
  }

  judge(line: string): Verdict {
    // A line that a module understands as it stands is a bare message, whatever it seems to
    // contain; and so is what is left behind each part of its head.
    const bare = { time: null, pid: null, count: 1, message: line };
    let modules = this.#modules;
    let found = this.#firstOf(modules, line);
    if (found?.said) return this.#verdict(found, bare);
    let head = bare as Head;
    let isAnyones = true;
    const isKnown = (program: string) =>
      this.#modules.some(({ identifiers }) => identifiers.includes(program));
    for (const part of headParts(line, { now: this.#options.now, isKnown })) {
      head = part;
      if (part.program !== null) {
        modules = isAnyones
          ? this.#modulesOf(part.program)
          : modules.filter(({ identifiers }) =>
            part.program === "" || identifiers.length === 0 || identifiers.includes(part.program!)
          );
        isAnyones &&= part.program === "kernel";
        if (modules.length === 0 && !isAnyones) return NO_MODULE;
      }
      if (part.isObject) modules = modules.filter(({ isTextual }) => isTextual);
      found = this.#firstOf(modules, part.message, part.pid);
      if (found?.said) return this.#verdict(found, part);
    }
    if (modules.length === 0) return NO_MODULE;
    // What is left of a line that nobody understands has no blanks at its ends.
    return this.#verdict({ module: modules[0]!, said: null }, {
      ...head,
      message: head.message.trim(),
      count: 1,
    });
  }

  #modulesOf(program: string): readonly ModelModule[] {
    if (program === "") return this.#modules;
    const ofName = (name: string) => this.#modules.filter(({ identifiers }) => identifiers.includes(name));
    const named =
      [program, program.replace(/^\/.*\/|^in\.|@.*$/g, "")].map(ofName).find(({ length }) => length > 0) ??
        [];
    return named.length > 0 ? named : this.#modules.filter(({ identifiers }) => identifiers.length === 0);
  }

  /** Notes whom a service serves, asks to log in, or has served before. */
  #noteAnswer(counted: string, fields: Readonly<Record<string, string>>, time: number): void {
    const { status = "", method = "", path = "" } = fields;
    const named = hasUser({ fields });
    const request = path === "" ? null : `${counted} ${path}`;
    const isForm = method !== "" && !/^[GHO]/.test(method);
    const isQuestion = method.startsWith("O");
    if (/^[23]\d\d$/.test(status)) {
      const demands = isForm ? [`page ${request}`, `form ${request}`] : [`page ${request}`];
      const isServed = /^2/.test(status) && request !== null && !isQuestion;
      const isAnswer = isServed && demands.some((demand) => isLately(this.#asked.get(demand), time));
      if (named || isAnswer) this.#users.set(counted, time);
      else if (isServed && isForm) this.#forms.set(request, time);
    } else if (named && /^4(?:04|10)$/.test(status)) this.#users.set(counted, time);
    else if (/^40[13]$/.test(status) && request !== null && !isQuestion && !(named && status === "401")) {
      if (isForm && isLately(this.#forms.get(request), time)) this.#users.set(counted, time);
      if (status === "401") this.#asked.set(`${isForm ? "form" : "page"} ${request}`, time);
    }
  }

  /** Whether a message comes within ten seconds of the one that began the last try. */
  #isOfLastTry(key: string, time: number): boolean {
    const begun = this.#tries.get(key);
    if (begun !== undefined && Math.abs(time - begun) < 10_000_000) return true;
    this.#tries.set(key, time);
    return false;
  }

  /** The first module that understands a message; the first of all where none does. */
  #firstOf(
    modules: readonly ModelModule[],
    message: string,
    pid: number | null = null,
  ): { module: ModelModule; said: Said | null } | null {
    for (const module of modules) {
      const said = module.read(message, this.#options.now, pid);
      if (said !== null) return { module, said };
    }
    return modules.length > 0 ? { module: modules[0]!, said: null } : null;
  }

  #verdict(
    { module, said }: { module: ModelModule; said: Said | null },
    { time: headTime, pid, count, message }: Head,
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
    const counted = countedAs(address ?? "", ipv6Prefix);
    if (address !== null) this.#noteAnswer(counted, fields, time);
    const isOfUser = isLately(this.#users.get(counted), time);
    const event = { address: address ?? "", message: said?.meant ?? message, fields, time, isOfUser };
    const verdict = { module: module.name, isUnderstood: said !== null, address, fields, message, time, pid };
    if (address === null) return { ...verdict, hits: [], trips: [], bans: [] };
    const hits = rulesHit(event, module.rules);
    const reasonOf = (rule: Rule) => `[${module.name}] ${rule.name}`;
    // A message that was written many times counts often enough to pass the limit.
    const times = hits.map((rule) => {
      const isAgain = said!.counting === 1 && this.#isOfLastTry(`${reasonOf(rule)} ${counted}`, time);
      return said!.counting === 2 || isAgain ? 0 : Math.min(count, limitFor(rule, isLenientWith(event)) + 1);
    });
    const trips = Array.from(
      { length: Math.max(0, ...times) },
      (_, n) => this.#counters.add(event, hits.filter((_, i) => times[i]! > n), counted),
    ).flat();
    return {
      ...verdict,
      hits: hits.map(({ name }) => name),
      trips: trips.map(({ rule, address, count }) => `${reasonOf(rule)}: ${address}, ${count} hits`),
      bans: trips.flatMap((trip) => {
        const ban = this.#bans.add(trip, reasonOf(trip.rule));
        return ban ? [`${ban.address} from ${ban.start} until ${ban.until}: ${ban.reason}`] : [];
      }),
    };
  }
}
