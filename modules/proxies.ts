import { COLON, COMMA, LEFT_BRACKET, RIGHT_BRACKET } from "../lib/core/ascii.ts";
import { AddressReader } from "../lib/core/address_reader.ts";
import { type Bytes, isBlank, isDigit } from "../lib/core/bytes.ts";
import { ADDRESS_WORDS, maskOf, putAddress } from "../lib/core/address.ts";
import type { NameClient, ReadMessage } from "../lib/reading/text_reader.ts";

/**
 * Returns a function that names the client behind a trusted proxy: the last address in the field
 * `forwarded_for` that is not a trusted proxy itself (X-Forwarded-For: each proxy appends the
 * address that connected to it). Without the field the proxy stays named; a field that cannot be
 * read names nobody. Undefined: the messages name no client so.
 *
 * @param fields of the messages
 * @param trusted canonical addresses and networks of proxies; null: not known
 */
export function clientNamer(
  fields: readonly string[],
  trusted: readonly string[] | null,
): NameClient | undefined {
  const field = fields.indexOf("forwarded_for");
  if (trusted === null || trusted.length === 0 || field < 0) return undefined;
  const proxies = new Proxies(trusted);
  return (message) => proxies.nameClient(message, field);
}

/** Networks of proxies. A configuration lists a few, so they are compared one by one. */
class Proxies {
  /** Four words of each network, and as many masks. */
  readonly #networks: readonly { readonly words: Int32Array; readonly masks: Int32Array }[];
  /** The address that connected to the service. */
  readonly #connected = new AddressReader();

  constructor(trusted: readonly string[]) {
    this.#networks = trusted.map((network) => {
      const words = new Int32Array(ADDRESS_WORDS);
      const prefix = putAddress(network, words);
      return { words, masks: words.map((_, i) => maskOf(prefix - 32 * i)) };
    });
  }

  /** Goes from the last hop to the first that is no trusted proxy; if all are, nothing changes. */
  nameClient(message: ReadMessage, field: number): void {
    const { address } = message;
    if (!address.isAddress || message.from[field]! < 0 || !this.#has(address)) return;
    this.#connected.copy(address);
    const bytes = message.bytesOf(field);
    const first = message.from[field]!;
    for (let to = message.to[field]!; to >= first;) {
      let from = to;
      while (from > first && bytes.array[from - 1] !== COMMA) from--;
      if (!readHop(address, bytes, from, to) || !this.#has(address)) return;
      to = from - 1;
    }
    address.copy(this.#connected);
  }

  #has({ w0, w1, w2, w3 }: AddressReader): boolean {
    for (const { words, masks } of this.#networks) {
      const difference = (w0 ^ words[0]!) & masks[0]! | (w1 ^ words[1]!) & masks[1]! |
        (w2 ^ words[2]!) & masks[2]! | (w3 ^ words[3]!) & masks[3]!;
      if (difference === 0) return true;
    }
    return false;
  }
}

/** Reads a hop's address, perhaps between blanks: `192.0.2.1:443` or `[2001:db8::1]:443`. */
function readHop(address: AddressReader, bytes: Bytes, from: number, to: number): boolean {
  const { array } = bytes;
  while (from < to && isBlank(array[from]!)) from++;
  while (from < to && isBlank(array[to - 1]!)) to--;
  const end = startOfPort(array, from, to);
  if (array[from] === LEFT_BRACKET && array[end - 1] === RIGHT_BRACKET && end > from + 1) {
    return address.readWhole(bytes, from + 1, end - 1);
  }
  // Without brackets, a colon separates only an IPv4 address from a port.
  const isIPv4 = end < to && array.subarray(from, end).indexOf(COLON) < 0;
  return address.readWhole(bytes, from, isIPv4 ? end : to);
}

/** Returns the place of a colon and digits at the end of a text; `to` if there are none. */
function startOfPort(array: Uint8Array, from: number, to: number): number {
  let at = to;
  while (at > from && isDigit(array[at - 1]!)) at--;
  return at < to && at > from && array[at - 1] === COLON ? at - 1 : to;
}
