/** Makes numbers below a limit, the same ones for the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * limit);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  times<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make);
  }

  /** Returns `text` with up to three bytes or runs of bytes changed, lost, added or taken from `other`. */
  damage(text: string, other: string): string {
    let bytes: Uint8Array = new TextEncoder().encode(text);
    for (let n = 1 + this.below(3); n > 0 && bytes.length > 0; n--) bytes = this.#mutate(bytes, other);
    return new TextDecoder().decode(bytes);
  }

  #mutate(bytes: Uint8Array, other: string): Uint8Array {
    const at = this.below(bytes.length + 1);
    const others = new TextEncoder().encode(other);
    const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
    return this.pick([
      () => bytes.with(Math.min(at, bytes.length - 1), this.below(256)),
      () => Uint8Array.of(...head, ...tail.subarray(1 + this.below(8))),
      () => Uint8Array.of(...head, ...this.times(1 + this.below(4), () => this.below(256)), ...tail),
      () => Uint8Array.of(...head, ...others.subarray(this.below(others.length))),
      () => bytes.slice(0, Math.max(1, at)),
    ])();
  }
}

/** Number of lines that a test makes: 50,000, or `STRONGMONITOR_FUZZ` for a long run. */
export const FUZZ_LINES = Number(Deno.env.get("STRONGMONITOR_FUZZ") ?? 50_000);

/** Returns the expressions that V8 does not match in linear time. */
export async function notLinear(expressions: readonly RegExp[]): Promise<string[]> {
  const program = `const wrong = [];
    for (const [source, flags] of JSON.parse(Deno.args[0])) {
      try { new RegExp(source, flags + "l"); } catch { wrong.push(source); }
    }
    console.log(JSON.stringify(wrong));`;
  const file = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await Deno.writeTextFile(file, program);
    const sources = JSON.stringify(expressions.map(({ source, flags }) => [source, flags]));
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--v8-flags=--enable-experimental-regexp-engine", file, sources],
    }).output();
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(file);
  }
}
