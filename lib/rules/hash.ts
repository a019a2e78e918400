/** What hashes begin with: nobody can choose texts or addresses whose hashes are one. */
export function seed(): number {
  return crypto.getRandomValues(new Int32Array(1))[0]!;
}

/**
 * One step of a hash: MurmurHash2's factor, and the upper half folded in. It takes 16 bits, as what the highest of 32 change is
 * the same for all seeds.
 */
export function mix(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x5bd1e995);
  return product ^ product >>> 15;
}
