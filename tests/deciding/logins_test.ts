import { strict as assert } from "node:assert";
import { type LoginChange, loginChange } from "../../lib/deciding/login_change.ts";
import { Logins } from "../../lib/deciding/logins.ts";
import { noteAll, sshdEvent } from "../support/login_events.ts";

const OWNER = "192.0.2.7";
const V6 = "2001:db8::7";
const TRUST = { span: 100, methods: new Set(["publickey"]), factor: 3 };

function opened(
  address: string,
  over: { port?: number; pid?: number; time?: number; method?: string } = {},
): LoginChange {
  return {
    kind: "opened",
    address,
    port: 1,
    pid: null,
    time: 1_000,
    user: "me",
    method: "publickey",
    ...over,
  };
}

function logins(...changes: LoginChange[]): Logins {
  const logins = new Logins(TRUST);
  noteAll(logins, ...changes);
  return logins;
}

/** What sshd's message means for logins. */
function changeBy(message: string, isTrusted = true): LoginChange | null {
  return loginChange(sshdEvent(message, { isTrusted }));
}

Deno.test("`loginChange()` knows who logs in and what connection ends by sshd's own words", () => {
  const connection = { address: OWNER, port: 51234, time: 5 };
  const key = "Accepted publickey for root from 192.0.2.7 port 51234 ssh2: ED25519 SHA256:abc";
  assert.deepEqual(changeBy(key), {
    kind: "opened",
    ...connection,
    pid: 7,
    user: "root",
    method: "publickey",
  });
  const pam = "Accepted keyboard-interactive/pam for root from 192.0.2.7 port 51234 ssh2";
  assert.equal((changeBy(pam) as { method: string }).method, "keyboard-interactive/pam");
  for (
    const end of [
      "Received disconnect from 192.0.2.7 port 51234:11: disconnected by user",
      "Disconnected from user root 192.0.2.7 port 51234",
      "Connection closed by 192.0.2.7 port 51234",
      "Connection reset by 192.0.2.7 port 51234",
      "Timeout, client not responding from user root 192.0.2.7 port 51234",
    ]
  ) assert.deepEqual(changeBy(end), { kind: "closed", end: connection }, end);
  const closed = changeBy("pam_unix(sshd:session): session closed for user root");
  assert.deepEqual(closed, { kind: "closed", end: { address: null, pid: 7, time: 5 } });
  for (
    const other of [
      "Connection from 192.0.2.7 port 51234 on 192.0.2.1 port 22",
      "Connection closed by authenticating user root 192.0.2.7 port 51234 [preauth]",
      "Failed password for root from 192.0.2.7 port 51234 ssh2",
      "Invalid user Accepted publickey from 192.0.2.7 port 51234",
    ]
  ) assert.equal(changeBy(other), null, other);
  assert.equal(changeBy(key, false), null, "what any user could have forged");
});

Deno.test("`Logins.note()` takes note of logins and ends of connections, and tells whether that changed anything", () => {
  const known = new Logins(TRUST);
  const note = (message: string, pid = 7, time = 5) => known.note(sshdEvent(message, { pid, time }));
  const ended = "Disconnected from user root";
  assert.equal(note(`${ended} 192.0.2.7 port 51234`), false, "nobody is logged in");
  assert.equal(note("Accepted publickey for root from 192.0.2.7 port 51234 ssh2"), true);
  assert.equal(note("Accepted publickey for root from 2001:db8::7 port 51234 ssh2", 8), true);
  assert.equal(note("Accepted password for bob from 198.51.100.1 port 7 ssh2", 9), true);
  assert.deepEqual(known.openAddresses, [OWNER, V6, "198.51.100.1"]);
  assert.equal(note(`${ended} 192.0.2.7 port 51235`), false, "another connection of the address");
  assert.equal(note(`${ended} 192.0.2.8 port 51234`), false, "the same port of another address");
  assert.equal(note(`${ended} 2001:db8::7 port 51235`), false);
  assert.equal(note(`${ended} 192.0.2.7 port 51234`, 7, 4), false, "before the login");
  assert.equal(note(`${ended} 192.0.2.7 port 51234`), true);
  assert.equal(note(`${ended} 2001:db8::7 port 51234`), true);
  const closed = "pam_unix(sshd:session): session closed for user bob";
  assert.equal(note(closed, 10), false, "a process that serves nobody");
  assert.equal(note(closed, 9), true);
  assert.deepEqual(known.openAddresses, []);
});

