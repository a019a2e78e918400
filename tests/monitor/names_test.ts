import { NEVER } from "../../lib/core/async.ts";
import { strict as assert } from "node:assert";
import { DAY } from "../../lib/core/time.ts";
import { Names, type Resolve, systemResolve } from "../../lib/monitor/names.ts";
import { eventually, memoryLog, script } from "../support/helpers.ts";

/** A signal that never aborts. */

/** Names that nobody knew before, by a resolver of the test's own. */
function namesBy(resolve: Resolve, known: Record<string, string[]> = {}, clock = () => 0) {
  const log = memoryLog();
  return {
    log,
    names: new Names({ log, resolve, clock, known: Object.entries(known) }),
  };
}

Deno.test("`Names.refresh()` follows a name whose address changed, and keeps the last one while nobody answers", async () => {
  const answers: Record<string, string[]> = { "home.example": ["192.0.2.1"], "v6.example": ["2001:DB8::1"] };
  const { log, names } = namesBy((name) =>
    answers[name] ? Promise.resolve(answers[name]) : Promise.reject(new Error("no answer"))
  );
  const both = ["home.example", "v6.example"];
  const addresses = () => both.map((name) => names.addressesOf(name).join());
  assert.equal(await names.refresh(both, NEVER), true);
  assert.deepEqual(addresses(), ["192.0.2.1", "2001:db8::1"]);
  answers["home.example"] = ["192.0.2.2"];
  delete answers["v6.example"];
  assert.equal(await names.refresh(both, NEVER), false);
  assert.deepEqual(addresses(), ["192.0.2.2", "2001:db8::1"]);
  const failures = () => log.lines.filter((line) => line.startsWith("warn"));
  assert.deepEqual(failures(), [
    "warn: Cannot resolve the whitelisted name v6.example: no answer; 2001:db8::1 stays whitelisted",
  ]);
  await names.refresh(both, NEVER);
  assert.equal(failures().length, 1);
  answers["v6.example"] = ["2001:db8::1"];
  await names.refresh(both, NEVER);
  assert.equal(log.lines.at(-1), "info: whitelisting v6.example: 2001:db8::1");
  names.keepOnly(["home.example"]);
  assert.deepEqual(addresses(), ["192.0.2.2", ""]);
});

Deno.test("`Names` takes a failure or an empty answer for no news about what was known before", async () => {
  for (const answer of [() => Promise.reject(new Error("SERVFAIL")), () => Promise.resolve([])]) {
    const { names } = namesBy(answer, { "home.example": ["198.18.7.1"] });
    assert.equal(await names.refresh(["home.example", "work.example"], NEVER), false);
    assert.deepEqual(names.addressesOf("home.example"), ["198.18.7.1"]);
    assert.deepEqual(names.addressesOf("work.example"), []);
  }
});

Deno.test("`Names` takes an answer of a filter, which is nobody's address, for no news", async () => {
  for (const answer of [["0.0.0.0"], ["::"], ["127.0.0.1", "::1"], ["0.0.0.0", "169.254.1.1"]]) {
    const { log, names } = namesBy(() => Promise.resolve(answer), { "home.example": ["198.18.7.1"] });
    const own = ["home.example", "work.example"];
    assert.equal(await names.refresh(own, NEVER), false, String(answer));
    assert.deepEqual(names.addressesOf("home.example"), ["198.18.7.1"]);
    assert.deepEqual(names.addressesOf("work.example"), answer.toSorted(), "nothing better was known");
    const kept = `only ${answer.join(", ")}; 198.18.7.1 stays whitelisted`;
    assert.ok(log.lines.some((line) => line.startsWith("warn") && line.endsWith(kept)), log.lines.join("\n"));
  }
  const { names } = namesBy(() => Promise.resolve(["0.0.0.0", "192.0.2.9"]), {
    "home.example": ["198.18.7.1"],
  });
  assert.equal(await names.refresh(["home.example"], NEVER), true);
  assert.deepEqual(names.addressesOf("home.example"), ["0.0.0.0", "192.0.2.9"]);
});

Deno.test("`Names` keeps the IPv4 or IPv6 addresses that answers lack, for a day", async () => {
  const home = "home.example";
  for (
    const [half, other, next] of [["192.0.2.1", "2001:db8::1", "192.0.2.2"], [
      "2001:db8::1",
      "192.0.2.1",
      "2001:db8::2",
    ]]
  ) {
    let [answer, now] = [[half!, other!], 0];
    const { log, names } = namesBy(() => Promise.resolve(answer), {}, () => now);
    const addresses = async () => (await names.refresh([home], NEVER), [...names.addressesOf(home)].sort());
    assert.deepEqual(await addresses(), [half, other].sort());
    answer = [half!];
    assert.deepEqual(await addresses(), [half, other].sort());
    answer = [next!];
    now = DAY - 1;
    assert.deepEqual(await addresses(), [next, other].sort());
    answer = [next!, other!];
    await addresses();
    answer = [next!];
    now = 2 * DAY;
    assert.deepEqual(await addresses(), [next, other].sort());
    now = 3 * DAY;
    assert.deepEqual(await addresses(), [next]);
    assert.equal(log.lines.length, 3);
  }
});

