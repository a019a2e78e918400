/** `watch` on a real pseudo terminal, which tmux gives and shows. */
import { strict as assert } from "node:assert";
import { State } from "../../../lib/state/state.ts";
import { MAIN, program } from "../../support/program.ts";
import { Tmux } from "../../support/tmux.ts";

const MONITOR = new URL("../../support/watch_monitor.ts", import.meta.url).pathname;
const FAULT = new URL("../../support/watch_fault.ts", import.meta.url).pathname;
const DENO = [Deno.execPath(), "run", "--quiet", "--no-prompt", "--no-check", "--allow-all"];

/** A state as a monitor left it that was attacked. */
async function attackedState(): Promise<{ directory: string } & Disposable> {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  const [command, ...args] = DENO;
  const { success, stderr } = await new Deno.Command(command!, {
    args: [...args, MONITOR, directory, "once"],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return { directory, [Symbol.dispose]: () => Deno.removeSync(directory, { recursive: true }) };
}

function watch(directory: string, ...more: string[]): string[] {
  return [...DENO, MAIN, "watch", "--config", "/nonexistent", "--state", directory, ...more];
}

const options = { ignore: !Tmux.isThere, sanitizeOps: false, sanitizeResources: false };

Deno.test({
  name:
    `watch shows a state, follows keys and sizes, bans by hand, and leaves the terminal clean${Tmux.missing}`,
  ...options,
  async fn(test) {
    using attacked = await attackedState();
    await using tmux = await Tmux.open({ columns: 80, rows: 24 });
    const before = await tmux.modes();
    await tmux.run(watch(attacked.directory));
    await test.step("shows", async () => {
      await tmux.until(/NEWEST BANS/);
      const lines = await tmux.screen();
      assert.match(lines[0]!, /^ StrongMonitor {2}not running · nftables · \d+ bans/);
      assert.match(lines[1]!, /^ ! no monitor runs on this state/);
      assert.match(lines[23]!, /^ Enter why {2}b ban/);
      assert.equal((await tmux.modes()).alternate, "1");
    });
    await test.step("follows another size", async () => {
      await tmux.resize({ columns: 120, rows: 40 });
      await tmux.until(/count by/);
      const lines = await tmux.screen();
      assert.match(lines[39]!, /^ Enter why {2}b ban/);
      await tmux.resize({ columns: 40, rows: 10 });
      await tmux.until(/This terminal has 40 columns and 10/);
      await tmux.resize({ columns: 80, rows: 24 });
      await tmux.until(/NEWEST BANS/);
    });
    await test.step("bans by hand", async () => {
      await tmux.keys("b", "C-u", "198.18.0.77", "Enter", "C-u", "2h", "Enter");
      await tmux.until(/Ban 198\.18\.0\.77 for 2h\? y: yes/);
      await tmux.keys("y");
      await tmux.until(/198\.18\.0\.77 banned until/);
      await tmux.keys("Escape");
      await tmux.until(/198\.18\.0\.77 +1h59m by hand/);
      const state = new State(attacked.directory);
      assert.equal(state.bans.inForceOf(["198.18.0.77"])[0]?.provenance.kind, "manual");
      state.close();
    });
    await test.step("says why, and unbans", async () => {
      await tmux.keys("Tab", "Home", "Enter");
      await tmux.until(/198\.18\.0\.77 is banned since/);
      await tmux.keys("Escape", "u", "Enter", "y");
      await tmux.until(/198\.18\.0\.77 unbanned/);
      await tmux.keys("q");
    });
    await test.step("says what is wrong with what is typed", async () => {
      await tmux.until(/NEWEST BANS/);
      await tmux.keys("w", "C-u", "nobody!", "Enter");
      await tmux.until(/Expected an address, a network or a DNS name/);
      await tmux.keys("Escape");
    });
    await test.step("leaves the terminal clean", async () => {
      await tmux.until(/NEWEST BANS/);
      await tmux.keys("q");
      assert.equal(await tmux.exitCode(), 0);
      assert.deepEqual(await tmux.modes(), before);
      assert.doesNotMatch((await tmux.screen()).join("\n"), /StrongMonitor|NEWEST/);
    });
  },
});

for (const signal of ["TERM", "HUP", "INT"]) {
  Deno.test({
    name: `watch leaves the terminal clean at SIG${signal}${Tmux.missing}`,
    ...options,
    async fn() {
      using attacked = await attackedState();
      await using tmux = await Tmux.open({ columns: 80, rows: 24 });
      const before = await tmux.modes();
      await tmux.run(watch(attacked.directory));
      await tmux.until(/NEWEST BANS/);
      await tmux.signal(signal);
      assert.equal(await tmux.exitCode(), 0);
      assert.deepEqual(await tmux.modes(), before);
    },
  });
}

Deno.test({
  name: `watch leaves the terminal clean when an error is thrown, and shows that${Tmux.missing}`,
  ...options,
  async fn() {
    using attacked = await attackedState();
    await using tmux = await Tmux.open({ columns: 80, rows: 24 });
    const before = await tmux.modes();
    await tmux.run([...DENO, FAULT, attacked.directory]);
    assert.notEqual(await tmux.exitCode(), 0);
    assert.deepEqual(await tmux.modes(), before);
    assert.match((await tmux.screen()).join("\n"), /a fault of the picture/);
  },
});

Deno.test({
  name: `watch without colour shows the same, and in ASCII nothing else${Tmux.missing}`,
  ...options,
  async fn() {
    using attacked = await attackedState();
    await using tmux = await Tmux.open({ columns: 80, rows: 24 });
    await tmux.run(["env", "NO_COLOR=1", ...watch(attacked.directory, "--ascii")]);
    await tmux.until(/NEWEST BANS/);
    const painted = (await tmux.screen({ withStyles: true })).join("\n");
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(painted, /\x1b\[(?:\d+;)*3[0-7]m/);
    assert.match((await tmux.screen()).join(""), /^[ -~]*$/);
    await tmux.keys("q");
    assert.equal(await tmux.exitCode(), 0);
  },
});

Deno.test("watch without a terminal says so and exits with 64", async () => {
  const { code, stdout, stderr } = await program(["watch", "--state", "/nonexistent"]);
  assert.deepEqual([code, stdout], [64, ""]);
  assert.equal(
    stderr,
    "strongmonitor: Cannot show a live view: this is no terminal; `status`, `top` and `bans` print what there is\n",
  );
});
