/** What nft tells of a table that goes, on real nft in a network namespace. */
import { strict as assert } from "node:assert";
import { watchTable } from "../../lib/firewall/nft_watch.ts";
import { tried } from "../../lib/core/error.ts";
import { eventually, script } from "../support/helpers.ts";
import { inNamespace, lacking } from "../support/namespace.ts";

const ignore = lacking("nft");

/** Ids of the processes of nft that this one has started, dead ones that nobody has waited for included. */
function ownNfts(): string[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((name) => {
    try {
      const [, command, parent] = /\((.*)\) \w (\d+)/.exec(Deno.readTextFileSync(`/proc/${name}/stat`)) ?? [];
      return command === "nft" && Number(parent) === Deno.pid;
    } catch {
      return false;
    }
  });
}

Deno.test({
  name: `\`watchTable()\` tells of its own table alone, and leaves nothing behind${
    ignore ? " (needs root and nft)" : ""
  }`,
  ignore,
  fn: () =>
    inNamespace(async (run, namespace) => {
      const stop = new AbortController();
      let lost = 0;
      const watch = watchTable(["ip", "netns", "exec", namespace, "nft"], {
        lost: () => lost++,
        signal: stop.signal,
      });
      const nft = (text: string) => run(["nft", "-f", "-"], text);
      const flush = "table inet strongmonitor {}\nflush ruleset\n";
      // It is not known when nft has begun to listen.
      await eventually(async () => (await nft(flush), lost > 0));
      lost = 0;
      assert.equal(ownNfts().length, 1);
      const foreign = Array.from({ length: 500 }, (_, i) => `add table ip t${i}`).join("\n");
      await nft(`${foreign}\ntable inet strongmonitor2 {}\nflush ruleset\n`);
      assert.equal((await nft(flush)).code, 0);
      await eventually(() => lost === 1);
      stop.abort();
      await watch;
      await eventually(() => ownNfts().length === 0);
      assert.equal(lost, 1);
    }),
});

Deno.test("`watchTable()` starts nft again, later each time, and ends at once when told", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  try {
    const program = script(directory, { name: "nft", body: 'echo "$*" >> "$(dirname "$0")/calls"; exit 1' });
    const stop = new AbortController();
    let lost = 0;
    const watch = watchTable([program], { lost: () => lost++, signal: stop.signal, wait: 1 });
    const calls = () => {
      try {
        return Deno.readTextFileSync(`${directory}/calls`).trim().split("\n");
      } catch {
        return [];
      }
    };
    await eventually(() => calls().length > 3);
    stop.abort();
    await watch;
    assert.deepEqual([...new Set(calls())], ["monitor tables"]);
    assert.equal(lost, 0, "an nft that may not run tells nothing");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("`watchTable()` ends an nft that sudo started by a signal that sudo passes on, from another process group", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  try {
    const said = `${directory}/said`;
    const program = script(directory, {
      name: "sudo",
      body:
        `sleep 600 & trap 'kill $!; echo passed on >> ${said}; exit' TERM; cat /proc/$$/stat > ${said}; wait`,
    });
    const stop = new AbortController();
    const watch = watchTable([program, "nft"], { lost: () => {}, signal: stop.signal });
    const read = () => tried(() => Deno.readTextFileSync(said)) ?? "";
    await eventually(() => read().endsWith("\n"));
    const [pid, , , , group] = read().split(" ");
    assert.equal(group, pid);
    stop.abort();
    await watch;
    await eventually(() => read().endsWith("passed on\n"));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
