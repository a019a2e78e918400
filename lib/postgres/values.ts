/** Values for PostgreSQL: arrays as text, and instants in SQL. */

/** Returns a PostgreSQL array as text, with U+FFFD for NUL and lone surrogates (not storable). */
export function arrayOf(values: readonly (string | number | null)[]): string {
  const items = values.map((value) => value === null ? "NULL" : `"${storable(String(value))}"`);
  return `{${items.join(",")}}`;
}

/** Returns SQL for the exact timestamp of these microseconds; to_timestamp() rounds. */
export function instant(micros: string): string {
  return `timestamptz 'epoch' + ${micros} * interval '1 microsecond'`;
}

/**
 * Returns SQL for the microseconds since the epoch of a timestamp in SQL. A time before 1970 or
 * after 2254, `infinity` too, becomes the nearest one that a number holds exactly: anybody with
 * rights on a row may have written it.
 */
export function micros(instant: string): string {
  const bounded = `greatest('1970-01-01 00:00Z', least('2255-01-01 00:00Z', ${instant}))`;
  return `(extract(epoch FROM CASE WHEN ${instant} IS NOT NULL THEN ${bounded} END) * 1000000)::bigint`;
}

function storable(text: string): string {
  return text.toWellFormed().replace(/[\0"\\]/g, (c) => c === "\0" ? "\ufffd" : `\\${c}`);
}
