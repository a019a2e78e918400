import { decode, endOfDigits, numberOf } from "../core/bytes.ts";
import type { MessageReader } from "./message_reader.ts";

/** Decodes the field `name` of the last message read; null if it has no such field. */
export function fieldText(reader: MessageReader, name: string): string | null {
  const field = reader.fields.indexOf(name);
  return field < 0 ? null : valueOf(reader, field);
}

/** Decodes a field of the last message read; null if the message does not have it. */
export function valueOf(
  reader: Pick<MessageReader, "from" | "to" | "bytesOf">,
  field: number,
): string | null {
  if (reader.from[field]! < 0) return null;
  // Some readers decode a value on demand and set its place only then.
  const bytes = reader.bytesOf(field);
  return decode(bytes, reader.from[field]!, reader.to[field]!);
}

/** Digits of the largest port. */
const MOST_DIGITS = 5;

/**
 * Returns the field `name` of the last message read as a whole number of at most five digits; 0 if
 * it has none.
 */
export function fieldNumber(reader: MessageReader, name: string): number {
  const field = reader.fields.indexOf(name);
  if (field < 0 || reader.from[field]! < 0) return 0;
  const { array } = reader.bytesOf(field);
  const [from, to] = [reader.from[field]!, reader.to[field]!];
  return to - from <= MOST_DIGITS && endOfDigits(array, from) >= to ? numberOf(array, from, to) : 0;
}
