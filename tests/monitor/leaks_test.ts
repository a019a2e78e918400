import { strict as assert } from "node:assert";
import { AddressReader } from "../../lib/core/address_reader.ts";
import { type Micros, MINUTE, SECOND } from "../../lib/core/time.ts";
import { type AppliedBan, Leaks } from "../../lib/monitor/leaks.ts";
import type { LogEvent } from "../../lib/reading/event.ts";
import { END, NO_ACTIVITY, NOTHING, type Says } from "../../lib/reading/message_reader.ts";
import { memoryLog, scopeOf } from "../support/helpers.ts";

/** When the firewall confirmed the bans of these tests. */
const CONFIRMED: Micros = 1_800_000_000 * SECOND;
const MODULES = [{ name: "SSHD", scope: "all" }, { name: "NGINX", scope: "tcp 80,443" }];

interface Line {
  readonly module?: number;
  readonly says?: Says;
  readonly status?: number;
  readonly isTrusted?: boolean;
  /** Whether it is committed at once. */
  readonly isKept?: boolean;
}

class Scene {
  readonly log = memoryLog();
  bans: AppliedBan[] = [];
  /** What was asked for last. */
  asked: readonly string[] = [];
  readonly leaks = new Leaks({
    modules: MODULES.map(({ name, scope }) => ({ name, scope: scopeOf(scope) })),
    bansOf: (addresses) => {
      this.asked = addresses;
      return this.bans.filter(({ address }) => addresses.includes(address));
    },
    lengths: { ipv4: [24], ipv6: [64, 48] },
    log: this.log,
  });

  ban(address: string, over: Partial<Omit<AppliedBan, "scope">> & { readonly scope?: string } = {}): void {
    const { scope = "all", ...others } = over;
    const id = this.bans.length + 1;
    const at = { start: CONFIRMED - SECOND, appliedAt: CONFIRMED };
    this.bans.push({ id, address, ...at, ...others, scope: scopeOf(scope) });
  }

  /** A line written so many seconds after the bans were confirmed. */
  line(address: string, seconds: number, over: Line = {}): void {
    const { module = 0, says = NOTHING, status = 0, isTrusted = true, isKept = true } = over;
    const reader = new AddressReader();
    reader.readText(address);
    const time = CONFIRMED + seconds * SECOND;
    const event = { reader: { address: reader, says, status }, module, time, isTrusted, isUnderstood: true };
    this.leaks.see(event as unknown as LogEvent);
    if (isKept) this.leaks.keepSeen();
  }

  look(seconds: number): string[] {
    return this.leaks.look(CONFIRMED + seconds * SECOND)
      .map(({ address, scope, lines, modules }) => `${address} ${scope} ${lines} ${modules}`);
  }
}

Deno.test("`Leaks` warns once of a banned address that goes on sending lines", () => {
  const scene = new Scene();
  scene.ban("198.51.100.7");
  for (const second of [6, 7]) {
    scene.line("198.51.100.7", second);
    assert.deepEqual(scene.look(second), []);
  }
  for (const second of [8, 9, 10]) {
    scene.line("198.51.100.7", second);
    scene.line("198.51.100.8", second);
    assert.deepEqual(scene.look(second), [`198.51.100.7 all ${second - 5} SSHD`]);
  }
  assert.equal(scene.log.lines.length, 1);
  assert.match(
    scene.log.lines[0]!,
    /^warn: 198\.51\.100\.7 is banned since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d and still getting through: 3 lines of SSHD/,
  );
});

Deno.test("`Leaks` counts no line that was written before the ban or was on its way", () => {
  const scene = new Scene();
  scene.ban("198.51.100.7");
  for (let i = 0; i < 9; i++) scene.line("198.51.100.7", -100 + i);
  for (let i = 0; i < 9; i++) scene.line("198.51.100.7", i / 2);
  assert.deepEqual(scene.look(60), []);
  // Old and new lines of one look: only the last one is sure to be new.
  for (const second of [1, 2, 8, 9]) scene.line("198.51.100.7", second);
  assert.deepEqual(scene.look(62), []);
  assert.deepEqual(scene.log.lines, []);
});

