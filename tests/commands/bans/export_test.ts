import { strict as assert } from "node:assert";
import { exportBans, type ExportFormat } from "../../../lib/commands/bans/export.ts";
import { counted, printable } from "../../../lib/core/text.ts";
import { SECOND } from "../../../lib/core/time.ts";
import type { NewBan } from "../../../lib/deciding/ban.ts";
import { scopeOf } from "../../support/helpers.ts";
import { inNamespace, lacking } from "../../support/namespace.ts";

const FIREWALLS = Deno.readTextFileSync(new URL("../../../docs/firewalls.md", import.meta.url));
const NOW = 1_800_000_000 * SECOND;

function ban(address: string, over: Partial<NewBan> = {}): NewBan {
  return {
    address,
    scope: "all",
    provenance: { kind: "rule", name: "SSHD x" },
    reason: "[SSHD] x",
    count: 3,
    start: NOW - 60 * SECOND,
    until: null,
    ...over,
  };
}

const BANS: readonly NewBan[] = [
  ban("192.0.2.1"),
  ban("192.0.2.2", { until: NOW + 900.5 * SECOND }),
  ban("192.0.2.0/24", { until: NOW + 3_600 * SECOND }),
  ban("198.51.100.0/25"),
  ban("2001:db8::1", { until: NOW + 3_000_000_000 * SECOND }),
  ban("2001:db8:1::/64"),
];
const PORTS: readonly NewBan[] = [
  ban("203.0.113.1", { scope: scopeOf("tcp 22,8000-8010"), until: NOW + 60 * SECOND }),
  ban("198.18.0.0/24", { scope: scopeOf("udp") }),
  ban("198.18.0.1", { scope: scopeOf("udp 53-60") }),
  ban("2001:db8::2", { scope: scopeOf("tcp 443") }),
];

/** The command escapes line breaks within lines, as they are control characters. */
function exported(bans: readonly NewBan[], format: ExportFormat) {
  const made = exportBans(bans, { format, now: NOW });
  assert.deepEqual(made.lines.map(printable), made.lines);
  return made;
}

Deno.test("`exportBans()` writes a plain list, without what is banned from certain ports alone", () => {
  const { lines, warnings } = exported([...BANS, ...PORTS], "plain");
  assert.deepEqual(lines, BANS.map(({ address }) => address));
  const ending = BANS.filter(({ until }) => until !== null).length;
  assert.deepEqual(warnings, [
    "left out 4 bans of certain ports, which plain cannot say",
    `these lines do not say when ${counted(ending, "ban ends", "bans end")}: --export json does`,
  ]);
});

Deno.test("`exportBans()` writes an object of JSON a line", () => {
  const { lines, warnings } = exported([PORTS[0]!], "json");
  assert.deepEqual(lines.map((line) => JSON.parse(line)), [{
    address: "203.0.113.1",
    scope: "tcp 22,8000-8010",
    provenance: "rule",
    name: "SSHD x",
    reason: "[SSHD] x",
    count: 3,
    start: "2027-01-15T07:59:00.000000Z",
    until: "2027-01-15T08:01:00.000000Z",
  }]);
  assert.deepEqual(warnings, []);
});

Deno.test("`exportBans()` rounds what is left of a ban up to seconds, within what ipset takes", () => {
  const lines = exported(BANS, "ipset").lines;
  assert.ok(lines.includes("add strongmonitor4 192.0.2.1 timeout 0 -exist"));
  assert.ok(lines.includes("add strongmonitor4 192.0.2.2 timeout 901 -exist"));
  assert.ok(lines.includes("add strongmonitor6 2001:db8::1 timeout 2147483 -exist"));
});

const SCOPES: readonly NewBan[] = ["tcp 22,8000-8010", "tcp 8005-8020", "udp 53"].map((scope, i) =>
  ban("203.0.113.1", { scope: scopeOf(scope), until: NOW + (i + 1) * 60 * SECOND })
);

Deno.test("`exportBans()` leaves bans out of a script for nft whose ports no name of a set holds", () => {
  const ports = Array.from({ length: 30 }, (_, i) => `${10_000 + 10 * i}-${10_005 + 10 * i}`);
  const { lines, warnings } = exported([ban("192.0.2.1", { scope: scopeOf(`tcp ${ports}`) })], "nft");
  assert.deepEqual(warnings, ["left out 1 ban of too many ports for the name of a set"]);
  assert.ok(!lines.join("\n").includes("192.0.2.1"));
});

/** An element of a set as `nft -j list ruleset` tells it. */
type Element = string | { elem: { val: unknown; timeout?: number } };

