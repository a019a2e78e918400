import { strict as assert } from "node:assert";
import { runRuleTests } from "../../../lib/commands/check/rule_tests.ts";
import { load } from "../../support/configs.ts";

Deno.test("a failed test of a rule says whether the pattern, the address or the rule is the reason", () => {
  const failuresOf = (line: string) =>
    runRuleTests(load(JSON.stringify({
      modules: {
        door: {
          match: { file: "/var/log/door.log" },
          pattern: "^login of (?<user>.*) from <ADDR>",
          rules: [{ name: "bob", str: "login of bob ", limit: 5, tests: { match: line, no_match: line } }],
        },
      },
    }))).failures;
  const reasons = {
    "logout from 203.0.113.5": "should be a hit and is none, as no pattern or known message fits it",
    "login of bob from 203.0.113.5.example.net":
      "should be a hit and is none, as it has no address that is whole and certain to be the service's own text",
    "login of x from 198.51.100.7 from 203.0.113.5":
      "should be a hit and is none, as it has no address that is whole and certain to be the service's own text",
    "login of alice from 203.0.113.5": "should be a hit and is none",
    "login of bob from 203.0.113.5": "should be no hit and is one",
  };
  for (const [line, reason] of Object.entries(reasons)) {
    assert.deepEqual(failuresOf(line), [`[door] bob: this line ${reason}: ${line}`]);
  }
});

Deno.test("the tests of a rule know no line of another rule's tests", () => {
  const line = (message: string) => `Nov 28 10:00:00 server sshd[7]: ${message}`;
  const greeting = line("error: kex_exchange_identification: Connection closed by remote host");
  // Behind that line of the same process, sshd means another thing by this one.
  const closed = line("Connection closed by 203.0.113.5 port 4711");
  const { tried, failures } = runRuleTests(load(JSON.stringify({
    modules: {
      SSHD: {
        rules: [
          { name: "silent", str: "Did not receive ", limit: 5, tests: { no_match: greeting } },
          { name: "closed", str: "Connection closed by ", limit: 5, tests: { match: closed } },
        ],
      },
    },
  })));
  assert.deepEqual({ tried, failures }, { tried: 2, failures: [] });
});
