/** The product's way of a line, told in the words of the model. */
import { NOBODYS } from "../../lib/core/address_kind.ts";
import { addressOf } from "../../lib/core/address_text.ts";
import { decode, encode } from "../../lib/core/bytes.ts";
import { ModuleHealth } from "../../lib/reading/health.ts";
import type { MessageForm, MessageReader } from "../../lib/reading/message_reader.ts";
import { LineReader } from "../../lib/reading/line_reader.ts";
import { LINE, NO_PID, type Records } from "../../lib/core/records.ts";
import { type BanHistory, Decider } from "../../lib/deciding/decider.ts";
import { Engine } from "../../lib/rules/engine.ts";
import { Logins } from "../../lib/deciding/logins.ts";
import { Whitelist } from "../../lib/deciding/whitelist.ts";
import type { NewBan } from "../../lib/deciding/ban.ts";
import type { Rule, Trip } from "../../lib/rules/rule.ts";
import { type ModelOptions, NO_MODULE, type Verdict } from "./model.ts";

/** A module as a configuration has it. */
export interface ProductModule {
  readonly name: string;
  readonly identifiers: readonly string[];
  readonly form: MessageForm;
  readonly rules: readonly Rule[];
}

/** Judges lines one after the other, as a replay does. */
export class Product {
  readonly #modules: readonly ProductModule[];
  readonly #now: number;
  readonly #engine: Engine;
  readonly #reader: LineReader;
  readonly #bans = new Map<string, NewBan[]>();
  readonly #decider: Decider;
  #time = 0;

  constructor(modules: readonly ProductModule[], { now, ipv6Prefix }: ModelOptions) {
    this.#modules = modules;
    this.#now = now;
    const engine = this.#engine = new Engine(modules, { ipv6Prefix, isStored: false });
    const readable = modules.map(({ identifiers, form }, index) => ({
      index,
      identifiers,
      units: [],
      reader: alone(form.open(() => engine.automatonOf(index))),
    }));
    const fail = (complaint: string) => {
      throw new Error(complaint);
    };
    this.#reader = new LineReader(readable, new ModuleHealth(modules.map(({ name }) => name), fail));
    const whitelist = new Whitelist();
    for (const kind of Object.keys(NOBODYS)) whitelist.set(kind as keyof typeof NOBODYS, []);
    const of = (address: string) => (this.#bans.get(address) ?? []).filter((ban) => this.#isInForce(ban));
    const history: BanHistory = {
      inForceByAddress: (addresses) => new Map(addresses.map((address) => [address, of(address)])),
      past: (address) =>
        (this.#bans.get(address) ?? []).filter((ban) => !this.#isInForce(ban))
          .map(({ start, until }) => ({ start, ended: until!, endReason: "expired" })),
    };
    this.#decider = new Decider({ whitelist, logins: new Logins(null), networks: [], history });
  }

  judge(line: string): Verdict {
    const now = this.#now;
    if (!this.#reader.read(recordOf(line, now), 0, now)) return NO_MODULE;
    const { event } = this.#reader;
    // The pipeline does so: what is ahead of the clock is of now.
    const time = Math.min(event.time, now);
    const address = event.isUnderstood ? addressOf(event.reader.address) : null;
    const timed = { ...event, time };
    const isHit = address !== null && this.#engine.add(timed);
    const trips = this.#engine.takeTrips();
    return {
      module: this.#modules[event.module]!.name,
      isUnderstood: event.isUnderstood,
      address,
      fields: event.isUnderstood ? fieldsOf(event.reader) : {},
      message: decode(event.bytes, event.from, event.to),
      time,
      pid: event.pid === NO_PID ? null : event.pid,
      hits: isHit ? this.#engine.match(timed) : [],
      trips: trips.map(({ reason, address, count }) => `${reason}: ${address}, ${count} hits`),
      bans: trips.flatMap((trip) => this.#ban(trip)),
    };
  }

  #ban(trip: Trip): string[] {
    this.#time = trip.time;
    return this.#decider.decide([trip]).bans.map((ban) => {
      this.#bans.set(ban.address, [ban, ...this.#bans.get(ban.address) ?? []]);
      const { address, start, until, reason, count } = ban;
      return `${address} from ${start} until ${until ?? Infinity}: ${reason}, ${count}`;
    });
  }

  #isInForce({ until }: NewBan): boolean {
    return until === null || until > this.#time;
  }
}

/** Makes a reader judge each message by itself: the lines around it have tests of their own. */
function alone(reader: MessageReader): MessageReader {
  const read = reader.read.bind(reader);
  reader.read = (bytes, from, to, pid) => read(bytes, from, to, pid, null);
  return reader;
}

/** A line between others, as a source hands it over. */
function recordOf(line: string, now: number): Records {
  const before = "x ssh2\n";
  const { bytes, end } = encode(`${before}${line}\n2 ssh2 [preauth]"`);
  const from = before.length;
  return {
    bytes,
    length: 1,
    from: Int32Array.of(from),
    to: Int32Array.of(end - '\n2 ssh2 [preauth]"'.length),
    origin: Int32Array.of(LINE),
    origins: [],
    times: Float64Array.of(now),
    pids: Int32Array.of(NO_PID),
    written: NaN,
    isLive: false,
  };
}

function fieldsOf(reader: MessageReader): Record<string, string> {
  return Object.fromEntries(reader.fields.flatMap((name, field) => {
    if (name === "message" || reader.from[field]! < 0) return [];
    const bytes = reader.bytesOf(field);
    return [[name, decode(bytes, reader.from[field]!, reader.to[field]!)]];
  }));
}
