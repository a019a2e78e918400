/** The parts of a systemd service unit that starting without systemd needs. */
export interface Unit {
  readonly user: string;
  readonly group: string;
  /** Absolute path of the service's state directory. */
  readonly stateDirectory: string;
  readonly stateMode: string;
  /** Absolute path of the service's program. */
  readonly program: string;
  /** Absolute path of the service's runtime directory, which it has until it stops. */
  readonly runtimeDirectory: string;
  /** Commands that the user runs before, an argv for each ExecStartPre. */
  readonly prepare: readonly (readonly string[])[];
  /** ExecStart as argv for root; its process becomes the service with the service's rights. */
  readonly start: readonly string[];
}

/**
 * Reads the unit file of the service `name` (systemd.service(5), systemd.exec(5)). It reads units
 * like this project's: one ExecStart without quotes, users and groups by name.
 * @param specifiers values of specifiers such as `%m`
 */
export function readUnit(
  text: string,
  { name, specifiers }: { name: string; specifiers: Readonly<Record<string, string>> },
): Unit {
  const lines = text.replaceAll("\\\n", " ").split("\n");
  const value = (key: string) =>
    lines.findLast((line) => line.startsWith(`${key}=`))?.slice(key.length + 1).trim() ?? "";
  const user = value("User");
  const group = value("Group") || user;
  const specified = (text: string) => text.replace(/%[a-zA-Z]/g, (name) => specifiers[name] ?? name);
  const [first = "", ...rest] = words(specified(value("ExecStart")));
  const command = [first.replace("!", ""), ...rest];
  const program = command.find((word) => word.endsWith(`/${name}`));
  if (!program) throw new Error(`Cannot read the unit of ${name}: its ExecStart is ${command.join(" ")}`);
  const groups = [group, ...words(value("SupplementaryGroups"))];
  // With the prefix "!" root runs the command, within the same bounds.
  const identity = first.startsWith("!") ? [] : identityOf(user, group, groups);
  const ambient = capabilities(value("AmbientCapabilities")).join();
  return {
    user,
    group,
    stateDirectory: `/var/lib/${value("StateDirectory")}`,
    stateMode: value("StateDirectoryMode"),
    runtimeDirectory: `/run/${value("RuntimeDirectory")}`,
    prepare: lines.flatMap((line) => {
      const [, command] = /^ExecStartPre=-?(.*)$/.exec(line) ?? [];
      if (command === undefined) return [];
      return [["setpriv", ...identityOf(user, group, groups), ...words(specified(command))]];
    }),
    program,
    start: [
      ...bounds(value("UMask"), capabilities(value("CapabilityBoundingSet"))),
      ...identity,
      ...ambient === "" ? [] : [`--inh-caps=${ambient}`, `--ambient-caps=${ambient}`],
      ...command,
    ],
  };
}

/** Returns options of setpriv(1) that turn root into a user. */
function identityOf(user: string, group: string, groups: readonly string[]): string[] {
  return [`--reuid=${user}`, `--regid=${group}`, `--groups=${groups.join()}`];
}

/** Returns words before a command that set a umask and capabilities. Options of setpriv(1) may follow. */
function bounds(umask: string, kept: readonly string[]): string[] {
  return [
    "sh",
    "-c",
    `umask ${umask}; exec "$@"`,
    "sh",
    "setpriv",
    `--bounding-set=${["-all", ...kept].join()}`,
  ];
}

/** Returns capabilities(7) of a unit as setpriv(1) adds them. */
function capabilities(text: string): string[] {
  return words(text).map((capability) => `+${capability.replace(/^CAP_/, "").toLowerCase()}`);
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
