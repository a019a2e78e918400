/**
 * Counts an hour or a day: lines by module, hits by rule, and the most frequent addresses,
 * networks, names and paths of lines that hit. In: events of that time. Out: plain data, which can
 * be summed.
 */
import { addressText } from "../core/address_text.ts";
import { decode } from "../core/bytes.ts";
import { putAddress } from "../core/address.ts";
import type { LogEvent } from "../reading/event.ts";
import type { MessageReader } from "../reading/message_reader.ts";
import { HeavyHitters } from "./heavy_hitters.ts";

/** Keys by which lines that hit are counted. */
const KEYED = ["address", "network", "user", "path"] as const;
/** Counts by name, most first. */
export type Counted = readonly (readonly [name: string, count: number])[];

/** Sums the counts of all names. */
export function totalCount(counts: Counted): number {
  return counts.reduce((total, [, count]) => total + count, 0);
}

/** Stored counts. `lines` and `hits` are by module; `hits` counts lines that hit any rule. */
export type RollupContent = Readonly<Record<typeof KEYED[number] | "rule" | "lines" | "hits", Counted>>;

/** Most names of each kind. */
const MOST = 100;
/** Bytes by which user names and paths are told apart. */
const TEXT = 96;
/** Bytes of counted networks: /24 and /48. */
const [NETWORK_IPV4, NETWORK_IPV6] = [3, 6];

