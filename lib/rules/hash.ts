/** Returns a random start for hashes, so that nobody can choose texts or addresses that collide. */
export function seed(): number {
  return crypto.getRandomValues(new Int32Array(1))[0]!;
}

/**
 * Does one step of a hash: MurmurHash2's factor, with the upper half folded in. In a hash table,
 * `word` has 16 bits: a change of the highest bit of 32 has the same effect for all seeds.
 */
export function mix(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x5bd1e995);
  return product ^ product >>> 15;
}

/** Returns a hash of an address's words. All IPv4 addresses share three of them. */
export function hashWords(seed: number, w0: number, w1: number, w2: number, w3: number): number {
  let hash = seed;
  if (w2 !== 0xffff || w1 !== 0 || w0 !== 0) {
    hash = mix(mix(hash, w0 >>> 16), w0 & 0xffff);
    hash = mix(mix(hash, w1 >>> 16), w1 & 0xffff);
    hash = mix(mix(hash, w2 >>> 16), w2 & 0xffff);
  }
  return mix(mix(hash, w3 >>> 16), w3 & 0xffff);
}

/** Returns a hash that nobody can predict without `seed`; never 0. */
export function hashValue(seed: number, array: Uint8Array, from: number, to: number): number {
  let hash = seed;
  for (let i = from; i < to; i++) hash = mix(hash, array[i]!);
  return hash === 0 ? 1 : hash;
}
