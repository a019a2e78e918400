import { readFile } from "node:fs/promises";

/** What of a systemd service unit it takes to start the service by hand. */
export interface Unit {
  readonly user: string;
  readonly group: string;
  readonly supplementaryGroups: readonly string[];
  /** Absolute path. */
  readonly stateDirectory: string;
  /** Commands that come first, as argv. */
  readonly before: readonly (readonly string[])[];
  readonly command: readonly string[];
}

/**
 * Reads a unit file (systemd.service(5)), its specifiers replaced as on the machine whose id is `machineId`.
 * Written for this project's unit: one command a line, no quotes.
 */
export async function readUnit(path: string | URL, machineId: string): Promise<Unit> {
  const lines = expand(await readFile(path, "utf8"), machineId).replaceAll("\\\n", " ").split("\n");
  const values = (key: string) =>
    lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1).trim());
  const value = (key: string) => values(key).at(-1) ?? "";
  const user = value("User");
  return {
    user,
    group: value("Group") || user,
    supplementaryGroups: values("SupplementaryGroups").flatMap(words),
    stateDirectory: `/var/lib/${value("StateDirectory")}`,
    before: values("ExecStartPre").map(words),
    command: words(value("ExecStart")),
  };
}

/** The specifiers of systemd.unit(5) that name directories and the machine. */
function expand(text: string, machineId: string): string {
  const specifiers: Record<string, string> = { S: "/var/lib", E: "/etc", t: "/run", m: machineId, "%": "%" };
  return text.replaceAll(/%([SEtm%])/g, (_, letter: string) => specifiers[letter] ?? "");
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
