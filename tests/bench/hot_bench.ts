/** What the hot functions take by themselves: `deno task bench:micro`. */
import { LineParser, parseLine } from "../../lib/lines.ts";
import { Counters } from "../../lib/rules/counters.ts";
import { Matcher } from "../../lib/rules/matcher.ts";
import { ExportParser } from "../../lib/sources/journal/export.ts";
import { LineSplitter } from "../../lib/sources/files/lines.ts";
import { nginx } from "../../modules/nginx.ts";
import { parseSshd } from "../../modules/sshd.ts";
import { condition, rule } from "../support/helpers.ts";
import { exportedAuthLog, writeAccessLog, writeAuthLog } from "./corpus.ts";

const SIZE = { lines: 10_000, seed: 1 };

/** The lines that `write` makes. */
function linesOf(
  write: (options: { lines: number; seed: number; write: (text: string) => void }) => unknown,
): string[] {
  const pieces: string[] = [];
  write({ ...SIZE, write: (text) => void pieces.push(text) });
  return pieces.join("").trimEnd().split("\n");
}

const AUTH = linesOf(writeAuthLog);
const ACCESS = linesOf(writeAccessLog);
const EXPORTED = [...exportedAuthLog(SIZE)].flatMap((bytes) =>
  Array.from(
    { length: Math.ceil(bytes.length / 65_536) },
    (_, n) => bytes.slice(n * 65_536, (n + 1) * 65_536),
  )
);
const BYTES = new TextEncoder().encode(AUTH.join("\n"));
const MESSAGES = AUTH.map((line) => parseLine(line).message);
const EVENTS = MESSAGES.map((message) => ({ message, fields: parseSshd(message)?.fields ?? {} }));
const ADDRESSES = MESSAGES.flatMap((message) => parseSshd(message)?.address ?? []);
const readNginx = nginx.parser({ logFormats: [], trustedProxies: [], patterns: [], unsafe: false });

const textRules = (count: number) =>
  Array.from(
    { length: count },
    (_, n) =>
      rule({ name: `r${n}`, condition: condition({ texts: [n === 0 ? "Failed " : `never heard of ${n}`] }) }),
  );

const GROUP = `${SIZE.lines} lines`;

Deno.bench("parseLine()", { group: GROUP }, () => AUTH.forEach((line) => parseLine(line)));
Deno.bench("LineParser.parse()", { group: GROUP, baseline: true }, () => {
  const parser = new LineParser();
  for (const line of AUTH) parser.parse(line);
});
Deno.bench("LineSplitter.push()", { group: GROUP }, () => void new LineSplitter().push(BYTES));
Deno.bench("parseSshd()", { group: GROUP }, () => MESSAGES.forEach((message) => parseSshd(message)));
Deno.bench("the parser of nginx", { group: GROUP }, () => ACCESS.forEach((line) => readNginx(line)));
for (const count of [10, 1_000]) {
  const matcher = new Matcher(textRules(count));
  Deno.bench(
    `Matcher.match(), ${count} rules`,
    { group: GROUP },
    () => EVENTS.forEach((event) => matcher.match(event)),
  );
}
const counters = new Counters([{ limit: 1e9, span: 600e6 }]);
let time = 1e15;
Deno.bench("Counters.hit()", { group: GROUP }, () => {
  for (const address of ADDRESSES) counters.hit(0, { address, time: time += 1_000, value: null });
});
Deno.bench("ExportParser.push()", { group: GROUP }, () => {
  const parser = new ExportParser();
  for (const chunk of EXPORTED) parser.push(chunk);
});
