import { strict as assert } from "node:assert";
import { readTwice } from "../../../lib/commands/check/double_reading.ts";
import { load } from "../../support/configs.ts";
import { LogDirectory } from "../../support/file_following.ts";

function warnings(match: object): string[] {
  return readTwice(load(JSON.stringify({ modules: { SSHD: { match } } })));
}

Deno.test("`readTwice()` names files that two patterns have by links, once each", () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  Deno.mkdirSync(logs.at("hard"));
  Deno.linkSync(logs.at("a.log"), logs.at("hard/b.log"));
  Deno.symlinkSync(logs.at("a.log"), logs.at("c.log"));
  logs.write("other.log", "");
  const same = (path: string) =>
    `[SSHD] ${logs.at(path)} is the same file as ${logs.at("a.log")}, and its lines count twice: ` +
    "name only one of them in match";
  const at = (...names: string[]) => ({ file: names.map((name) => logs.at(name)) });
  assert.deepEqual(warnings(at("a.log", "hard/*.log")), [same("hard/b.log")]);
  assert.deepEqual(warnings(at("a.log", "c.log", "other.log", "missing.log")), [same("c.log")]);
  assert.deepEqual(warnings(at("*.log")), [], "one pattern reads a file once");
});

Deno.test("`readTwice()` names files of syslog that a module reads beside the journal", () => {
  const path = ["/var/log/syslog", "/var/log/auth.log", "/var/log/messages"].find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
  if (path !== undefined) {
    assert.match(warnings({ identifier: "sshd", file: path }).join(), /^\[SSHD\] the journal mostly has /);
    assert.deepEqual(warnings({ file: path }), []);
  }
  assert.deepEqual(warnings({ identifier: "sshd", file: "/var/log/no-such-file" }), []);
});
