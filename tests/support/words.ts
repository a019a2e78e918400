import { putAddress } from "../../lib/core/address.ts";
import type { AddressWords } from "../../lib/core/note_record.ts";

/** Returns a canonical address or network in the form that counters use. */
export function wordsOf(address: string): AddressWords {
  const words = new Int32Array(4);
  const prefix = putAddress(address, words);
  return { w0: words[0]!, w1: words[1]!, w2: words[2]!, w3: words[3]!, prefix };
}
