import { MAX_LINE } from "../core/entry.ts";

/**
 * The lines of chunks of UTF-8, as many at a time as one chunk completes, without their line ends. Invalid bytes
 * become U+FFFD, and a line is cut to `MAX_LINE` characters, so that memory stays bounded whatever comes.
 */
export async function* textLines(
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let carry = "";
  for await (const bytes of stream) {
    const lines = (carry + decoder.decode(bytes, { stream: true })).split("\n");
    carry = lines.pop()!.slice(0, MAX_LINE + 1);
    if (lines.length > 0) yield cleaned(lines);
  }
  carry += decoder.decode();
  if (carry !== "") yield cleaned([carry]);
}

/** The same lines without carriage returns and what is too long. */
function cleaned(lines: string[]): string[] {
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (line.charCodeAt(line.length - 1) === RETURN) lines[i] = line.slice(0, -1).slice(0, MAX_LINE);
    else if (line.length > MAX_LINE) lines[i] = line.slice(0, MAX_LINE);
  }
  return lines;
}

const RETURN = 13;
