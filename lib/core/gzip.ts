/** Bytes of a chunk, eight times as many as by default: a thread makes each. */
const CHUNK = 1 << 17;

/**
 * Yields the original bytes of gzip data, of all its members (RFC 1952, section 2.2), where
 * `DecompressionStream` refuses all but one. Throws Node.js's and the input's errors.
 */
export async function* gunzip(packed: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // Few commands read gzip: load it only then.
  const [{ createGunzip }, { pipeline, Readable }] = await Promise.all([
    import("node:zlib"),
    import("node:stream"),
  ]);
  // Whoever reads the end of the pipeline gets its error.
  yield* pipeline(Readable.from(packed), createGunzip({ chunkSize: CHUNK }), () => {});
}