Deno.test({
  name: "`nft -f` loads an export, twice over, and has every ban with the time that is left of it",
  ignore: lacking("ip", "nft"),
  fn: () =>
    inNamespace(async (run) => {
      const script = exported([...BANS, ban("192.0.2.0/23"), ...PORTS, ...SCOPES.slice(1)], "nft").lines.join(
        "\n",
      );
      for (let i = 0; i < 2; i++) {
        assert.deepEqual(await run(["nft", "-f", "-"], script), { code: 0, stdout: "", stderr: "" });
      }
      const { nftables } = JSON.parse(
        (await run(["nft", "-j", "list", "table", "inet", "strongmonitor_bans"])).stdout,
      );
      const sets = new Map<string, Element[]>(
        nftables.flatMap(({ set }: { set?: { name: string; elem?: Element[] } }) =>
          set ? [[set.name, set.elem ?? []]] : []
        ),
      );
      const held = (name: string) =>
        sets.get(name)!.map((element) =>
          typeof element === "object" && "elem" in element
            ? [element.elem.val, element.elem.timeout]
            : [element, undefined]
        );
      assert.deepEqual(held("ip_32").toSorted(), [["192.0.2.1", undefined], ["192.0.2.2", 901]].toSorted());
      // A network inside of another one keeps its own end.
      assert.deepEqual(held("ip_24"), [["192.0.2.0", 3_600]]);
      assert.deepEqual(held("ip_23"), [["192.0.2.0", undefined]]);
      assert.deepEqual(held("ip_25"), [["198.51.100.0", undefined]]);
      assert.deepEqual(held("ip6_128"), [["2001:db8::1", 3_000_000_000]]);
      assert.deepEqual(held("ip6_64"), [["2001:db8:1::", undefined]]);
      assert.deepEqual(held("ip_32.tcp_22_8000-8010"), [["203.0.113.1", 60]]);
      assert.deepEqual(held("ip_32.tcp_8005-8020"), [["203.0.113.1", 120]]);
      assert.deepEqual(held("ip_24.udp"), [["198.18.0.0", undefined]]);
      assert.deepEqual(held("ip6_128.tcp_443"), [["2001:db8::2", undefined]]);
    }),
});

Deno.test({
  name:
    "`ipset restore` loads an export into the sets of docs/firewalls.md, twice over, and has every ban, that of all addresses too",
  ignore: lacking("ip", "ipset"),
  fn: () =>
    inNamespace(async (run) => {
      const script = exported([...BANS, ban("0.0.0.0/0"), ban("::/0")], "ipset").lines.join("\n") + "\n";
      const made = [...FIREWALLS.matchAll(/^ipset (create .*)$/gm)].map(([, words]) => words!.split(" "));
      assert.equal(made.length, 2);
      // The sets that the page makes for a ban_command have the same names.
      for (const words of made) assert.equal((await run(["ipset", ...words])).code, 0);
      for (let i = 0; i < 2; i++) {
        assert.deepEqual(await run(["ipset", "restore"], script), { code: 0, stdout: "", stderr: "" });
      }
      const members = async (set: string) =>
        (await run(["ipset", "save", set])).stdout.split("\n").filter((line) => line.startsWith("add"))
          .map((line) => line.split(" ")[2]).toSorted();
      assert.deepEqual(await members("strongmonitor4"), [
        "0.0.0.0/1",
        "128.0.0.0/1",
        "192.0.2.0/24",
        "192.0.2.1",
        "192.0.2.2",
        "198.51.100.0/25",
      ]);
      assert.deepEqual(await members("strongmonitor6"), [
        "2001:db8:1::/64",
        "2001:db8::1",
        "8000::/1",
        "::/1",
      ]);
    }),
});

Deno.test({
  name:
    "what `nft -f` loads of an export keeps out the banned, from the banned ports alone where the ban says so",
  ignore: lacking("ip", "nft"),
  fn: () =>
    inNamespace(async (run) => {
      const [free, whole, network, some] = ["198.18.0.1", "198.18.0.2", "198.18.1.1", "198.18.0.3"] as const;
      await run(["ip", "link", "set", "lo", "up"]);
      for (const address of [free, whole, network, some]) {
        await run(["ip", "address", "add", `${address}/32`, "dev", "lo"]);
      }
      const bans = [
        ban(whole, { until: NOW + 600 * SECOND }),
        ban("198.18.1.0/24"),
        ban(some, { scope: scopeOf("udp 5300,6000-6010") }),
      ];
      await run(["nft", "-f", "-"], exported(bans, "nft").lines.join("\n"));
      const datagrams = new URL("../../support/datagrams.ts", import.meta.url).pathname;
      const command = [Deno.execPath(), "run", "--quiet", "--allow-net", datagrams];
      const { stdout, stderr } = await run([...command, [free, whole, network, some].join(), "5300,5301"]);
      assert.deepEqual(
        JSON.parse(stdout || "null"),
        [`${free} 5300`, `${free} 5301`, `${some} 5301`],
        stderr,
      );
    }),
});
