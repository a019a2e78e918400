import { strict as assert } from "node:assert";
import { folded, tableLines, wrap, wrapCommand } from "../../../lib/commands/common/layout.ts";

const WRAPPED: readonly (readonly [line: string, parts: readonly string[]])[] = [
  ["short", ["short"]],
  ["x".repeat(50), ["x".repeat(50)]],
  [
    "a sentence of many words that is longer than the terminal is wide",
    ["a sentence of many words that is longer", "  than the terminal is wide"],
  ],
  [
    "source    journal: reading, as soon as they come; no line yet",
    ["source    journal: reading, as soon as", "          they come; no line yet"],
  ],
  [
    "          a rest of the line above, indented as it is",
    ["          a rest of the line above,", "          indented as it is"],
  ],
  [
    `see ${"/very/long/path".repeat(4)} for more`,
    ["see", `  ${"/very/long/path".repeat(4)}`, "  for more"],
  ],
];

const COMMANDS: readonly (readonly [line: string, parts: readonly string[]])[] = [
  ["  sudo systemctl restart strongmonitor", ["  sudo systemctl restart strongmonitor"]],
  [
    "  init --yes | sudo install -o root -m 640 /dev/stdin /etc/config.jsonc",
    ["  init --yes | sudo install -o root -m \\", "    640 /dev/stdin /etc/config.jsonc"],
  ],
  [
    "cat << 'END' | sudo install -o root -m 640 '/etc/a b c'",
    ["cat << 'END' | sudo install -o root -m \\", "  640 '/etc/a b c'"],
  ],
  ["  sudo install /dev/stdin '/etc/it'\\''s a/b'", [
    "  sudo install /dev/stdin \\",
    "    '/etc/it'\\''s a/b'",
  ]],
  [`install ${"/long".repeat(10)}`, ["install \\", `  ${"/long".repeat(10)}`]],
];

for (const [line, parts] of COMMANDS) {
  Deno.test(`wrapCommand() breaks "${line.slice(0, 30).trim()}" at 40 columns where a shell may`, () => {
    assert.deepEqual(wrapCommand(line, 40), parts);
    for (const part of parts) assert.ok(part.length <= 40 || !part.trim().includes(" "));
    assert.equal(parts.join("\n").replaceAll(/ \\\n +/g, " "), line, "all words stay");
  });
}

for (const [line, parts] of WRAPPED) {
  Deno.test(`wrap() breaks "${line.slice(0, 30).trim()}" between words at 40 columns`, () => {
    assert.deepEqual(wrap(line, 40), parts);
    assert.deepEqual(
      wrap(line, 40).join(" ").split(/ +/).filter(Boolean),
      line.split(/ +/).filter(Boolean),
    );
  });
}

Deno.test("tableLines() puts the last cells below the others where the columns are too wide", () => {
  const heading = ["ADDRESS", "SINCE", "REASON"];
  const rows = [["192.0.2.7", "now", "a port scan"], ["2001:db8::1", "now", ""]];
  assert.deepEqual(tableLines(heading, rows), [
    "ADDRESS      SINCE  REASON",
    "192.0.2.7    now    a port scan",
    "2001:db8::1  now",
  ]);
  assert.deepEqual(tableLines(heading, rows, 34), [
    "ADDRESS      SINCE  REASON",
    "192.0.2.7    now    a port scan",
    "2001:db8::1  now",
  ]);
  assert.deepEqual(tableLines(heading, [["192.0.2.7", "now", "a scan of many ports"]], 32), [
    "ADDRESS    SINCE  REASON",
    "192.0.2.7  now    a scan of many",
    "                  ports",
  ]);
  assert.deepEqual(tableLines(heading, rows, 30), [
    "ADDRESS      SINCE",
    "    REASON",
    "192.0.2.7    now",
    "    a port scan",
    "2001:db8::1  now",
  ]);
});

Deno.test("tableLines() breaks a row only between columns", () => {
  const heading = ["ADDRESS", "SINCE", "UNTIL", "FIREWALL", "REASON"];
  const rows = [
    ["2001:db8:1:2:3:4:5:6", "yesterday", "it is closed", "-", "a port scan of this host"],
    ["192.0.2.7", "yesterday", "for good", "nftables", ""],
  ];
  assert.deepEqual(tableLines(heading, rows, 40), [
    "ADDRESS               SINCE",
    "    UNTIL         FIREWALL  REASON",
    "2001:db8:1:2:3:4:5:6  yesterday",
    "    it is closed  -         a port scan of this host",
    "192.0.2.7             yesterday",
    "    for good      nftables",
  ]);
});

Deno.test("`folded()` puts 80 columns of text behind a head and below its end", () => {
  const lines = folded(`${"word ".repeat(30)}${"x".repeat(90)}`, "bans      ");
  assert.deepEqual(lines, [
    `bans      ${"word ".repeat(14).trim()}`,
    `          ${"word ".repeat(14).trim()}`,
    "          word word",
    `          ${"x".repeat(90)}`,
  ]);
});
