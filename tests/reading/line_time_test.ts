import { strict as assert } from "node:assert";
import { resolveStamp } from "../../lib/core/stamp.ts";
import { timeOfLine } from "../../lib/reading/line_time.ts";
import { zoneOf } from "../../lib/core/zone.ts";

const NOW = Date.parse("2026-06-01T00:00:00Z") * 1_000;

function timeOf(line: string): string | null {
  const stamp = timeOfLine(line);
  const time = stamp && resolveStamp(stamp, { now: NOW, before: NaN, zone: zoneOf("-02")! });
  return time === null ? null : new Date(time / 1_000).toISOString().replace(".000", "");
}

/** Lines in a zone two hours behind UTC, and when they were written. */
const TIMED: readonly (readonly [line: string, time: string])[] = [
  ["2026-05-06T10:56:10.123456+02:00 refused", "2026-05-06T08:56:10.123Z"],
  ["2026-05-06T10:56:10Z refused", "2026-05-06T10:56:10Z"],
  ["2026-05-06 10:56:10 refused", "2026-05-06T12:56:10Z"],
  ["2026-05-06 10:56:10,123 refused", "2026-05-06T12:56:10.123Z"],
  ["2026-05-06 10:56:10 +0530 refused", "2026-05-06T05:26:10Z"],
  ["2026-05-06 10:56:10.5 -03 [4711] refused", "2026-05-06T13:56:10.500Z"],
  ["2026-05-06 10:56:10 EST [4711] refused", "2026-05-06T15:56:10Z"],
  ["2026-05-06 10:56:10 LOG: refused", "2026-05-06T12:56:10Z"],
  ["2026/05/06 10:56:10 [W] refused", "2026-05-06T12:56:10Z"],
  ["2026-05-06_10:56:10.12345 refused", "2026-05-06T12:56:10.123Z"],
  ["[2026-05-06 10:56:10.123][app][ERROR] refused", "2026-05-06T12:56:10.123Z"],
  ["[06/May/2026:10:56:10 +0100] - 401", "2026-05-06T09:56:10Z"],
  ['192.0.2.1 - - [06/May/2026:10:56:10 +0100] "GET / HTTP/1.1" 401', "2026-05-06T09:56:10Z"],
  ['a.example:80 192.0.2.1 - bob [06/May/2026:10:56:10 +0100] "GET /', "2026-05-06T09:56:10Z"],
  ["Wed May  6 10:56:10 2026 [pid 7] refused", "2026-05-06T12:56:10Z"],
  ["[Wed May 06 10:56:10.123456 2026] [auth:error] refused", "2026-05-06T12:56:10.123Z"],
  ["Wed May  6 10:56:10 CEST 2026 refused", "2026-05-06T08:56:10Z"],
  ["May  6 10:56:10 refused", "2026-05-06T12:56:10Z"],
  ["[May  6 10:56:10] NOTICE[7] refused", "2026-05-06T12:56:10Z"],
  ["Wed, 06 May 2026 10:56:10 +0200 refused", "2026-05-06T08:56:10Z"],
  ["06 May 2026 10:56:10.123 refused", "2026-05-06T12:56:10.123Z"],
  ["06-May-2026 10:56:10.123 refused", "2026-05-06T12:56:10.123Z"],
  ["1778064970 refused", "2026-05-06T10:56:10Z"],
  ["1778064970.25    12 192.0.2.1 refused", "2026-05-06T10:56:10.250Z"],
  ["1778064970123 refused", "2026-05-06T10:56:10.123Z"],
  ["20260506-10:56:10 refused", "2026-05-06T12:56:10Z"],
  ["20260506 10:56:10,db1,root,192.0.2.1,7,0,FAILED_CONNECT", "2026-05-06T12:56:10Z"],
  ["260506 10:56:10 [Warning] refused", "2026-05-06T12:56:10Z"],
  ["260506\t10:56:10\t[Warning] refused", "2026-05-06T12:56:10Z"],
  ["[WARN]\t2026-05-06 10:56:10\trefused", "2026-05-06T12:56:10Z"],
  ["260506  9:56:10 [Warning] refused", "2026-05-06T11:56:10Z"],
  ["2026-05-06  9:56:10 0 [Warning] refused", "2026-05-06T11:56:10Z"],
  ["2026-05-06  9:56:10 139 [Warning] refused", "2026-05-06T11:56:10Z"],
  ["200506 10:56:10 [Warning] refused", "2020-05-06T12:56:10Z"],
  ["20260506T105610Z refused", "2026-05-06T10:56:10Z"],
  ["20260506T105610.25+0100 refused", "2026-05-06T09:56:10.250Z"],
  ["06.05.2026 10:56:10 refused", "2026-05-06T12:56:10Z"],
  ["[06.05.2026, 10:56:10] refused", "2026-05-06T12:56:10Z"],
  ["2026.05.06 10:56:10 refused", "2026-05-06T12:56:10Z"],
  ["May 06, 2026 10:56:10 AM a.B refused", "2026-05-06T12:56:10Z"],
  ["May 06, 2026 3:56:10\u202fPM a.B refused", "2026-05-06T17:56:10Z"],
  ["May 6, 2026 12:56:10 AM refused", "2026-05-06T02:56:10Z"],
  ["May 6, 2026 12:56:10 PM refused", "2026-05-06T14:56:10Z"],
  ["May 6, 2026, 10:56:10.5 refused", "2026-05-06T12:56:10.500Z"],
  ["W0506 10:56:10.123456       1 a.go:12] refused", "2026-05-06T12:56:10.123Z"],
  ["E20260506 10:56:10.123456 7 a.cc:12] refused", "2026-05-06T12:56:10.123Z"],
  ['time="2026-05-06T10:56:10Z" level=info msg=refused', "2026-05-06T10:56:10Z"],
  ['level=info time="2026-05-06T10:56:10Z" msg=refused', "2026-05-06T10:56:10Z"],
  ["[WARN] [2026-05-06 10:56:10] refused", "2026-05-06T12:56:10Z"],
  ["ERROR 2026-05-06 10:56:10,123 refused", "2026-05-06T12:56:10.123Z"],
  ["WARNING:2026-05-06 10:56:10,123:refused", "2026-05-06T12:56:10.123Z"],
  ["W, [2026-05-06T10:56:10.123456 #77]  WARN -- : refused", "2026-05-06T12:56:10.123Z"],
  ["[4711] 2026-05-06T10:56:10Z refused", "2026-05-06T10:56:10Z"],
  ["4711:M 06 May 2026 10:56:10.123 # refused", "2026-05-06T12:56:10.123Z"],
  ["ts=1778064970.5 caller=a.go:1 msg=refused", "2026-05-06T10:56:10.500Z"],
  ['{"level":2,"time":"2026-05-06T10:56:10+00:00","ip":"192.0.2.1"}', "2026-05-06T10:56:10Z"],
  ['{"level":"info","ts":1778064970.1234567,"ip":"192.0.2.1"}', "2026-05-06T10:56:10.123Z"],
  ['{"msg":"refused","time":1778064970123}', "2026-05-06T10:56:10.123Z"],
  ['{ "Timestamp" : "2026-05-06T10:56:10Z", "ip": "192.0.2.1" }', "2026-05-06T10:56:10Z"],
  ['{"@timestamp":"2026-05-06T10:56:10Z","ip":"192.0.2.1"}', "2026-05-06T10:56:10Z"],
  ['{"t":{"$date":"2026-05-06T10:56:10.123+02:00"},"s":"I"}', "2026-05-06T08:56:10.123Z"],
  ['{"asctime":"2026-05-06 10:56:10,123","ip":"192.0.2.1"}', "2026-05-06T12:56:10.123Z"],
  ['{"request":{"time":"1999-01-01T00:00:00Z"},"ts":"2026-05-06 10:56:10"}', "2026-05-06T12:56:10Z"],
  ['{"user":"\\"time\\":\\"1999-01-01T00:00:00Z\\"","ts":1778064970}', "2026-05-06T10:56:10Z"],
  ['{"time":"2026-05-06T10:56:10Z","cut":"in the mid', "2026-05-06T10:56:10Z"],
];

