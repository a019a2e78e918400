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
const OPTIONS: FollowOptions = { timeOf, poll: 20_000 };

/** Lines that tell their times. */
function timed(from: number, to: number, text = "somebody came by"): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => `${from + i} ${text}`);
}

/** Lines that tell no time, longer together than what a file is known by. */
function untimed(from: number, to: number): string[] {
  return Array.from(
    { length: to - from + 1 },
    (_, i) => `somebody with a rather long name and nothing else came by, number ${from + i}`,
  );
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/** A way to put other content into a log. */
type Rewriting = (logs: LogDirectory, text: string) => void;

const IN_PLACE: Rewriting = (logs, text) => logs.write("a.log", text);
const WAYS: Record<string, Rewriting> = {
  "in place": IN_PLACE,
  "as a new file that takes its name": (logs, text) => {
    logs.write("other", text);
    logs.rename("other", "a.log");
  },
  "as a new file after it was deleted": (logs, text) => {
    logs.remove("a.log");
    logs.write("a.log", text);
  },
  "as a new file, the old one kept beside it": (logs, text) => {
    logs.rename("a.log", "a.log.bak");
    logs.write("a.log", text);
  },
};

/** What is left of the lines that were read. */
const EDITS: Record<string, (lines: string[]) => string[]> = {
  "without its first line": (lines) => lines.slice(1),
  "with its last twenty lines alone": (lines) => lines.slice(-20),
  "without every third line": (lines) => lines.filter((_, i) => i % 3 > 0),
  "without the last lines": (lines) => lines.slice(0, -5),
  "with a word changed in some lines": (lines) =>
    lines.map((line, i) => i % 10 === 4 ? line.replace("somebody", "anybody at all") : line),
  "with all its lines": (lines) => lines,
};

for (const [how, rewrite] of Object.entries(WAYS)) {
  for (const [what, edit] of Object.entries(EDITS)) {
    Deno.test(`a log written anew ${how}, ${what}, is read on behind what was read`, async () => {
      using logs = new LogDirectory();
      logs.write("a.log", "");
      await using following = await new Following(logs.at("a.log"), OPTIONS).begun();
      const lines = timed(100, 400);
      logs.append("a.log", textOf(lines));
      await following.saw(...lines);
      rewrite(logs, textOf([...edit(lines), "500 new"]));
      await following.saw(...lines, "500 new");
      logs.append("a.log", "501 newer\n");
      await following.saw(...lines, "500 new", "501 newer");
    });

    Deno.test(`a log written anew ${how}, ${what}, while nobody looked, is read on behind what was read`, async () => {
      using logs = new LogDirectory();
      logs.write("a.log", "");
      await using before = await new Following(logs.at("a.log"), OPTIONS).begun();
      const lines = untimed(100, 400);
      logs.append("a.log", textOf(lines));
      await before.saw(...lines);
      const after = await before.stop();
      rewrite(logs, textOf([...edit(lines), "new"]));
      await using following = new Following(logs.at("a.log"), { ...OPTIONS, after });
      await following.saw("new");
      logs.append("a.log", "newer\n");
      await following.saw("new", "newer");
      assert.deepEqual(following.problems, []);
    });
  }
}

/** What an editor or a script leaves of a log with lines that nobody has read yet. */
const LATE_EDITS = {
  "with all its lines": (lines: string[]) => lines,
  "without its first lines": (lines: string[]) => lines.slice(60),
};
/** Seconds since the log's last change: the reader comes so late that the log does not seem unfinished. */
const LATE = 10;

for (const [how, rewrite] of Object.entries(WAYS)) {
  for (const [what, edit] of Object.entries(LATE_EDITS)) {
    Deno.test(`unread lines of a log written anew ${how}, ${what}, are read once`, async () => {
      using logs = new LogDirectory();
      logs.write("a.log", "");
      // Without inotify each look begins with the names.
      const options = { ...OPTIONS, inotify: false };
      await using following = await new Following(logs.at("a.log"), options).begun();
      const lines = timed(100, 400);
      const read = lines.slice(0, 100), unread = lines.slice(100);
      logs.append("a.log", textOf(read));
      await following.saw(...read);
      writeLate(logs, { rewrite, lines, unread, edit });
      logs.append("a.log", "501 newer\n");
      const left = how === "in place" ? edit(lines).filter((line) => unread.includes(line)) : unread;
      await following.saw(...read, ...left, "500 new", "501 newer");
    });

    Deno.test(`unread lines of a log written anew ${how}, ${what}, while nobody looked, are read once`, async () => {
      using logs = new LogDirectory();
      logs.write("a.log", "");
      await using before = await new Following(logs.at("a.log"), OPTIONS).begun();
      const lines = timed(100, 400);
      const read = lines.slice(0, 100), unread = lines.slice(100);
      logs.append("a.log", textOf(read));
      await before.saw(...read);
      const after = await before.stop();
      writeLate(logs, { rewrite, lines, unread, edit });
      await using following = new Following(logs.at("a.log"), { ...OPTIONS, after });
      const left = how.endsWith("kept beside it")
        ? unread
        : edit(lines).filter((line) => unread.includes(line));
      await following.saw(...left, "500 new");
      logs.append("a.log", "501 newer\n");
      await following.saw(...left, "500 new", "501 newer");
    });
  }
}

Deno.test("a log saved by an editor that keeps a backup, and again while nobody looked, gives each line once", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using before = await new Following(logs.at("a.log"), OPTIONS).begun();
  const all = timed(100, 400);
  const save = () => {
    logs.rename("a.log", "a.log~");
    logs.copy("a.log~", "a.log");
  };
  logs.append("a.log", textOf(all.slice(0, 100)));
  await before.saw(...all.slice(0, 100));
  for (const end of [150, 200]) {
    save();
    logs.append("a.log", textOf(all.slice(end - 50, end)));
    await before.saw(...all.slice(0, end));
  }
  const after = await before.stop();
  logs.append("a.log", textOf(all.slice(200, 250)));
  save();
  logs.append("a.log", textOf(all.slice(250, 300)));
  await using following = new Following(logs.at("a.log"), { ...OPTIONS, after });
  await following.saw(...all.slice(200, 300));
  logs.append("a.log", "501 newer\n");
  await following.saw(...all.slice(200, 300), "501 newer");
});

