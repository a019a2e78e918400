/**
 * Judges recorded lines again: the rules that each line hits, and how many hits counted at that
 * time. Input: lines of one address or network, and the stored notes.
 */
import { encode } from "../../core/bytes.ts";
import { textOfWords } from "../../core/address.ts";
import { NO_PID } from "../../core/records.ts";
import type { Micros } from "../../core/time.ts";
import type { Config } from "../../config/types.ts";
import type { Logins } from "../../deciding/logins.ts";
import type { LogEvent } from "../../reading/event.ts";
import { fieldText } from "../../reading/field_text.ts";
import type { MessageReader } from "../../reading/message_reader.ts";
import { Engine, type RuleCount } from "../../rules/engine.ts";
import type { FoundLine } from "../../state/line_search.ts";
import type { NoteLimits, NoteTable } from "../../state/note_table.ts";

/** Room for all notes of a network that the state returns, so that none is evicted. */
const ROOM = { addresses: 1 << 18, bytes: 20 };
/** Most counts of a network. */
const MOST_NEAR = 10;

/** Number of hits that counted for an address by a rule, and the rule's limit. */
export interface Count {
  readonly address: string;
  readonly module: string;
  readonly rule: string;
  readonly count: number;
  readonly limit: number;
  /** Null: the window has no end. */
  readonly window: Micros | null;
}

/** Counts of an address or network. */
export interface NearCounts {
  /** The ten nearest to a limit, nearest first. */
  readonly counts: readonly Count[];
  /** Whether all stored notes were counted, not only the newest ones. */
  readonly isComplete: boolean;
}

/** A line with the counts of the rules that it hit, including this hit. */
export interface JudgedLine extends FoundLine {
  readonly hits: readonly Count[];
}

/** Judges recorded lines and stored notes by the rules. */
export class Evidence {
  readonly #config: Config;
  readonly #logins: Logins;

  /** @param logins raise the limits of their addresses */
  constructor(config: Config, logins: Logins) {
    this.#config = config;
    this.#logins = logins;
  }

  /** Adds to each line the rules that it hit. Lines are newest first, here and in the result. */
  judge(lines: readonly FoundLine[]): JudgedLine[] {
    const engine = this.#engine();
    const modules = this.#readersOf(engine);
    return lines.toReversed().map((line) => {
      const module = modules.get(line.module);
      return { ...line, hits: module === undefined ? [] : this.#hitsOf(line, { engine, ...module }) };
    }).reverse();
  }

  /** Returns a function that reads the user whom a line names; null: none. */
  userReader(): (line: Pick<FoundLine, "module" | "message">) => string | null {
    const modules = this.#readersOf(this.#engine());
    return ({ module, message }) => {
      const reader = modules.get(module)?.reader;
      const { bytes, end } = encode(message);
      return reader?.read(bytes, 0, end) ? fieldText(reader, "user") : null;
    };
  }

  /** Returns the readers of messages by the names of their modules. */
  #readersOf(engine: Engine): Map<string, { readonly index: number; readonly reader: MessageReader }> {
    return new Map(this.#config.modules.map(({ module }, index) => {
      const reader = module.form.open(() => engine.automatonOf(index));
      return [module.name, { index, reader }];
    }));
  }

  #hitsOf(
    { message, time }: FoundLine,
    { engine, index, reader }: { engine: Engine; index: number; reader: MessageReader },
  ): Count[] {
    const { bytes, end } = encode(message);
    if (!reader.read(bytes, 0, end) || !reader.address.isAddress) return [];
    const event: LogEvent = {
      module: index,
      reader,
      bytes,
      time,
      from: 0,
      to: end,
      isUnderstood: true,
      isAhead: false,
      pid: NO_PID,
      count: 1,
      isTrusted: true,
    };
    const names = engine.match(event);
    const address = engine.countedAddressOf(event);
    engine.add(event);
    // A trip sets the count back to 0.
    const trips = new Map(engine.takeTrips().map(({ rule, count }) => [rule, count]));
    const { module, rules } = this.#config.modules[index]!;
    const counts = engine.countsAt(address, time).filter((count) => count.module === module.name);
    return rules.filter(({ name }) => names.includes(name)).map((rule) => {
      const count = trips.get(rule.name) ?? counts.find((count) => count.rule.name === rule.name)?.count ?? 0;
      return this.#count({ module: module.name, rule, count }, { address, time });
    });
  }

  /** Returns the counts of an address or of a network's addresses at the time of `limits`. */
  near(target: string, notes: NoteTable, limits: NoteLimits): NearCounts {
    const { content, isComplete } = notes.contentsOf(target, limits);
    const { time } = limits;
    const engine = this.#engine();
    engine.restore({ seed: notes.seed, groups: () => notes.groups(), contents: () => [content] });
    const counts: Count[] = [];
    let least = 0;
    engine.eachCountAt(time, (words, found) => {
      // Lenience only raises limits: few counts of a large network get as far as their text.
      if (nearness({ ...found, limit: found.rule.limit }) <= least) return;
      counts.push(this.#count(found, { address: textOfWords(words), time }));
      counts.sort((a, b) => nearness(b) - nearness(a)).splice(MOST_NEAR);
      if (counts.length === MOST_NEAR) least = nearness(counts.at(-1)!);
    });
    return { counts, isComplete };
  }

  #count({ module, rule, count }: RuleCount, { address, time }: { address: string; time: Micros }): Count {
    const limit = rule.limit * this.#logins.lenience(address, time);
    return { address, module, rule: rule.name, count, limit, window: rule.window };
  }

  #engine(): Engine {
    const modules = this.#config.modules.map(({ module: { name, form }, rules }) => ({ name, form, rules }));
    return new Engine(modules, {
      ipv6Prefix: this.#config.ipv6Prefix,
      lenience: (address, time) => this.#logins.lenience(address, time),
      isStored: false,
      room: ROOM,
    });
  }
}

/** Returns how near a count is to passing its limit: at 1 it has passed it. */
function nearness({ count, limit }: Pick<Count, "count" | "limit">): number {
  return count / (limit + 1);
}
