/** What of a systemd service unit it takes to start the service without systemd. */
export interface Unit {
  readonly user: string;
  readonly group: string;
  /** Absolute path of the directory that is the service's own. */
  readonly stateDirectory: string;
  readonly stateMode: string;
  /** Absolute path of the program that the service runs in the end. */
  readonly program: string;
  /** Absolute path of the directory that is the service's own until it stops. */
  readonly runtimeDirectory: string;
  /** What is run before as the user, one argv for each ExecStartPre. */
  readonly prepare: readonly (readonly string[])[];
  /** ExecStart as the argv of a command for root, which ends up as the service with its rights. */
  readonly start: readonly string[];
}

/**
 * Reads the unit file of the service `name` (systemd.service(5), systemd.exec(5)). Written for units like this
 * project's: one ExecStart, without quotes, and users and groups by name.
 * @param specifiers what stands for what, such as `%m`
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
  // With the prefix "!" the command itself is root's, within the bounds that follow all the same.
  const identity = first.startsWith("!") ? [] : identityOf(user, group, groups);
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
    start: [...bounds(value("UMask"), words(value("CapabilityBoundingSet"))), ...identity, ...command],
  };
}

/** Options of setpriv(1) that turn root into a user. */
function identityOf(user: string, group: string, groups: readonly string[]): string[] {
  return [`--reuid=${user}`, `--regid=${group}`, `--groups=${groups.join()}`];
}

/** Words that start a command with a umask and no capabilities but some, ending where setpriv(1) takes options. */
function bounds(umask: string, capabilities: readonly string[]): string[] {
  const kept = capabilities.map((capability) => `+${capability.replace(/^CAP_/, "").toLowerCase()}`);
  return [
    "sh",
    "-c",
    `umask ${umask}; exec "$@"`,
    "sh",
    "setpriv",
    `--bounding-set=${["-all", ...kept].join()}`,
  ];
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