Deno.test("a log that an editor trimmed beside its backup is searched once, not for each piece of unread lines", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using before = await new Following(logs.at("a.log"), OPTIONS).begun();
  const lines = Array.from({ length: 20_000 }, (_, i) => `${100 + i} ${"x".repeat(200)}`);
  logs.append("a.log", textOf(lines.slice(0, 100)));
  await before.saw(...lines.slice(0, 100));
  const after = await before.stop();
  logs.append("a.log", textOf(lines.slice(100)));
  logs.rename("a.log", "a.log~");
  logs.write("a.log", textOf(lines.slice(50)));
  const { openSync } = Deno;
  let opened = 0;
  Deno.openSync = (path, options) => {
    if (path === logs.at("a.log")) opened++;
    return openSync(path, options);
  };
  try {
    await using following = new Following(logs.at("a.log"), { ...OPTIONS, after });
    await following.saw(...lines.slice(100));
    logs.append("a.log", "501 newer\n");
    await following.saw(...lines.slice(100), "501 newer");
  } finally {
    Object.assign(Deno, { openSync });
  }
  assert.ok(opened < 20, `the log was opened ${opened} times`);
});

/** Appends lines to a log and writes it anew, at once and some time ago. */
function writeLate(
  logs: LogDirectory,
  { rewrite, lines, unread, edit }: {
    rewrite: Rewriting;
    lines: string[];
    unread: string[];
    edit: (lines: string[]) => string[];
  },
): void {
  logs.append("a.log", textOf(unread));
  rewrite(logs, textOf([...edit(lines), "500 new"]));
  logs.touch("a.log", Date.now() / 1_000 - LATE);
}

for (
  const [how, rewrite] of Object.entries({
    "in place": IN_PLACE,
    "as a new file": WAYS["as a new file that takes its name"]!,
  })
) {
  Deno.test(`a log that is a ring of few lines of one size, kept ${how}, gives each line once`, async () => {
    using logs = new LogDirectory();
    logs.write("a.log", "");
    await using following = await new Following(logs.at("a.log"), OPTIONS).begun();
    const all = timed(100, 160);
    logs.append("a.log", textOf(all.slice(0, 3)));
    await following.saw(...all.slice(0, 3));
    for (let count = 4; count <= all.length; count++) {
      rewrite(logs, textOf(all.slice(count - 3, count)));
      await following.saw(...all.slice(0, count));
    }
  });
}

