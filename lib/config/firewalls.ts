import { resolve } from "node:path";
import type { Path } from "./document.ts";
import type { Settings } from "./schema.ts";
import type { BanConfig, Config, ConfiguredFirewall } from "./types.ts";

/** Returns all firewalls of a configuration, the one for everything first. */
export function firewallsOf({ ban, moduleBans }: Pick<Config, "ban" | "moduleBans">): ConfiguredFirewall[] {
  return [{ module: null, ban }, ...moduleBans];
}

/** Returns how bans of a module are carried out; null: bans of no module. */
export function banOf(config: Pick<Config, "ban" | "moduleBans">, module: string | null): BanConfig {
  return config.moduleBans.find((own) => own.module === module)?.ban ?? config.ban;
}

/** Returns the commands of a firewall with their keys, such as `nft_command`. */
export function commandsOf(
  { module, ban: { firewall, nft, command, unban } }: ConfiguredFirewall,
): { key: Path; command: readonly string[] }[] {
  const at = module === null ? [] : ["modules", module];
  const commands = firewall === "nftables"
    ? [["nft_command", nft] as const]
    : [["ban_command", command], ["unban_command", unban]] as const;
  return commands.flatMap(([key, command]) => command === null ? [] : [{ key: [...at, key], command }]);
}

/** Returns how bans are carried out unless a module says otherwise. */
export function toBanConfig(settings: Settings, folder: string): BanConfig {
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

/** Returns the modules' own ways to ban. An outermost `"firewall": "observe"` holds here too. */
export function toModuleBans(settings: Settings, folder: string): Config["moduleBans"] {
  const { firewall, ban_timeout, ban_concurrency } = settings;
  return Object.entries(settings.modules).flatMap(([module, section]) => {
    const { ban_command, unban_command } = section;
    if (ban_command === undefined) return [];
    const own = {
      firewall: firewall === "observe" ? firewall : "command" as const,
      ban_command,
      unban_command,
      ban_timeout: section.ban_timeout ?? ban_timeout,
      ban_concurrency: section.ban_concurrency ?? ban_concurrency,
    };
    return [{ module, ban: toBanConfig({ ...settings, ...own }, folder) }];
  });
}

/** Resolves a program with a `/` against the configuration's folder; PATH finds a bare name. */
export function locate(command: readonly string[] | undefined, folder: string): readonly string[] | null {
  if (!command) return null;
  const [program, ...args] = command;
  return [program!.includes("/") ? resolve(folder, program!) : program!, ...args];
}

/** Returns the modules with firewalls of their own. */
export function modulesWithFirewall({ moduleBans }: Pick<Config, "moduleBans">): ReadonlySet<string> {
  return new Set(moduleBans.map(({ module }) => module));
}