/** Lines that tell no time where the service would write it. */
const TIMELESS: readonly string[] = [
  "",
  "refused at 2026-05-06T10:56:10Z",
  "refused [06/May/2026:10:56:10 +0100]",
  "2026-05-06 10:56:101 refused",
  "2026-05-06 10:56 refused",
  "2026-13-06 10:56:10 refused",
  "2026050-10:56:10 refused",
  "20260506-105610 refused",
  "260506 105610 refused",
  "20261306-10:56:10 refused",
  "20260506T1056100 refused",
  "06.13.2026 10:56:10 refused",
  "06.05.26 10:56:10 refused",
  "2026.05.06.10:56:10 refused",
  "May 06, 2026 10:56:10 AMX refused",
  "May 06, 2026 10:56 AM refused",
  "05/06/2026 10:56:10 refused",
  "D0506 10:56:10.123456 refused",
  "I0506  10:56:10.123456 refused",
  "17780649701 refused",
  "177806497 refused",
  "9778064970 refused",
  "1778064970a refused",
  "192.0.2.1 refused",
  '192.0.2.1 - a [06/May/1999:10:56:10 +0100] [06/May/2026:10:56:10 +0100] "GET /',
  "login failed for bob [06/May/2026:10:56:10 +0100]",
  '{"time":"2026-05-06T10:56:10Z","time":"1999-01-01T00:00:00Z"}',
  '{"user":"2026-05-06T10:56:10Z"}',
  '{"request":{"time":"2026-05-06T10:56:10Z"}}',
  '{"time":{"of":"2026-05-06T10:56:10Z"}}',
  '{"user":{"$date":"2026-05-06T10:56:10Z"}}',
  '{"t":{"$date":"2026-05-06T10:56:10Z"},"t":{"$date":"1999-01-01T00:00:00Z"}}',
  "error at 2026-05-06T10:56:10Z",
  '{"time":"yesterday"}',
  "{",
];

Deno.test("`timeOfLine()` finds the time that a line carries, in all forms", () => {
  for (const [line, time] of TIMED) assert.equal(timeOf(line), time, line);
});

Deno.test("`timeOfLine()` finds no time elsewhere, where a stranger could write it", () => {
  for (const line of TIMELESS) assert.equal(timeOf(line), null, line);
});
