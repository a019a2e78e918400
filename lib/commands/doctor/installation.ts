/** Checks that the user, files and unit of the monitor fit together. */
import { isSudo } from "../../core/child_process.ts";
import { PASSWORD_FILE } from "../../config/file.ts";
import { may, RESOLVER } from "../../config/permissions.ts";
import { commandsOf, firewallsOf } from "../../config/firewalls.ts";
import type { Config, ConfiguredFirewall } from "../../config/types.ts";
import { userName } from "../../core/denial.ts";
import { SERVICE_USER, UNITS } from "../../core/program.ts";
import { lockedFiles } from "../../core/state_files.ts";
import { directoryOf, lookAt } from "../../core/file_identity.ts";
import {
  ask,
  asRoot,
  closedTo,
  INSTALL_UNIT,
  isEnabled,
  mayChangeNetwork,
  type MonitorEntry,
  seesJournal,
  switching,
  type SystemUser,
} from "../common/machine.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";

const [PLAIN, BY_SUDO] = UNITS;
const SUDOERS = "/etc/sudoers.d/strongmonitor";
const OTHERS_MAY_WRITE = 0o002;
const GROUP_MAY_WRITE = 0o020;
const OF_OTHERS = 0o077;

/** Names the user who runs `doctor`: only checks as the monitor's user prove much. */
export function examineUser(service: SystemUser | null): Finding {
  if (service === null) {
    if (!may("run", RESOLVER)) {
      const why = `this program may not run ${RESOLVER}`;
      return warning("user", `cannot tell whether there is a user ${SERVICE_USER}: ${why}`);
    }
    return warning(
      "user",
      `there is no user ${SERVICE_USER}, as which the units run the monitor`,
      asRoot(`useradd --system --user-group --shell /usr/sbin/nologin ${SERVICE_USER}`),
    );
  }
  const uid = Deno.uid();
  if (uid === service.uid) return ok("user", `asked as ${service.name}, as which the monitor runs`);
  if (uid === 0) return ok("user", `asked as root; the monitor runs as ${service.name}`);
  return warning(
    "user",
    `asked as ${userName()}: what it may do is no proof for the monitor, which runs as ${service.name}`,
    "sudo strongmonitor doctor",
  );
}

/** Checks owners and modes of the configuration and the state. */
export function examineFiles(config: Config, service: SystemUser | null): Finding[] {
  const folder = directoryOf(config.path);
  const paths = [folder, config.path, `${folder}/${PASSWORD_FILE}`];
  const findings = [
    ...paths.flatMap((path) => writableFinding(path, service) ?? []),
    ...service === null ? [] : unreadableFindings(paths, service),
    ...stateFindings(config.stateDirectory, service),
  ];
  return findings.length > 0
    ? findings
    : [ok("files", `only root and the monitor can change ${folder} and the state`)];
}

/** Checks who may write the configuration: they decide whom root's commands ban. */
function writableFinding(path: string, service: SystemUser | null): Finding | null {
  const info = lookAt(path);
  if (info === null) return null;
  const { mode, uid, gid } = info;
  if ((mode ?? 0) & OTHERS_MAY_WRITE || ((mode ?? 0) & GROUP_MAY_WRITE && gid !== 0)) {
    return failure("files", `others than root may change ${path}`, asRoot(`chmod go-w ${path}`));
  }
  if (uid === 0 || uid === Deno.uid() || service === null) return null;
  const text = `${path} is not root's, so that its owner may change it`;
  return warning("files", text, asRoot(`chown root ${path}`));
}

/** Checks whether the monitor's user may read the configuration: root, who edits it, always may. */
function unreadableFindings(paths: readonly string[], user: SystemUser): Finding[] {
  const unreadable = paths.filter((path) => lookAt(path) !== null && closedTo(user, path) !== null);
  // A closed directory closes its files, too: name it alone.
  const first = unreadable.filter((path) => !unreadable.some((other) => path.startsWith(`${other}/`)));
  return first.map((path) => {
    const mode = lookAt(path)!.isDirectory ? 750 : 640;
    const remedy = `${asRoot(`chown root:${SERVICE_USER} ${path}`)} && ${asRoot(`chmod ${mode} ${path}`)}`;
    const text = `the mode of ${path} does not let the user ${user.name} read it`;
    return failure("files", text, `unless an access control list does: ${remedy}`);
  });
}

/** Checks the state's owner: systemd changes owners only if the directory's owner is another. */
function* stateFindings(directory: string, service: SystemUser | null): Generator<Finding> {
  const info = lookAt(directory);
  if (info === null) return;
  if (((info.mode ?? 0) & OF_OTHERS) !== 0) {
    yield failure("files", `others may use ${directory}`, asRoot(`chmod go= ${directory}`));
  }
  if (service === null || info.uid !== service.uid) return;
  const foreign = lockedFiles(directory).find((path) => (lookAt(path)?.uid ?? service.uid) !== service.uid);
  if (foreign === undefined) return;
  const text = `${foreign} is not ${SERVICE_USER}'s, so that the monitor cannot write it`;
  yield failure("files", text, asRoot(`chown -R ${SERVICE_USER}: ${directory}`));
}

