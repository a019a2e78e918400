/** The answers of docs/operating.md, run on a state in which what they tell of has happened. */
import { strict as assert } from "node:assert";
import { loadConfig } from "../../lib/config/load.ts";
import { DAY, MINUTE, now, SECOND } from "../../lib/core/time.ts";
import { Logins } from "../../lib/deciding/logins.ts";
import { Whitelist } from "../../lib/deciding/whitelist.ts";
import { Bans } from "../../lib/enforcing/bans.ts";
import { ObserveFirewall } from "../../lib/firewall/observe.ts";
import { Pipeline } from "../../lib/monitor/pipeline.ts";
import { known, SHIPPED } from "../support/configs.ts";
import { BOOT, memoryLog, type TemporaryState, temporaryState } from "../support/helpers.ts";
import { program } from "../support/program.ts";
import { recordsOf } from "../support/records.ts";

const PAGE = Deno.readTextFileSync(new URL("../../docs/operating.md", import.meta.url));

/** What sshd wrote, and how long ago. */
const MESSAGES: readonly (readonly [age: number, message: string])[] = [
  [2 * DAY, "Accepted publickey for alice from 203.0.113.77 port 50022 ssh2"],
  [2 * DAY - MINUTE, "Disconnected from user alice 203.0.113.77 port 50022"],
  ...Array.from(
    { length: 6 },
    (_, i) => [50 * MINUTE - i * SECOND, `Invalid user oracle from 203.0.113.5 port ${40022 + i}`] as const,
  ),
  ...Array.from(
    { length: 3 },
    (_, i) => [4 * MINUTE - i * SECOND, `Invalid user admin from 198.51.100.9 port ${40022 + i}`] as const,
  ),
  ...Array.from(
    { length: 4 },
    (_, i) => [2 * MINUTE - i * SECOND, `Invalid user alcie from 203.0.113.77 port ${50022 + i}`] as const,
  ),
];

/** Has a monitor by the shipped rules read all messages. */
async function happen({ state, directory }: TemporaryState): Promise<void> {
  const { modules, ipv6Prefix, trust, networkBans: networks } = loadConfig(SHIPPED, {
    known,
    state: directory,
  });
  const logins = new Logins(trust);
  const bans = new Bans({
    ...{
      state,
      logins,
      networks,
      firewall: new ObserveFirewall(),
      whitelist: new Whitelist(),
      log: memoryLog(),
    },
    known: () => ({ logins: state.logins.logins(), sessions: state.logins.sessions() }),
    clock: now,
    boot: () => BOOT,
  });
  const batches = state.batches(modules.map(({ module }) => module.name));
  const pipeline = new Pipeline(modules, {
    store: batches,
    judge: bans,
    log: memoryLog(),
    counting: { ipv6Prefix, lenience: (address, time) => logins.lenience(address, time) },
  });
  const feed = { name: "journal", reader: pipeline.readerFor(modules) };
  const sender = { uid: 0, unit: "ssh.service" };
  for (const [age, message] of MESSAGES) {
    const records = recordsOf([{ time: now() - age, identifier: "sshd", pid: 1, message, sender }]);
    pipeline.process({ records, position: "p", damaged: 0 }, feed, now());
  }
  batches.flush({ isLast: true });
  await bans.stop(AbortSignal.timeout(5_000));
}

/** Each command of the page with the output that the page shows. */
function answers(): readonly { readonly commands: readonly string[]; readonly shown: string }[] {
  return [...PAGE.matchAll(/```sh\n(?<commands>[^]*?)```\n+```text\n(?<shown>[^]*?)```/g)].map((
    { groups },
  ) => ({
    commands: groups!.commands!.trim().split("\n"),
    shown: groups!.shown!,
  }));
}

/** A text whose times and spans are all alike, without its line breaks. */
function timeless(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim()
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "TIME")
    .replaceAll(/\b(?:\d+[dhms])+ (?=ago|left)/g, "SPAN ");
}

Deno.test("docs/operating.md: each answer, run in order, prints what the page shows", async () => {
  using temporary = temporaryState();
  await happen(temporary);
  const all = answers();
  assert.equal(all.length, PAGE.match(/^## /gm)!.length, "each question has a command and an answer");
  for (const { commands, shown } of all) {
    let output = "";
    for (const command of commands) {
      const [name, ...args] = command.replace(/ +#.*/, "").split(" ");
      assert.equal(name, "strongmonitor", command);
      const { stdout, stderr } = await program([
        ...args,
        "--config",
        SHIPPED,
        "--state",
        temporary.directory,
      ]);
      output += stdout + stderr;
    }
    for (const part of shown.split("…\n")) {
      const told = timeless(output);
      assert.ok(
        told.includes(timeless(part)),
        `${commands.join("; ")}\n${timeless(part)}\nis not in\n${told}`,
      );
    }
  }
});
