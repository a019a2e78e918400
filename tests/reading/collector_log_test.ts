import { strict as assert } from "node:assert";
import { NO_PID } from "../../lib/core/records.ts";
import { readCollected } from "../../lib/reading/collector_log.ts";

/** What an object of a collector tells; null if it is none. */
function read(line: string, mustBeSure = false) {
  const collected = readCollected(line, mustBeSure);
  if (collected === null) return null;
  const { text, program, pid, sender } = collected;
  return { text, program, pid: pid === NO_PID ? null : pid, sender };
}

const TOLD = { program: null, pid: null, sender: null };

Deno.test("`readCollected()` finds text, program and process under the names of many collectors", () => {
  for (
    const [line, expected] of [
      ['{"message":"a \\"b\\" \\u00e9\\n"}', { text: 'a "b" é\n' }],
      ['{"log":{"offset":1},"message":"a"}', { text: "a" }],
      ['{"MESSAGE":"a","SYSLOG_IDENTIFIER":"sshd","_PID":"7"}', { text: "a", program: "sshd", pid: 7 }],
      ['{"msg":"a","syslogtag":"sshd[7]:","procid":"-"}', { text: "a", program: "sshd" }],
      ['{"msg":"a","syslogtag":"my app","pid":7}', { text: "a", program: "my app", pid: 7 }],
      ['{"message":"a","process":{"name":"sshd","pid":7}}', { text: "a", program: "sshd", pid: 7 }],
      ['{"message":"a","appname":"-"}', { text: "a" }],
      ['{"message":"a","line":12,"event":"b","body":"c"}', { text: "a" }],
      ['{"event":"a","sourcetype":"b"}', { text: "a" }],
      ['{"body":"a","severityText":"INFO"}', { text: "a" }],
      ['{"jsonPayload":{"MESSAGE":"a","_UID":"1000"}}', { text: "a", sender: { uid: 1_000, unit: "" } }],
      ['{"result":{"_raw":"a"}}', { text: "a" }],
      [
        '{"MESSAGE":"a","_UID":"1000","_SYSTEMD_UNIT":"a.service"}',
        { text: "a", sender: { uid: 1000, unit: "a.service" } },
      ],
    ] as const
  ) {
    assert.deepEqual(read(line), { ...TOLD, ...expected }, line);
  }
});

Deno.test("`readCollected()` takes no text that a stranger may have put beside another", () => {
  for (
    const line of [
      '{"message":"Invalid user x","message":"b"}',
      '{"message":"Invalid user x","msg":"b"}',
      '{"message":"a","ident":"cron","ident":"sshd"}',
      '{"request":{"message":"a"}}',
      '{"user":"{\\"message\\":\\"a\\"}"}',
      '{"message":["a"]}',
      '{"event":"Invalid user x","sourcetype":"b","message":"c"}',
      '{"full_log":"Invalid user x","message":"b"}',
      '{"event":"a"}',
      '{"body":"a"}',
      '{"Message":"a"}',
      '{"payload":{"_raw":"a"}}',
      '{"message":{"message":"a"}}',
      '{"message":"cut off',
      '{"message":a}',
      '{"message":"a",}',
      '{"message":"a" "b"}',
      '{"message":""}',
      "{}",
      "{",
      `{"a":${"[".repeat(100_000)}}`,
    ]
  ) {
    assert.equal(read(line), null, line.slice(0, 80));
  }
});

Deno.test("`readCollected()` knows what no service writes: containers' streams, names of journald and rsyslog", () => {
  const line = '{"time":"2026-03-09T04:05:06Z","stream":"stderr","log":"a"}';
  assert.equal(read(line, true)?.text, "a");
  assert.equal(read(line.replace("stderr", "all"), true), null);
  assert.equal(read('{"log":"a"}', true), null);
  for (const name of ["__CURSOR", "SYSLOG_IDENTIFIER", "syslogtag"]) {
    assert.equal(read(`{"${name}":"b","message":"a"}`, true)?.text, "a");
  }
  assert.equal(read('{"user":"\\"__CURSOR\\":\\"","message":"a"}', true), null);
});

Deno.test("`readCollected()` is sure only of objects with a name that services do not write", () => {
  for (
    const names of [
      '"kubernetes":{"pod_name":"b"}',
      '"source_type":"file"',
      '"@metadata":{"beat":"filebeat"}',
      '"logName":"b"',
      '"container_id":"b"',
      '"ingestionTime":1',
      '"sourcetype":"b"',
      '"fromhost-ip":"b"',
      '"LEGACY_MSGHDR":"b"',
    ]
  ) {
    assert.equal(read(`{"message":"a",${names}}`, true)?.text, "a", names);
  }
  for (
    const names of [
      '"kubernetes":"b"',
      '"pod_name":"b"',
      '"@metadata":"beat"',
      '"@version":"1"',
      '"level":"source_type"',
      '"container_name":"b"',
      '"version":"1.1"',
      '"labels":{"a":"b"}',
      '"a":{"container_id":"b"}',
    ]
  ) {
    assert.equal(read(`{"message":"a",${names}}`, true), null, names);
    assert.equal(read(`{"message":"a",${names}}`)?.text, "a", names);
  }
});