/**
 * Checks that the unit permits the firewall's commands. journald notes a writer's capabilities:
 * CAP_NET_ADMIN means the unit without sudo, in which sudo cannot work.
 */
export async function* examineUnit(
  config: Config,
  { service, entry, unit }: {
    readonly service: SystemUser | null;
    readonly entry: MonitorEntry | null;
    readonly unit: string | null;
  },
): AsyncGenerator<Finding> {
  const firewalls = banningFirewalls(config);
  if (firewalls.length === 0) return;
  const misfits = entry === null ? [] : firewalls.flatMap((firewall) => misfitOf(firewall, entry) ?? []);
  if (misfits.length > 0) return yield* misfits;
  const keys = firewalls.map((firewall) => commandsOf(firewall)[0]!.key.join(".")).join(" and ");
  if (entry !== null) yield ok("unit", `${entry.unit} and ${keys} fit together`);
  else if (unit === null) yield warning("unit", "no unit starts the monitor", INSTALL_UNIT);
  else if (await seesJournal()) {
    yield warning("unit", "no unit has run the monitor yet", asRoot(`systemctl enable --now ${unit}`));
  }
  if (unit !== null && isEnabled(unit) === false) {
    const text =
      `multi-user.target does not start the monitor at the next boot: ${unit} is not enabled for it`;
    yield warning("unit", text, `unless another target starts it: ${asRoot(`systemctl enable ${unit}`)}`);
  }
  for (const firewall of firewalls) yield* await sudoFindings(firewall, service);
}

function banningFirewalls(config: Config): ConfiguredFirewall[] {
  return firewallsOf(config).filter(({ ban }) => ban.firewall !== "observe");
}

/** Reports whether a configuration bans through sudo. */
export function bansBySudo(config: Config): boolean {
  return banningFirewalls(config).flatMap(commandsOf).some(({ command }) => isSudo(command[0]!));
}

/** Says why a unit cannot run the commands of one firewall. */
function misfitOf(firewall: ConfiguredFirewall, entry: MonitorEntry): Finding | null {
  const { unit, isRoot } = entry;
  const name = unit.replace(/\.service$/, "");
  const isNft = firewall.ban.firewall === "nftables";
  const hasPower = mayChangeNetwork(entry);
  const commands = commandsOf(firewall);
  const { command, key } = commands.find(({ command }) => isSudo(command[0]!)) ?? commands[0]!;
  const bySudo = isSudo(command[0]!);
  // The machine may withhold the capability that the unit gives.
  if (bySudo && (hasPower || name === PLAIN) && !isRoot) {
    return failure(
      "unit",
      `${unit} ${hasPower ? "gives the monitor CAP_NET_ADMIN and " : ""}lets nobody gain more rights, ` +
        `so that the sudo of ${key.join(".")} cannot work`,
      `${hasPower ? "" : "unless a drop-in of the unit does: "}${
        isNft
          ? 'set "nft_command": "nft" and restart the monitor, or use the unit with sudo'
          : "use the unit with sudo"
      }: ` +
        switching(BY_SUDO, name),
    );
  }
  if (!isNft || bySudo || hasPower) return null;
  return failure(
    "unit",
    `${unit} does not give the monitor CAP_NET_ADMIN, which ${command[0]} needs`,
    unit === "strongmonitor.service"
      ? "unless a drop-in of the unit takes it away: this machine is a container, whose host has to grant it"
      : `use the unit without sudo: ${switching(PLAIN, name)}, or set "nft_command": "sudo -n nft"`,
  );
}

/** Returns the remedy that lets the monitor's user run a program by sudo: a command if its path is known. */
function permitting(program: string): string {
  const path = program === "nft" ? "/usr/sbin/nft" : program;
  if (!/^\/[\w./-]+$/.test(path)) return `give it a line in ${SUDOERS}: docs/firewalls.md`;
  const line = `${SERVICE_USER} ALL=(root) NOPASSWD: ${path}`;
  return `as docs/firewalls.md tells: echo '${line}' | ${asRoot(`tee -a ${SUDOERS}`)}`;
}

/** Asks, as root, whether sudo lets the service's user run the commands without a password. */
async function sudoFindings(firewall: ConfiguredFirewall, service: SystemUser | null): Promise<Finding[]> {
  if (Deno.uid() !== 0 || service === null) return [];
  const findings: Finding[] = [];
  for (const { command } of commandsOf(firewall).filter(({ command }) => isSudo(command[0]!))) {
    const words = command.slice(1).filter((word) => word !== "-n")
      .map((word) => word.replace("%s", "192.0.2.254"));
    const { error, uncertain } = await ask(["sudo", "-n", "-u", service.name, "sudo", "-n", "-l", ...words]);
    if (error === null) continue;
    if (uncertain) {
      const remedy = "see that /etc/hosts has this machine's name";
      return [failure("unit", `sudo does not answer: ${error}`, remedy)];
    }
    const text = `sudo does not let ${service.name} run ${words[0]} without a password`;
    if (findings.some((finding) => finding.text === text)) continue;
    findings.push(failure("unit", text, permitting(words[0]!)));
  }
  return findings;
}
