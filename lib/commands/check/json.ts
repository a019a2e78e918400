/** The JSON of a configuration for `check --json`. */
import type { Config } from "../../config/types.ts";
import { inSeconds } from "../../core/time.ts";
import type { Growth, Rule } from "../../rules/rule.ts";

/** Returns the object of docs/json.md, without the password. Spans are in seconds; null: no end. */
export function configJson(config: Config) {
  const { database, notify, ban, trust, following } = config;
  return {
    config: config.name,
    state: config.stateDirectory,
    keep_log: inSeconds(config.keepLog),
    keep_log_size: config.keepLogSize,
    keep_bans: inSeconds(config.keepBans),
    journal_wake: inSeconds(config.journalWake),
    database: database && { ...database, password: undefined },
    metrics_file: config.metricsFile,
    notify: notify && { ...notify, bans: inSeconds(notify.bans), timeout: inSeconds(notify.timeout) },
    firewall: ban.firewall,
    nft_command: ban.nft,
    unban_on_stop: ban.unbanOnStop,
    ban_command: ban.command,
    unban_command: ban.unban,
    own_firewalls: config.moduleBans.map(({ module, ban }) => ({
      module,
      firewall: ban.firewall,
      ban_command: ban.command,
      unban_command: ban.unban,
      ban_timeout: inSeconds(ban.timeout),
      ban_concurrency: ban.concurrency,
    })),
    ipv6_prefix: config.ipv6Prefix,
    network_bans: config.networkBans.map(({ ipv4, ipv6, limit, window, banTime, growth }) => ({
      ipv4,
      ipv6,
      limit,
      window: inSeconds(window),
      ban_time: inSeconds(banTime),
      ...growthJson(growth),
    })),
    trust_logins: trust && { for: inSeconds(trust.span), methods: [...trust.methods], factor: trust.factor },
    fleet: following && {
      min_reports: following.minReports,
      window: inSeconds(following.window),
      accept_from: following.acceptFrom && [...following.acceptFrom],
      modules: following.modules && [...following.modules],
      max_bans: following.maxBans,
    },
    whitelist: config.whitelist.members.map(({ address }) => address),
    whitelist_files: config.whitelist.files.map((file) => ({
      path: file.path,
      entries: file.read().content.entries,
    })),
    modules: config.modules.map(({ module, rules }) => ({ name: module.name, rules: rules.map(ruleJson) })),
  };
}

function ruleJson({ name, limit, window, banTime, growth, scope }: Rule) {
  const spans = { window: inSeconds(window), ban_time: inSeconds(banTime) };
  return { name, limit, scope, ...spans, ...growthJson(growth) };
}

function growthJson({ factor, most, forgetAfter }: Growth) {
  return { ban_time_factor: factor, max_ban_time: inSeconds(most), forget_after: inSeconds(forgetAfter) };
}