Deno.test("`Logins.openAddresses` names an address as long as one of its sessions is open", () => {
  const known = logins(opened(OWNER, { port: 1 }), opened(OWNER, { port: 2 }), opened(V6));
  const close = (port: number, time = 2_000) =>
    noteAll(known, { kind: "closed", end: { address: OWNER, port, time } });
  assert.equal(close(3), false, "most connections end without a login");
  assert.equal(close(1, 900), false, "the end of an earlier connection from the same port");
  assert.equal(close(1), true);
  assert.deepEqual(known.openAddresses, [OWNER, V6]);
  assert.equal(close(2), true);
  assert.deepEqual(known.openAddresses, [V6]);
});

Deno.test("`Logins.openAddresses` goes by the process where the end of a session names nobody", () => {
  const known = logins(opened(OWNER, { pid: 7 }), opened(V6, { pid: 8 }));
  const close = (pid: number, time = 2_000) =>
    noteAll(known, { kind: "closed", end: { address: null, pid, time } });
  assert.deepEqual([close(9), close(7, 900), close(7)], [false, false, true]);
  assert.deepEqual(known.openAddresses, [V6]);
  noteAll(known, opened(OWNER, { pid: 8, time: 3_000 }));
  assert.deepEqual(known.openAddresses, [OWNER], "a process serves one at a time");
});

Deno.test("`Logins.openAddresses` loses all sessions of a process with it, those of a log read out of order too", () => {
  const end: LoginChange = { kind: "closed", end: { address: null, pid: 5, time: 2_000 } };
  const late = [opened(OWNER, { pid: 5 }), opened(V6, { pid: 5, port: 2, time: 500 })];
  assert.deepEqual(logins(...late).openAddresses.sort(), [OWNER, V6]);
  assert.deepEqual(logins(...late, end).openAddresses, []);
  const moved = [opened(OWNER, { pid: 5 }), opened(OWNER, { pid: 6 }), end];
  assert.deepEqual(logins(...moved).openAddresses, [OWNER], "another process serves it now");
});

Deno.test("`Logins.trusted()` trusts a key for the time given, its network too, and a password never", () => {
  const known = logins(opened(OWNER), opened("192.0.2.8", { method: "password" }), opened(V6));
  assert.equal(known.trusted(OWNER, 1_099)?.user, "me");
  assert.equal(known.trusted(OWNER, 1_100), null);
  assert.equal(known.trusted("192.0.2.0/24", 1_050)?.address, OWNER);
  assert.equal(known.trusted("2001:db8::/64", 1_050)?.address, V6);
  assert.equal(known.trusted("198.51.100.0/24", 1_050), null);
  assert.equal(known.trusted("192.0.2.8", 1_050), null);
  assert.equal(new Logins(null).trusted(OWNER, 1_050), null);
});

Deno.test("`Logins.lenience()` is the factor after any login, and 1 for strangers and when it was long ago", () => {
  const known = logins(opened("192.0.2.8", { method: "password" }));
  assert.deepEqual([
    known.lenience("192.0.2.8", 1_050),
    known.lenience("192.0.2.8", 1_100),
    known.lenience(OWNER, 1_050),
    new Logins(null).lenience("192.0.2.8", 1_050),
  ], [3, 1, 1, 1]);
});

Deno.test("`Logins.restore()` takes what is stored in place of what was noted", () => {
  const known = logins(opened(OWNER));
  known.restore({ logins: [], sessions: [{ address: V6, port: 1, pid: null, time: 1 }] });
  assert.deepEqual([known.openAddresses, known.trusted(OWNER, 1_001)], [[V6], null]);
});

Deno.test("`Logins.takeUpdate()` returns each change once, and only sessions that are open or stored", () => {
  const known = new Logins(null);
  known.restore({ logins: [], sessions: [{ address: V6, port: 9, pid: 9, time: 1 }] });
  const close = (pid: number): LoginChange => ({ kind: "closed", end: { address: null, pid, time: 2_000 } });
  const [brief, stays] = [
    opened(OWNER, { port: 1, pid: 1 }),
    opened(OWNER, { port: 2, pid: 2, time: 1_001 }),
  ];
  assert.equal(noteAll(known, brief, close(1), stays, close(9)), true);
  const ports = () => {
    const { logins, opened, closed } = known.takeUpdate();
    return [logins.map(({ time }) => time), opened.map(({ port }) => port), closed.map(({ port }) => port)];
  };
  assert.deepEqual(ports(), [[1_001], [2], [9]]);
  assert.deepEqual(ports(), [[], [], []]);
  assert.equal(noteAll(known, close(2), opened(OWNER, { port: 2, pid: 3, time: 2_001 })), true);
  assert.deepEqual(ports(), [[2_001], [2], []], "another session from the same port takes its place");
  noteAll(known, close(3));
  known.restore({ logins: [], sessions: [] });
  assert.deepEqual(ports(), [[], [], []]);
  assert.equal(noteAll(known, close(3)), false);
});