Deno.test("`Leaks` takes what a service says of silent clients, and lines that anybody may forge, for no sign", () => {
  const scene = new Scene();
  scene.ban("198.51.100.7");
  const lines: Line[] = [{ says: END }, { says: NO_ACTIVITY }, { status: 408 }, { status: 499 }, {
    isTrusted: false,
  }];
  for (const line of lines) for (let i = 0; i < 9; i++) scene.line("198.51.100.7", 60 + i, line);
  assert.deepEqual(scene.look(70), []);
});

Deno.test("`Leaks` sees that a network is banned, and what a ban is to cut off", () => {
  const scene = new Scene();
  scene.ban("198.51.100.0/24");
  scene.ban("2001:db8::/64");
  scene.ban("203.0.113.5", { scope: "tcp 22" });
  scene.ban("203.0.113.6", { scope: "tcp 80,443,8080" });
  for (const second of [10, 11, 12]) {
    scene.line(`198.51.100.${second}`, second);
    scene.line(`2001:db8::${second}`, second);
    scene.line("203.0.113.5", second, { module: 1 });
    scene.line("203.0.113.6", second, { module: 1 });
    scene.line("203.0.113.6", second);
  }
  assert.deepEqual(scene.look(12).sort(), [
    "198.51.100.0/24 all 3 SSHD",
    "2001:db8::/64 all 3 SSHD",
    "203.0.113.6 tcp 80,443,8080 3 NGINX",
  ]);
});

Deno.test("`Leaks` keeps the time of a ban that the firewall is told of again, and forgets one that has ended", () => {
  const scene = new Scene();
  scene.ban("198.51.100.7");
  for (const second of [0, 6, 8, 10]) {
    scene.line("198.51.100.7", second);
    // Each of its lines moves the end of the ban.
    scene.bans = scene.bans.map((ban) => ({ ...ban, appliedAt: CONFIRMED + second * SECOND }));
    scene.look(second);
  }
  assert.deepEqual(scene.look(12), ["198.51.100.7 all 3 SSHD"]);
  scene.bans = scene.bans.map((ban) => ({ ...ban, appliedAt: null }));
  assert.deepEqual(scene.look(13), ["198.51.100.7 all 3 SSHD"]);
  scene.bans = [];
  assert.deepEqual(scene.look(14), []);
  scene.ban("198.51.100.7", { id: 9, appliedAt: null });
  for (let i = 0; i < 9; i++) scene.line("198.51.100.7", 20 + i);
  assert.deepEqual(scene.look(30), [], "a ban that no firewall has yet");
});

Deno.test("`Leaks` counts lines once they are committed, and none twice that is read again", () => {
  const scene = new Scene();
  scene.ban("198.51.100.7");
  for (let round = 0; round < 3; round++) {
    for (const second of [6, 7]) scene.line("198.51.100.7", second, { isKept: false });
    assert.deepEqual(scene.look(8), []);
    scene.leaks.dropSeen();
  }
  for (const second of [6, 7]) scene.line("198.51.100.7", second, { isKept: false });
  scene.leaks.keepSeen();
  for (const second of [8, 9]) scene.line("198.51.100.7", second, { isKept: false });
  scene.leaks.keepSeen();
  assert.deepEqual(scene.look(9), ["198.51.100.7 all 4 SSHD"]);
});

Deno.test("`Leaks` tells no longer of one that has been silent for ten minutes", () => {
  const scene = new Scene();
  scene.ban("198.51.100.7");
  for (const second of [6, 7, 8]) scene.line("198.51.100.7", second);
  assert.equal(scene.look(9).length, 1);
  assert.equal(scene.look(8 + 10 * MINUTE / SECOND).length, 1);
  assert.equal(scene.look(9 + 10 * MINUTE / SECOND).length, 0);
});

Deno.test("`Leaks` remembers a bounded number of addresses, and of very many banned ones still some", () => {
  const scene = new Scene();
  for (let i = 0; i < 3_000; i++) scene.ban(`10.0.${i >> 8}.${i & 255}`);
  for (let second = 10; second < 60; second += 2) {
    for (let i = 0; i < 3_000; i++) scene.line(`10.0.${i >> 8}.${i & 255}`, second);
    assert.ok(scene.look(second).length <= 20);
    assert.ok(scene.asked.length <= 2 * 256 + 1_000);
  }
  assert.equal(scene.look(60).length, 20);
});
