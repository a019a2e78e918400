import { strict as assert } from "node:assert";
import { Names, resolveBySystem } from "../../lib/monitor/names.ts";
import { memoryLog } from "../support/helpers.ts";

/** Names that nobody knew before, by a resolver of the test's own. */
function namesBy(resolve: (name: string) => Promise<string[]>, known: Record<string, string[]> = {}) {
  const log = memoryLog();
  return {
    log,
    names: new Names({ log, resolve, buildHint: "build it anew", known: Object.entries(known) }),
  };
}

Deno.test("`Names.refresh()` follows a name whose address changed, and keeps the last one while nobody answers", async () => {
  const answers: Record<string, string[]> = { "home.example": ["192.0.2.1"], "v6.example": ["2001:DB8::1"] };
  const { log, names } = namesBy((name) =>
    answers[name] ? Promise.resolve(answers[name]) : Promise.reject(new Error("no answer"))
  );
  const both = ["home.example", "v6.example"];
  const addresses = () => both.map((name) => names.addressesOf(name).join());
  assert.equal(await names.refresh(both), true);
  assert.deepEqual(addresses(), ["192.0.2.1", "2001:db8::1"]);
  answers["home.example"] = ["192.0.2.2"];
  delete answers["v6.example"];
  assert.equal(await names.refresh(both), false);
  assert.deepEqual(addresses(), ["192.0.2.2", "2001:db8::1"]);
  const failures = () => log.lines.filter((line) => line.startsWith("warn"));
  assert.deepEqual(failures(), [
    "warn: Cannot resolve the whitelisted name v6.example: no answer; 2001:db8::1 stays whitelisted",
  ]);
  await names.refresh(both);
  assert.equal(failures().length, 1);
  answers["v6.example"] = ["2001:db8::1"];
  await names.refresh(both);
  assert.equal(log.lines.at(-1), "info: whitelisting v6.example: 2001:db8::1");
  names.keepOnly(["home.example"]);
  assert.deepEqual(addresses(), ["192.0.2.2", ""]);
});

Deno.test("`Names` takes a failure or an empty answer for no news about what was known before", async () => {
  for (const answer of [() => Promise.reject(new Error("SERVFAIL")), () => Promise.resolve([])]) {
    const { names } = namesBy(answer, { "home.example": ["198.18.7.1"] });
    assert.equal(await names.refresh(["home.example", "work.example"]), false);
    assert.deepEqual(names.addressesOf("home.example"), ["198.18.7.1"]);
    assert.deepEqual(names.addressesOf("work.example"), []);
  }
});

Deno.test("`Names.refresh()` takes an answer in another order for the same", async () => {
  const answer = ["192.0.2.2", "192.0.2.1", "192.0.2.2"];
  const { log, names } = namesBy(() => Promise.resolve(answer));
  await names.refresh(["home.example"]);
  answer.reverse();
  await names.refresh(["home.example"]);
  assert.deepEqual(log.lines, ["info: whitelisting home.example: 192.0.2.1, 192.0.2.2"]);
});

Deno.test("`Names.refresh()` says how to build a program that may look a name up", async () => {
  const refused = Object.assign(new Error("getaddrinfo EPERM"), { code: "EPERM" });
  const { log, names } = namesBy(() => Promise.reject(refused));
  assert.equal(await names.refresh(["home.example"]), false);
  assert.match(
    log.lines[0]!,
    /home\.example: this program was built without the right to; build it anew; nobody/,
  );
});

Deno.test("`resolveBySystem()` asks the system, hosts file included", async () => {
  assert(
    (await resolveBySystem("localhost")).some((address) => address === "127.0.0.1" || address === "::1"),
  );
});

Deno.test({
  name: "`Names.refresh()` tells a name that the program may not look up from one that nobody knows",
  permissions: { net: false },
  async fn() {
    const { log, names } = namesBy(resolveBySystem);
    await names.refresh(["localhost"]);
    assert.match(log.lines[0]!, /localhost: this program was built without the right to; build it anew; /);
  },
});

Deno.test("`Names.refresh()` asks for a few names at the same time, and for each once", async () => {
  let [underWay, most] = [0, 0];
  const asked: string[] = [];
  const resolve = async (name: string) => {
    asked.push(name);
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setTimeout(resolve, 1));
    underWay--;
    return ["192.0.2.1"];
  };
  const hosts = Array.from({ length: 100 }, (_, i) => `host-${i}.example.org`);
  const { names } = namesBy(resolve);
  await names.refresh(hosts);
  assert.deepEqual(asked, hosts);
  assert.ok(hosts.every((host) => names.addressesOf(host).length === 1));
  assert.equal(most, 8);
});
