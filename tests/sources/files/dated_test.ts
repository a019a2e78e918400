import { strict as assert } from "node:assert";
import { decode } from "../../../lib/core/bytes.ts";
import type { TimeOf } from "../../../lib/sources/files/since.ts";
import { eventually } from "../../support/helpers.ts";
import { Following, type FollowOptions, LogDirectory } from "../../support/file_following.ts";

/** Reads `12 text` as 12; what does not begin so tells no time. */
const timeOf: TimeOf = (bytes, from, to) => {
  const line = decode(bytes, from, to);
  return /^\d+ /.test(line) ? parseInt(line) : NaN;
};
const OPTIONS: FollowOptions = { timeOf, since: 5, poll: 20_000, linger: 50_000 };
const OLD = Date.now() / 1_000 - 86_400;

/** Lets some looks pass, in which nothing is to happen. */
const someLooks = () => new Promise((resolve) => setTimeout(resolve, 300));

/** Lines longer together than what a file is known by. */
function many(name: string): string[] {
  return Array.from({ length: 40 }, (_, i) => `${100 + i} ${name} ${"x".repeat(40)}`);
}

const NAMES: Record<string, string> = {
  "a.log": "a-2026-11-28.log",
  "site.log": "site_2026-11-28.log",
  "b.log": "b.2026-11-28.log",
  "c.log": "c-20261128.log",
  "d.log": "d-2026112809.log",
  "e.log": "e-2026-11-28_09.log",
  "f.log": "f.log.2026-11-28",
  "g.log": "g.log-20261128",
};

for (const [plain, dated] of Object.entries(NAMES)) {
  Deno.test(`${dated} beside ${plain} is read, be it there before or be it new`, async () => {
    using logs = new LogDirectory();
    const next = dated.replace("28", "29");
    logs.write(plain, "");
    logs.write(dated, "");
    await using following = await new Following(logs.at("*log*"), {
      ...OPTIONS,
      since: Date.now() * 1_000 - 1e6,
    }).begun();
    logs.append(dated, "10 one\n");
    await following.saw("10 one");
    logs.write(next, "11 two\n");
    await following.saw("10 one", "11 two");
    logs.append(dated, "12 late\n");
    logs.append(plain, "13 plain\n");
    await eventually(() => following.entries.length === 4);
    const after = await following.stop();
    logs.append(next, "14 four\n");
    logs.write(dated.replace("28", "30"), "15 five\n");
    await using again = new Following(logs.at("*log*"), { ...OPTIONS, after });
    await eventually(() => again.entries.length === 2);
    assert.deepEqual(again.lines.sort(), ["14 four", "15 five"]);
  });
}

Deno.test("dated logs of earlier days are left alone at the first start, and read on when they grow", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  for (const day of ["25", "26", "27"]) {
    logs.write(`a-2026-11-${day}.log`, `9 of ${day}\n`);
    logs.touch(`a-2026-11-${day}.log`, OLD);
  }
  const since = Date.now() * 1_000 - 60e6;
  await using following = await new Following(logs.at("*.log"), { ...OPTIONS, since }).begun();
  await someLooks();
  assert.equal(JSON.parse(following.position!).files.length, 1);
  logs.append("a-2026-11-27.log", "10 new\n");
  await following.saw("10 new");
  const after = await following.stop();
  logs.append("a-2026-11-27.log", "11 newer\n");
  await using again = new Following(logs.at("*.log"), { ...OPTIONS, after });
  await again.saw("11 newer");
});

/** Rotations to a dated name that the pattern fits. */
const ROTATIONS: Record<string, (logs: LogDirectory, name: string) => void> = {
  "renamed": (logs, name) => {
    logs.rename("a.log", name);
    logs.write("a.log", "");
  },
  "copied and truncated": (logs, name) => {
    logs.copy("a.log", name);
    logs.truncate("a.log");
  },
};

for (const [how, rotate] of Object.entries(ROTATIONS)) {
  for (const compressed of [false, true]) {
    const then = compressed ? ", and compressed later," : "";
    Deno.test(`logs that are ${how}${then} to dated names are not read twice`, async () => {
      using logs = new LogDirectory();
      logs.write("a.log", "");
      await using following = await new Following(logs.at("a*"), OPTIONS).begun();
      const seen: string[] = [];
      for (let day = 20; day < 24; day++) {
        logs.append("a.log", `${many(`day ${day}`).join("\n")}\n`);
        seen.push(...many(`day ${day}`));
        await following.saw(...seen);
        rotate(logs, `a-202611${day}.log`);
        if (compressed && day > 20) logs.gzip(`a-202611${day - 1}.log`);
        logs.append("a.log", `200 ${day} begins\n`);
        seen.push(`200 ${day} begins`);
        await following.saw(...seen);
        await eventually(() => JSON.parse(following.position!).files.length === 1);
      }
      await someLooks();
      const after = await following.stop();
      logs.append("a.log", "300 end\n");
      await using again = new Following(logs.at("a*"), { ...OPTIONS, after });
      await again.saw("300 end");
      await someLooks();
      assert.deepEqual([following.lines, again.lines], [seen, ["300 end"]]);
    });

    Deno.test(`logs that were ${how}${then} to dated names while nobody looked are read on, once`, async () => {
      using logs = new LogDirectory();
      logs.write("a.log", "");
      await using before = await new Following(logs.at("a*"), OPTIONS).begun();
      logs.append("a.log", `${many("first").join("\n")}\n`);
      await before.saw(...many("first"));
      const after = await before.stop();
      logs.append("a.log", "200 rest\n");
      rotate(logs, "a-20261123.log");
      logs.append("a.log", `${many("second").join("\n")}\n`);
      rotate(logs, "a-20261124.log");
      logs.append("a.log", "300 third\n");
      const now = Date.now() / 1_000;
      logs.touch("a-20261123.log", now + 1);
      logs.touch("a-20261124.log", now + 2);
      if (compressed) logs.gzip("a-20261123.log");
      await using following = new Following(logs.at("a*"), { ...OPTIONS, after });
      await following.saw("200 rest", ...many("second"), "300 third");
      await eventually(() => JSON.parse(following.position!).files.length === 1);
      logs.append("a.log", "301 end\n");
      await following.saw("200 rest", ...many("second"), "300 third", "301 end");
    });
  }
}

Deno.test("a log whose name is a link to that of the day is read once", async () => {
  using logs = new LogDirectory();
  logs.write("a-2026-11-28.log", "");
  Deno.symlinkSync("a-2026-11-28.log", logs.at("a.log"));
  await using following = await new Following(logs.at("*.log"), OPTIONS).begun();
  logs.append("a-2026-11-28.log", "10 one\n");
  await following.saw("10 one");
  logs.write("a-2026-11-29.log", "11 two\n");
  logs.remove("a.log");
  Deno.symlinkSync("a-2026-11-29.log", logs.at("a.log"));
  await following.saw("10 one", "11 two");
  logs.append("a-2026-11-28.log", "12 late\n");
  logs.append("a-2026-11-29.log", "13 three\n");
  await eventually(() => following.entries.length === 4);
  await someLooks();
  assert.equal(following.entries.length, 4);
});
