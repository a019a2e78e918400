import { strict as assert } from "node:assert";
import { Names, resolveBySystem } from "../../lib/monitor/names.ts";
import { memoryLog } from "../support/helpers.ts";

Deno.test("`Names.refresh()` follows a name whose address changed, and keeps the last one while nobody answers", async () => {
  const answers: Record<string, string[]> = { "home.example": ["192.0.2.1"], "v6.example": ["2001:DB8::1"] };
  const log = memoryLog();
  const names = new Names({
    log,
    buildHint: "build it anew",
    resolve: (name) =>
      answers[name] ? Promise.resolve(answers[name]) : Promise.reject(new Error("no answer")),
  });
  const both = async () => Object.fromEntries(await names.refresh(["home.example", "v6.example"]));
  assert.deepEqual(await both(), { "home.example": ["192.0.2.1"], "v6.example": ["2001:db8::1"] });
  answers["home.example"] = ["192.0.2.2"];
  delete answers["v6.example"];
  assert.deepEqual(await both(), { "home.example": ["192.0.2.2"], "v6.example": ["2001:db8::1"] });
  assert.match(log.lines.at(-1)!, /Cannot resolve the whitelisted name v6\.example: no answer; its last/);
  assert.deepEqual([...(await names.refresh(["home.example"])).keys()], ["home.example"]);
});

Deno.test("`Names.refresh()` says how to build a program that may look a name up", async () => {
  const log = memoryLog();
  const refused = Object.assign(new Error("getaddrinfo EPERM"), { code: "EPERM" });
  const names = new Names({ log, buildHint: "build it anew", resolve: () => Promise.reject(refused) });
  assert.equal((await names.refresh(["home.example"])).size, 0);
  assert.match(log.lines[0]!, /home\.example: this program was built without the right to; build it anew$/);
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
    const log = memoryLog();
    const names = new Names({ log, buildHint: "build it anew", resolve: resolveBySystem });
    await names.refresh(["localhost"]);
    assert.match(log.lines[0]!, /localhost: this program was built without the right to; build it anew$/);
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
  const names = Array.from({ length: 100 }, (_, i) => `host-${i}.example.org`);
  const found = await new Names({ log: memoryLog(), resolve, buildHint: "" }).refresh(names);
  assert.deepEqual(asked, names);
  assert.equal(found.size, 100);
  assert.equal(most, 8);
});
