import type { AddressReader } from "../core/address_reader.ts";
import { clientBits } from "../core/address_kind.ts";
import { maskOf } from "../core/address.ts";
import type { AddressWords } from "../core/note_record.ts";

/**
 * Finds the counted address: IPv4 itself, or the network of IPv6 with the configured prefix, or the
 * network of one client where the address shows it (`clientBits()`).
 */
export class CountedAddress {
  readonly #prefix: number;
  /** Masks by prefix length. */
  readonly #masks = Array.from(
    { length: 129 },
    (_, bits) => Int32Array.from({ length: 4 }, (_, i) => maskOf(bits - 32 * i)),
  );

  /** @param ipv6Prefix 1 to 128 */
  constructor(ipv6Prefix: number) {
    this.#prefix = ipv6Prefix;
  }

  /** Writes the counted address of the address just read into `words`. */
  put(address: AddressReader, words: { -readonly [key in keyof AddressWords]: number }): void {
    if (!address.isIPv6) {
      words.w0 = words.w1 = 0;
      words.w2 = 0xffff;
      words.w3 = address.w3;
      words.prefix = 128;
      return;
    }
    const prefix = clientBits(address.w0) || this.#prefix;
    const mask = this.#masks[prefix]!;
    words.w0 = address.w0 & mask[0]!;
    words.w1 = address.w1 & mask[1]!;
    words.w2 = address.w2 & mask[2]!;
    words.w3 = address.w3 & mask[3]!;
    words.prefix = prefix;
  }
}
