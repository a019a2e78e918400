import { MAX_LINE } from "../types.ts";

/**
 * The lines of a stream of UTF-8, as many at a time as one chunk completes, without their line ends. Invalid bytes
 * become U+FFFD, and a line is cut to `MAX_LINE` characters, so that memory stays bounded whatever comes.
 */
export async function* textLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let carry = "";
  for await (const bytes of stream) {
    const lines = (carry + decoder.decode(bytes, { stream: true })).split("\n");
    carry = lines.pop()!.slice(0, MAX_LINE + 1);
    if (lines.length > 0) yield lines.map(clean);
  }
  carry += decoder.decode();
  if (carry !== "") yield [clean(carry)];
}

function clean(line: string): string {
  return (line.endsWith("\r") ? line.slice(0, -1) : line).slice(0, MAX_LINE);
}
