import { strict as assert } from "node:assert";
import { decode, encode } from "../../lib/core/bytes.ts";
import { DockerLog } from "../../lib/reading/docker_log.ts";
import { Random } from "../support/random.ts";

const TIME = "2026-05-06T10:56:10.250000001Z";

/** What a line of Docker holds, and its time; null for a line of another form. */
function read(line: string, docker = new DockerLog()) {
  const { bytes, end } = encode(`x${line}"}`);
  if (!docker.read(bytes, 1, end - 2)) return null;
  return { text: decode(docker.bytes, 0, docker.end), time: decode(bytes, docker.timeFrom, docker.timeTo) };
}

const lineOf = (text: string) => `{"log":"${text}","stream":"stdout","time":"${TIME}"}`;

Deno.test("`DockerLog.read()` undoes the escapes of JSON as JSON.parse() does", () => {
  const random = new Random(5);
  const docker = new DockerLog();
  const pieces = [
    ..."abc é€\u{1f600}/",
    '\\"',
    "\\\\",
    "\\n",
    "\\t",
    "\\u003c",
    "\\u003E",
    "\\/",
    "\\b\\f\\r",
  ];
  for (let i = 0; i < 2_000; i++) {
    const text = random.times(random.below(i % 10 === 0 ? 9_000 : 30), () => random.pick(pieces)).join("");
    const found = read(lineOf(text), docker);
    assert.deepEqual(found, { text: JSON.parse(`"${text}"`), time: TIME }, text);
  }
});

Deno.test("`DockerLog.read()` reads no line that is not Docker's to its end", () => {
  const fine = lineOf("text");
  assert.notEqual(read(fine), null);
  for (let length = 0; length < fine.length; length++) assert.equal(read(fine.slice(0, length)), null);
  for (
    const line of [
      lineOf('a","x":"b'),
      lineOf("\\x41"),
      lineOf("\\u12g4"),
      lineOf("\\"),
      lineOf("\\u00e9"),
      fine.replace("stdout", "std"),
      fine.replace('"time"', '"date"'),
      fine.replace(',"time"', ',"a":1,"time"'),
      fine.replace(',"time"', ',"attrs":{"a":"b","time"'),
      ` ${fine}`,
      `${fine}x`,
    ]
  ) assert.equal(read(line), null, line);
});
