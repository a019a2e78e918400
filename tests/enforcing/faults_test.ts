/** Bans while the state cannot be written: nothing is lost, nothing else stands still, and the log hears of it once. */
import { strict as assert } from "node:assert";
import { DecidingBans } from "../support/deciding_bans.ts";
import { Whitelist } from "../../lib/deciding/whitelist.ts";
import type { Ban, NewBan } from "../../lib/deciding/ban.ts";
import type { Outcome } from "../../lib/firewall/firewall.ts";
import { NotingFirewall } from "../support/bans_scene.ts";
import { BOOT, eventually, MANUAL, memoryLog, strangers } from "../support/helpers.ts";
import { FAULTS } from "../support/faults.ts";

const BANS = ["192.0.2.1", "192.0.2.2"].map((address): NewBan => {
  return { address, scope: "all", provenance: MANUAL, reason: "x", count: 0, start: 1, until: null };
});

for (const { name, ignore, run } of FAULTS) {
  Deno.test({
    name: `\`Bans\` backs off while ${name}, and goes on afterwards`,
    ignore,
    fn: () =>
      run(async (state) => {
        const firewall = new NotingFirewall();
        const log = memoryLog();
        const parts = { state, firewall, whitelist: new Whitelist(), log, clock: () => 2_000 };
        const bans = new DecidingBans({ ...parts, boot: () => BOOT, ...strangers() });
        state.bans.addAll(BANS);
        state.breakDown();
        for (let i = 0; i < 20; i++) {
          bans.enforce();
          // Timers run: this would never come back if the enforcer took the same ban again and again.
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        assert.equal(firewall.held.size, 0, "who is not noted as told is not told");
        const held = () => log.lines.filter((line) => line.startsWith("error: bans are held up"));
        assert.equal(held().length, 1, log.lines.join("\n"));
        state.repair();
        await eventually(() => firewall.held.size === 2);
        await eventually(() => state.bans.inForce().every(({ appliedAt }) => appliedAt !== null));
        assert.equal(held().length, 1);
        assert.ok(log.lines.includes("info: bans are held up no longer"));
        await bans.stop(AbortSignal.abort());
      }),
  });

  Deno.test({
    name: `\`Bans\` tells the firewall once more what it could not confirm, as ${name}`,
    ignore,
    fn: () =>
      run(async (state) => {
        const log = memoryLog();
        let calls = 0;
        class Breaking extends NotingFirewall {
          override ban(bans: readonly Ban[]): Promise<Outcome[]> {
            if (calls++ === 0) state.breakDown();
            return super.ban(bans);
          }
        }
        const parts = {
          state,
          firewall: new Breaking(),
          whitelist: new Whitelist(),
          log,
          clock: () => 2_000,
        };
        const bans = new DecidingBans({ ...parts, boot: () => BOOT, ...strangers() });
        state.bans.addAll(BANS);
        bans.enforce(BANS);
        await eventually(() => log.lines.some((line) => line.startsWith("error: bans are held up")));
        assert.ok(state.bans.inForce().every(({ appliedBy, appliedAt }) => appliedBy && appliedAt === null));
        state.repair();
        await eventually(() => state.bans.inForce().every(({ appliedAt }) => appliedAt !== null));
        assert.equal(calls, 2);
        await bans.stop(AbortSignal.abort());
      }),
  });

  Deno.test({
    name: `\`Bans\` tries again soon though many calls at once could not be confirmed, as ${name}`,
    ignore,
    fn: () =>
      run(async (state) => {
        const log = memoryLog();
        const answers = Promise.withResolvers<void>();
        class Parallel extends NotingFirewall {
          override readonly batch = 1;
          override readonly parallel = 6;
          calls = 0;
          override async ban(bans: readonly Ban[]): Promise<Outcome[]> {
            this.calls++;
            await answers.promise;
            return super.ban(bans);
          }
        }
        const firewall = new Parallel();
        const parts = { state, firewall, whitelist: new Whitelist(), log, clock: () => 2_000 };
        const bans = new DecidingBans({ ...parts, boot: () => BOOT, ...strangers() });
        const many = Array.from({ length: 6 }, (_, i) => ({ ...BANS[0]!, address: `192.0.2.${i}` }));
        state.bans.addAll(many);
        bans.enforce(many);
        assert.equal(firewall.calls, 6);
        state.breakDown();
        answers.resolve();
        await eventually(() => log.lines.some((line) => line.startsWith("error: bans are held up")));
        state.repair();
        // With a doubled wait for each call, the next try would come after 32 seconds.
        await eventually(() => state.bans.inForce().every(({ appliedAt }) => appliedAt !== null), 10);
        await bans.stop(AbortSignal.abort());
      }),
  });
}
