import { resolve } from "node:path";
import type { ModuleSection } from "./module_schema.ts";
import type { Path } from "./document.ts";
import type { Settings } from "./schema.ts";
import type { BanConfig, Config, ModuleBan } from "./types.ts";

/** How some bans are carried out, and the section of the configuration that says it. */
export interface Carrier {
  /** The module whose own firewall it is; null: the firewall for everything. */
  readonly module: string | null;
  readonly ban: BanConfig;
  /** The section. */
  readonly at: Path;
}

/** All ways in which a configuration has bans carried out, the one for everything first. */
export function carriersOf({ ban, moduleBans }: Pick<Config, "ban" | "moduleBans">): Carrier[] {
  return [
    { module: null, ban, at: [] },
    ...moduleBans.map(({ module, ban }) => ({ module, ban, at: ["modules", module] })),
  ];
}

/** How bans are carried out of a module, or with null of none. */
export function banOf(config: Pick<Config, "ban" | "moduleBans">, module: string | null): BanConfig {
  return config.moduleBans.find((own) => own.module === module)?.ban ?? config.ban;
}

/** The commands of a carrier by their keys, such as `nft_command`. */
export function commandsOf({ ban, at }: Carrier): { key: Path; command: readonly string[] }[] {
  const { firewall, nft, command, unban } = ban;
  const commands = firewall === "nftables"
    ? [["nft_command", nft] as const]
    : [["ban_command", command], ["unban_command", unban]] as const;
  return commands.flatMap(([key, command]) => command === null ? [] : [{ key: [...at, key], command }]);
}

/** How bans are carried out where no module says otherwise. */
export function toBan(settings: Settings, folder: string): BanConfig {
  const command = locate(settings.ban_command, folder);
  return {
    firewall: settings.firewall ?? (command === null ? "observe" : "command"),
    nft: locate(settings.nft_command, folder)!,
    unbanOnStop: settings.unban_on_stop,
    command,
    unban: locate(settings.unban_command, folder),
    timeout: settings.ban_timeout,
    concurrency: settings.ban_concurrency,
  };
}

/** How bans are carried out of modules that say it. An outermost `"firewall": "observe"` holds for them too. */
export function toModuleBans(settings: Settings, folder: string): ModuleBan[] {
  return Object.entries(settings.modules).flatMap(([module, section]) =>
    section.ban_command === undefined ? [] : [{ module, ban: ownBan(section, { settings, folder }) }]
  );
}

function ownBan(
  { ban_command, unban_command, ban_timeout, ban_concurrency }: ModuleSection,
  { settings, folder }: { settings: Settings; folder: string },
): BanConfig {
  return {
    ...toBan(settings, folder),
    firewall: settings.firewall === "observe" ? "observe" : "command",
    command: locate(ban_command, folder),
    unban: locate(unban_command, folder),
    timeout: ban_timeout ?? settings.ban_timeout,
    concurrency: ban_concurrency ?? settings.ban_concurrency,
  };
}

/**
 * Resolves a program with a `/` in its path against the folder of the configuration; PATH finds a
 * bare name.
 */
export function locate(command: readonly string[] | undefined, folder: string): readonly string[] | null {
  if (!command) return null;
  const [program, ...args] = command;
  return [program!.includes("/") ? resolve(folder, program!) : program!, ...args];
}

/** Modules that have firewalls of their own. */
export function modulesWithFirewall({ moduleBans }: Pick<Config, "moduleBans">): ReadonlySet<string> {
  return new Set(moduleBans.map(({ module }) => module));
}