Deno.test("`Names` keeps addresses for a day that answers lack beside others of their family", async () => {
  const home = "home.example";
  let [answer, now] = [["192.0.2.1", "192.0.2.2", "2001:db8::1"], 0];
  const { log, names } = namesBy(() => Promise.resolve(answer), {}, () => now);
  const addressesAt = async (time: number, ...answered: string[]) => {
    [answer, now] = [answered, time];
    await names.refresh([home], NEVER);
    return names.addressesOf(home).join(" ");
  };
  const all = "192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::1";
  assert.equal(await addressesAt(0, ...answer), "192.0.2.1 192.0.2.2 2001:db8::1");
  assert.equal(await addressesAt(1, "192.0.2.2", "192.0.2.3", "2001:db8::1"), all);
  assert.equal(await addressesAt(2, "192.0.2.1", "2001:db8::1"), all);
  assert.equal(await addressesAt(3, "192.0.2.3", "2001:db8::1"), all);
  assert.equal(log.lines.length, 2, "a part of the known addresses is no news");
  assert.equal(await addressesAt(DAY + 2, "192.0.2.3", "2001:db8::1"), "192.0.2.1 192.0.2.3 2001:db8::1");
  assert.equal(await addressesAt(DAY + 3, "192.0.2.3", "2001:db8::1"), "192.0.2.3 2001:db8::1");
  assert.equal(await addressesAt(DAY + 4, "192.0.2.9", "2001:db8::1"), "192.0.2.9 2001:db8::1", "moved");
});

Deno.test("`Names.refresh()` takes an answer in another order for the same", async () => {
  const answer = ["192.0.2.2", "192.0.2.1", "192.0.2.2"];
  const { log, names } = namesBy(() => Promise.resolve(answer));
  await names.refresh(["home.example"], NEVER);
  answer.reverse();
  await names.refresh(["home.example"], NEVER);
  assert.deepEqual(log.lines, ["info: whitelisting home.example: 192.0.2.1, 192.0.2.2"]);
});

Deno.test("`systemResolve()` asks the system, hosts file included", async () => {
  const addresses = await systemResolve()("localhost", NEVER);
  assert.ok(addresses.length > 0);
  for (const address of addresses) assert.match(address, /^(127\.0\.0\.1|::1)$/);
});

Deno.test("`systemResolve()` takes a name for a name, whatever it looks like", async () => {
  for (const name of ["nowhere.invalid", "--help", "-s", "--version"]) {
    await assert.rejects(systemResolve()(name, NEVER), { message: "the system knows no address of it" });
  }
});

Deno.test({
  name: "`systemResolve()` needs no right to reach what a name stands for",
  permissions: { run: ["getent"], net: false },
  async fn() {
    assert.ok((await systemResolve()("localhost", NEVER)).length > 0);
  },
});

Deno.test("`systemResolve()` ends a getent that hangs when nobody waits any more", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  const path = Deno.env.get("PATH")!;
  try {
    script(directory, { name: "getent", body: `echo $$ > ${directory}/pid; exec sleep 1000` });
    Deno.env.set("PATH", `${directory}:${path}`);
    const stop = new AbortController();
    const { log, names } = namesBy(systemResolve());
    const refreshing = names.refresh(["home.example"], stop.signal);
    await eventually(() => readIfThere(`${directory}/pid`).endsWith("\n"));
    const pid = Number(readIfThere(`${directory}/pid`));
    stop.abort();
    assert.equal(await refreshing, false);
    assert.deepEqual(log.lines, [], "who stops waiting knows nothing of the name");
    await eventually(() => readIfThere(`/proc/${pid}/cmdline`) === "");
  } finally {
    Deno.env.set("PATH", path);
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("`systemResolve()` runs no more getent while eight cannot be ended", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  const path = Deno.env.get("PATH")!;
  const pids = () => readIfThere(`${directory}/pids`).split("\n").slice(0, -1).map(Number);
  try {
    // The child outlives getent, and holds its standard error open.
    script(directory, {
      name: "getent",
      body: `sleep 1000 & echo $! >> ${directory}/pids; exec sleep 1000`,
    });
    Deno.env.set("PATH", `${directory}:${path}`);
    const resolve = systemResolve();
    const stop = new AbortController();
    const asking = Array.from({ length: 8 }, (_, n) => resolve(`host${n}.example`, stop.signal));
    const answers = Promise.allSettled(asking);
    await eventually(() => pids().length === 8);
    stop.abort();
    await answers;
    await assert.rejects(resolve("home.example", NEVER), {
      message: "8 runs of getent exceeded their time and cannot be ended",
    });
    pids().forEach((pid) => Deno.kill(pid, "SIGKILL"));
    script(directory, { name: "getent", body: "echo 192.0.2.1 STREAM home.example" });
    await eventually(() => resolve("home.example", NEVER).then(() => true, () => false));
  } finally {
    for (const pid of pids()) if (readIfThere(`/proc/${pid}/comm`) === "sleep\n") Deno.kill(pid, "SIGKILL");
    Deno.env.set("PATH", path);
    Deno.removeSync(directory, { recursive: true });
  }
});

/** The text of a file; "" for none. */
function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

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
  await names.refresh(hosts, NEVER);
  assert.deepEqual(asked, hosts);
  assert.ok(hosts.every((host) => names.addressesOf(host).length === 1));
  assert.equal(most, 8);
});
