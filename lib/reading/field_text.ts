import { decode } from "../core/bytes.ts";
import type { MessageReader } from "./message_reader.ts";

/** Decodes the value that the message read last has in the field `name`; null where it has no such field. */
export function fieldText(reader: MessageReader, name: string): string | null {
  const field = reader.fields.indexOf(name);
  if (field < 0 || reader.from[field]! < 0) return null;
  // A value that is made when it is asked for has its place only then.
  const bytes = reader.bytesOf(field);
  return decode(bytes, reader.from[field]!, reader.to[field]!);
}
