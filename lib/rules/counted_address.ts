import type { AddressReader } from "../core/address_reader.ts";
import { clientBits } from "../core/address_kind.ts";
import type { AddressWords } from "../core/note_record.ts";

/**
 * Says what an address is counted as: IPv4 as itself, IPv6 as the network of so many bits that it lies in, or
 * as that of one client where the address tells more of it (`clientBits()`).
 */
export class CountedAddress {
  readonly #prefix: number;
  /** The mask of each length of a prefix. */
  readonly #masks = Array.from(
    { length: 129 },
    (_, bits) => Int32Array.from({ length: 4 }, (_, i) => firstBits(bits - 32 * i)),
  );

  /** @param ipv6Prefix 1 to 128 */
  constructor(ipv6Prefix: number) {
    this.#prefix = ipv6Prefix;
  }

  /** Writes into `words` what the address that was read is counted as. */
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

/** A word whose first `bits` bits are set. */
function firstBits(bits: number): number {
  return bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << 32 - bits;
}