/** Counts of one hour, while its lines come. */
export class Rollup {
  readonly #modules: readonly string[];
  readonly #lines: Float64Array;
  readonly #hits: Float64Array;
  readonly #rules = new Map<string, number>();
  readonly #hitters = {
    address: new HeavyHitters(16),
    network: new HeavyHitters(NETWORK_IPV6),
    user: new HeavyHitters(TEXT),
    path: new HeavyHitters(TEXT),
  };
  /** Counts of modules that are no longer configured. */
  #others: Pick<RollupContent, "lines" | "hits"> = { lines: [], hits: [] };
  readonly #key = new Uint8Array(16);
  readonly #view = new DataView(this.#key.buffer);
  /** Fields by module; -1: it has none. */
  readonly #fields: { user: number; path: number }[] = [];

  /** @param modules names by index */
  constructor(modules: readonly string[]) {
    this.#modules = modules;
    this.#lines = new Float64Array(modules.length);
    this.#hits = new Float64Array(modules.length);
  }

  /** Counts a line with an address. */
  add(event: LogEvent, isHit: boolean): void {
    const { module, count, reader } = event;
    this.#lines[module]! += count;
    if (!isHit) return;
    this.#hits[module]! += count;
    this.#addAddress(reader, count);
    const { user, path } = this.#fields[module] ??= {
      user: reader.fields.indexOf("user"),
      path: reader.fields.indexOf("path"),
    };
    if (user >= 0 && reader.from[user]! >= 0) this.#addField("user", reader, user, count);
    if (path >= 0 && reader.from[path]! >= 0) this.#addField("path", reader, path, count);
  }

  /** Counts hits of a rule, named behind its module. */
  addHits(rule: string, count: number): void {
    this.#rules.set(rule, (this.#rules.get(rule) ?? 0) + count);
  }

  #addAddress({ address: { w0, w1, w2, w3 } }: MessageReader, count: number): void {
    const { address, network } = this.#hitters;
    const isIPv4 = w0 === 0 && w1 === 0 && w2 === 0xffff;
    const view = this.#view;
    view.setInt32(0, isIPv4 ? w3 : w0);
    if (!isIPv4) {
      view.setInt32(4, w1);
      view.setInt32(8, w2);
      view.setInt32(12, w3);
    }
    address.add(this.#key, 0, isIPv4 ? 4 : 16, count);
    network.add(this.#key, 0, isIPv4 ? NETWORK_IPV4 : NETWORK_IPV6, count);
  }

  #addField(kind: "user" | "path", reader: MessageReader, field: number, count: number): void {
    const { array } = reader.bytesOf(field);
    this.#hitters[kind].add(array, reader.from[field]!, reader.to[field]!, count);
  }

  /** Returns the counts so far. */
  content(): RollupContent {
    const { address, network, user, path } = this.#hitters;
    const named = (counts: Float64Array): Counted =>
      this.#modules.flatMap((name, i) => counts[i]! > 0 ? [[name, counts[i]!] as const] : []);
    const list = (hitters: HeavyHitters, text: (key: Uint8Array) => string): Counted =>
      hitters.top(MOST).map(({ key, count }) => [text(key), count] as const);
    return {
      lines: [...named(this.#lines), ...this.#others.lines],
      hits: [...named(this.#hits), ...this.#others.hits],
      rule: [...this.#rules],
      address: list(address, textOfKey),
      network: list(network, textOfKey),
      user: list(user, textOf),
      path: list(path, textOf),
    };
  }

  /** Adds stored counts to an empty rollup. */
  resume(content: RollupContent): void {
    for (const [name, count] of content.rule) this.addHits(name, count);
    const others = { lines: [] as [string, number][], hits: [] as [string, number][] };
    for (const kind of ["lines", "hits"] as const) {
      for (const [name, count] of content[kind]) {
        const module = this.#modules.indexOf(name);
        if (module < 0) others[kind].push([name, count]);
        else (kind === "lines" ? this.#lines : this.#hits)[module]! += count;
      }
    }
    this.#others = others;
    for (const kind of KEYED) {
      const isText = kind === "user" || kind === "path";
      for (const [name, count] of content[kind]) {
        const key = isText ? new TextEncoder().encode(name) : keyOf(name);
        this.#hitters[kind].add(key, 0, key.length, count);
      }
    }
  }
}

/** Adds up counts of several times, and keeps the highest ones. */
export function sumOf(contents: Iterable<RollupContent>, most = MOST): RollupContent {
  const sums = new Map<keyof RollupContent, Map<string, number>>();
  for (const content of contents) {
    for (const [kind, counted] of Object.entries(content) as [keyof RollupContent, Counted][]) {
      const sum = sums.get(kind) ?? new Map<string, number>();
      sums.set(kind, sum);
      for (const [name, count] of counted) sum.set(name, (sum.get(name) ?? 0) + count);
    }
  }
  const sorted = (kind: keyof RollupContent, most = Infinity): Counted =>
    mostCounted([...sums.get(kind) ?? []], most);
  return {
    lines: sorted("lines"),
    hits: sorted("hits"),
    rule: sorted("rule"),
    address: sorted("address", most),
    network: sorted("network", most),
    user: sorted("user", most),
    path: sorted("path", most),
  };
}

/** Returns the `most` highest counts, in order. Most names came once, and are not sorted. */
function mostCounted(counted: Counted, most: number): Counted {
  const counts = Float64Array.from(counted, ([, count]) => count).sort();
  const least = counts[counts.length - most] ?? 0;
  const enough = counted.filter(([, count]) => count > least);
  const equal = counted.filter(([, count]) => count === least).slice(0, 4 * most);
  const all = [...enough, ...equal].sort(([a, times], [b, others]) => others - times || (a < b ? -1 : 1));
  return all.slice(0, most);
}

function textOf(key: Uint8Array): string {
  return decode({ array: key }, 0, key.length);
}

/** Returns the address or network with the bits of a key. */
function textOfKey(key: Uint8Array): string {
  const isIPv4 = key.length <= 4;
  const bytes = new Uint8Array(16);
  if (isIPv4) bytes.set([0xff, 0xff], 10);
  bytes.set(key, isIPv4 ? 12 : 0);
  const view = new DataView(bytes.buffer);
  const words = [0, 4, 8, 12].map((at) => view.getInt32(at));
  return addressText(words, 0, (isIPv4 ? 96 : 0) + 8 * key.length);
}

/** Returns the bits of a canonical address or network as `textOfKey()` reads them. */
function keyOf(name: string): Uint8Array {
  const words = new Int32Array(4);
  const prefix = putAddress(name, words);
  const view = new DataView(new ArrayBuffer(16));
  words.forEach((word, i) => view.setInt32(4 * i, word));
  const from = name.includes(":") ? 0 : 12;
  return new Uint8Array(view.buffer).slice(from, prefix >> 3);
}
