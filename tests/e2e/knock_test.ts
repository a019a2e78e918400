import { strict as assert } from "node:assert";
import { now } from "../../lib/core/time.ts";
import { codeAt } from "../support/authenticator.ts";
import { login, loginRightly } from "./client.ts";
import { ask, banned, LIMIT, scene, untilDropped, untilRunning } from "./scene.ts";
import { CLIENTS, type Server } from "./server.ts";
import { browse, startNginx } from "./web.ts";
import { until } from "./world.ts";

/** Makes a key by the administrator's command. Returns its secret. */
async function newKey(server: Server): Promise<string> {
  const [made] = await ask<{ uri: string }>(server, "knock", "new", "phone");
  return new URL(made!.uri).searchParams.get("secret")!;
}

/** Waits until a knock has whitelisted an address. */
function untilLetIn(server: Server, address: string): Promise<true> {
  return until(`${address} to be let in`, async () => {
    const entries = await ask<{ address: string; origin: string }>(server, "whitelist", "list");
    return entries.some((entry) => entry.origin === "knock" && entry.address === address) || undefined;
  });
}

/** Tries `count` wrong passwords. Returns the outcome of each. */
async function guess(server: Server, from: string, { user, count }: { user: string; count: number }) {
  const verdicts: string[] = [];
  for (let n = 0; n < count; n++) verdicts.push(await login(server, from, { user, password: `guess ${n}` }));
  return verdicts;
}

scene(
  "a knock whitelists its sender, and a reader of the journal cannot use its code",
  async (server) => {
    server.startMonitor();
    await untilRunning(server);
    const secret = await newKey(server);
    await guess(server, CLIENTS.one, { user: "root", count: LIMIT });
    const user = `knock-${codeAt(now(), secret)}`;
    await guess(server, CLIENTS.one, { user, count: 1 });
    await untilLetIn(server, CLIENTS.one);
    const verdicts = await guess(server, CLIENTS.one, { user: "root", count: LIMIT + 1 });
    assert.deepEqual(verdicts, Array(LIMIT + 1).fill("refused"));
    assert.equal(await loginRightly(server, CLIENTS.one), "let in");

    const journal = await server.journal("sshd");
    const read = journal.join("\n").match(/Invalid user (knock-\d{6}) from/)![1]!;
    assert.equal(read, user);
    await guess(server, CLIENTS.two, { user: read, count: LIMIT + 1 });
    await untilDropped(server, CLIENTS.two);
    assert.deepEqual(await banned(server), [CLIENTS.two]);

    const said = (await server.journal("strongmonitor")).join("\n");
    assert.match(said, new RegExp(`whitelisting ${CLIENTS.one} for 12h: it knocked with the key phone`));
    assert.ok(!said.includes(user));
  },
);

scene("a banned user knocks from another address, and the right path of nginx is a knock", async (server) => {
  await startNginx(server);
  server.startMonitor();
  await untilRunning(server);
  const secret = await newKey(server);
  await guess(server, CLIENTS.one, { user: "root", count: LIMIT + 1 });
  await untilDropped(server, CLIENTS.one);
  const target = `/knock-${codeAt(now(), secret)}`;
  assert.equal(await browse(server, CLIENTS.one, [{ target }]), 0, "nothing gets through");
  assert.equal(await browse(server, CLIENTS.two, [{ target }]), 1);
  await untilLetIn(server, CLIENTS.two);
  await guess(server, CLIENTS.two, { user: "root", count: LIMIT + 1 });
  assert.equal(await loginRightly(server, CLIENTS.two), "let in");
  assert.deepEqual(await banned(server), [CLIENTS.one]);
});