Deno.test("a log that was rewritten as a new file twice, and again while nobody looked, gives each line once", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using before = await new Following(logs.at("a.log"), OPTIONS).begun();
  const all = timed(100, 400);
  logs.append("a.log", textOf(all.slice(0, 100)));
  await before.saw(...all.slice(0, 100));
  for (const end of [150, 200]) {
    WAYS["as a new file that takes its name"]!(logs, textOf(all.slice(end - 100, end)));
    await before.saw(...all.slice(0, end));
  }
  const after = await before.stop();
  // The files of before are still in the position: nobody may have read them to their ends.
  assert.equal(JSON.parse(after).files.length, 3);
  WAYS["as a new file that takes its name"]!(logs, textOf(all.slice(150, 250)));
  await using following = new Following(logs.at("a.log"), { ...OPTIONS, after });
  await following.saw(...all.slice(200, 250));
  logs.append("a.log", textOf(all.slice(250, 260)));
  await following.saw(...all.slice(200, 260));
  assert.deepEqual(following.problems, []);
});

Deno.test("a log that is trimmed and written on at once gives each line once, however it is caught", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using following = await new Following(logs.at("a.log"), { ...OPTIONS, inotify: false, poll: 1_000 })
    .begun();
  const all = timed(1_000, 3_000);
  let written = 0;
  for (let round = 0; round < 40; round++) {
    logs.append("a.log", textOf(all.slice(written, written += 50)));
    await eventually(() => following.entries.length >= written - 25);
    // As `tail -n 100 a.log >x; cat x >a.log` does, in pieces.
    const kept = textOf(all.slice(Math.max(0, written - 100), written));
    logs.truncate("a.log");
    await new Promise((resolve) => setTimeout(resolve, round % 4));
    logs.append("a.log", kept.slice(0, kept.length / 2));
    await new Promise((resolve) => setTimeout(resolve, round % 3));
    logs.append("a.log", kept.slice(kept.length / 2));
  }
  await following.saw(...all.slice(0, written));
});

Deno.test("a line that is unfinished when the log is trimmed comes whole, and once", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using following = await new Following(logs.at("a.log"), OPTIONS).begun();
  logs.append("a.log", textOf(timed(1, 50)) + "51 some");
  await following.saw(...timed(1, 50));
  logs.write("a.log", textOf(timed(40, 50)) + "51 somebody\n");
  await following.saw(...timed(1, 50), "51 somebody");
});

Deno.test("a log rewritten in the middle while it grows is not read from within a line", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using before = await new Following(logs.at("a.log"), OPTIONS).begun();
  const lines = timed(1_000, 1_500);
  logs.append("a.log", textOf(lines));
  await before.saw(...lines);
  const after = await before.stop();
  const more = timed(2_000, 2_300, "x".repeat(50));
  logs.write("a.log", textOf([...lines.slice(0, 100), ...lines.slice(110), ...more]));
  await using following = new Following(logs.at("a.log"), { ...OPTIONS, after });
  await following.saw(...more);
});

Deno.test("new lines that look like the last ones are read after each kind of rotation", async () => {
  const same = Array.from({ length: 5 }, () => "7 the same again");
  const rotations: Record<string, (logs: LogDirectory) => void> = {
    rename: (logs) => {
      logs.rename("a.log", "a.log.1");
      logs.write("a.log", "");
    },
    copy: (logs) => {
      logs.copy("a.log", "a.log.1");
      logs.truncate("a.log");
    },
    deletion: (logs) => logs.remove("a.log"),
    truncation: (logs) => logs.truncate("a.log"),
  };
  for (const [name, rotate] of Object.entries(rotations)) {
    using logs = new LogDirectory();
    logs.write("a.log", "");
    await using following = await new Following(logs.at("a.log"), OPTIONS).begun();
    logs.append("a.log", textOf(same));
    await following.saw(...same);
    rotate(logs);
    logs.append("a.log", textOf(same.slice(2)));
    await eventually(() => following.entries.length === 8, 10).catch(() =>
      assert.fail(`${name}: ${following.lines}`)
    );
  }
});

Deno.test("a position of the first version is taken up", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using before = await new Following(logs.at("a.log"), OPTIONS).begun();
  logs.append("a.log", textOf(timed(1, 80)));
  await before.saw(...timed(1, 80));
  const { files } = JSON.parse(await before.stop());
  const after = JSON.stringify({ files: files.map((fields: unknown[]) => fields.slice(0, 7)) });
  logs.append("a.log", "81 new\n");
  await using following = new Following(logs.at("a.log"), { ...OPTIONS, after });
  await following.saw("81 new");
});
