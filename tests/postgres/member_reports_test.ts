import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/core/time.ts";
import { type MemberReport, memberReports } from "../../lib/postgres/member_reports.ts";
import { MONDAY, TestMember, testOnPostgres } from "../support/postgres_fixtures.ts";

await testOnPostgres("what other members have seen", {
  "is told by member: lines, and bans of the address and of networks around it": async ({ login, query }) => {
    await using other = new TestMember(login);
    await using own = new TestMember(login);
    for (const member of [other, own]) {
      member.outbox.add({ address: "192.0.2.1" });
      member.outbox.add({ address: "192.0.2.1" });
      member.outbox.add({ address: "192.0.2.9" });
      await member.shipped();
    }
    await query("UPDATE host SET name = 'other' WHERE id = '" + other.outbox.hostId + "'");
    const insert = (address: string, id: number, ended: string) =>
      query(`INSERT INTO ban (host, id, address, reason, count, start, ended, end_reason, change)
        VALUES ('${other.outbox.hostId}', ${id}, '${address}', '[SSHD] guess', 3, to_timestamp(${id}), ${ended}, ${id})`);
    await insert("192.0.2.1", 1, "to_timestamp(2), 'unban'");
    await insert("192.0.2.0/24", 3, "NULL, NULL");
    await insert("192.0.2.9", 4, "NULL, NULL");
    await insert("192.0.2.0/28", 5, "'infinity', 'unban'");
    const question = { host: own.outbox.hostId, address: "192.0.2.1", networks: ["192.0.2.0/24"] };
    await query("UPDATE ban SET start = '-infinity' WHERE id = 5");
    const ban = { reason: "[SSHD] guess", until: null };
    const wide = { ...question, networks: ["192.0.2.0/28"] };
    const [{ bans }] = (await memberReports(login, wide, 5 * SECOND)) as [MemberReport];
    assert.deepEqual(bans.map(({ start, ended }) => [start, ended]), [
      [SECOND, 2 * SECOND],
      [0, Date.UTC(2255, 0, 1) * 1000],
    ]);
    assert.deepEqual(await memberReports(login, question, 5 * SECOND), [{
      member: "other",
      lines: 2,
      lastLine: MONDAY + 2,
      bans: [
        { ...ban, address: "192.0.2.0/24", start: 3 * SECOND, ended: null, endReason: null },
        { ...ban, address: "192.0.2.1", start: SECOND, ended: 2 * SECOND, endReason: "unban" },
      ],
    }]);
    // However many lines the fleet has of an address, the newest are read once.
    await query(
      `INSERT INTO log SELECT '${own.outbox.hostId}', n, 'SSHD', '192.0.2.1', to_timestamp(${
        MONDAY / SECOND + 9
      }), 'x'
      FROM generate_series(1000, 10999) AS n; DELETE FROM ban`,
    );
    assert.deepEqual(await memberReports(login, question, 5 * SECOND), []);
    await query("DELETE FROM log WHERE seq = 10999");
    assert.deepEqual(await memberReports(login, question, 5 * SECOND), [
      { member: "other", lines: 1, lastLine: MONDAY + 2, bans: [] },
    ]);
    const nobody = { ...question, address: "203.0.113.1", networks: ["203.0.113.0/24"] };
    assert.deepEqual(await memberReports(login, nobody, 5 * SECOND), []);
  },
});
