import { strict as assert } from "node:assert";
import { encode } from "../../lib/core/bytes.ts";
import { readCsvRow } from "../../lib/reading/csv_row.ts";

function textOf(line: string): string | null {
  const { bytes, end } = encode(`x${line}"`);
  return readCsvRow(bytes, 1, end - 1)?.text ?? null;
}

Deno.test("`readCsvRow()` reads a time and one text, and no text that a stranger may have ended", () => {
  for (
    const [line, text] of [
      ['1773029106250,"a ""b"", c"', 'a "b", c'],
      ['2026-03-09T04:05:06.250Z,"a"', "a"],
      ['2026-03-09 04:05:06,"a"', "a"],
      ["1773029106250,a", "a"],
      ["1773029106250,a,b", null],
      ['1773029106250,a "b"', null],
      ['1773029106250,"a","b"', null],
      ['1773029106250,"a "b""', null],
      ['1773029106250,"a', null],
      ['1773029106250,""', null],
      ['at 1773029106250,"a"', null],
      ['17730291062,"a"', null],
      ["2026-03-09 04:05:06,250 a", null],
      ['20260309 04:05:06,db1,root,"a"', null],
      ['Information,3/9/2026 4:05:06 AM,OpenSSH,4,None,"a ""b"", c"', 'a "b", c'],
      ["Fehler\t09.03.2026 04:05:06\tOpenSSH\t4\tKeine\ta b", "a b"],
      ['Information,3/9/2026 4:05:06 AM,OpenSSH\t4,None,"a"', null],
      ['Information,3/9/2026 4:05:06 AM,OpenSSH,4,None,"a "b""', null],
      ["Information,3/9/2026 4:05:06 AM,OpenSSH,4,None,a,b", null],
      ['"3/9/2026 4:05:06 AM","4","Information","a ""b"""', 'a "b"'],
      // A stranger may have written all behind the first word, or the last column.
      ["login,3/9/2026 4:05:06 AM,OpenSSH,4,None,a", null],
      ['"3/9/2026 4:05:06 AM","login","failed","a"', null],
    ] as const
  ) assert.equal(textOf(line), text, line);
});
