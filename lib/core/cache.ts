import { detached } from "./text.ts";

/** Results by the key that they are made of. A full cache begins anew. */
export class Cache<K, T> {
  readonly #known = new Map<K, T>();
  readonly #most: number;

  /** @param most results at most */
  constructor(most: number) {
    this.#most = most;
  }

  /** Returns the result for `key`, never undefined; calls `make` if it is not known. */
  of(key: K, make: (key: K) => T): T {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = make(key);
    if (this.#known.size >= this.#most) this.#known.clear();
    this.#known.set(typeof key === "string" ? detached(key) as K : key, made);
    return made;
  }

  clear(): void {
    this.#known.clear();
  }
}
