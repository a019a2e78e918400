/** Surveys this machine for a configuration. Changes nothing, and needs no root. */
import { NEVER } from "../../core/async.ts";
import { modules } from "../../../modules/mod.ts";
import { hindrance, may } from "../../config/permissions.ts";
import { UNITS } from "../../core/program.ts";
import { type RunResult, whyFailed } from "../../core/child_process.ts";
import { SSH_CONNECTION } from "../../config/stock.ts";
import { messageOf, UserError } from "../../core/error.ts";
import { canonicalAddress } from "../../core/address.ts";
import { DAY, now } from "../../core/time.ts";
import { Logins } from "../../deciding/logins.ts";
import { journalMatches } from "../../monitor/feeds.ts";
import type { ModuleRules } from "../../rules/rule.ts";
import { logFiles } from "../../sources/files/inspection.ts";
import { openJournal } from "../../sources/journal/journal.ts";
import { NoJournalError } from "../../sources/journal/journalctl.ts";
import { idlePipeline, LineMatcher } from "../common/dry_run.ts";
import { openEnd, readInput } from "../common/input.ts";
import { shippedConfig } from "../common/open_config.ts";
import { CONFIG, NGINX_CONF } from "../common/output.ts";
import {
  ask,
  GRANT,
  journalEntries,
  mayChangeNetwork,
  type MonitorEntry,
  monitorEntry,
  unitHere,
} from "../common/machine.ts";
import { type NginxSetup, setupAt } from "./nginx_conf.ts";

/** Result of a survey. */
export interface Survey {
  /** Why the journal cannot be read, in a sentence; null: it can. */
  readonly journal: string | null;
  /** Ports on which sshd listens; empty: unknown. */
  readonly sshPorts: readonly number[];
  /** This machine has a journal; the monitor may read it even if this user may not. */
  readonly hasJournal: boolean;
  /** Log of sshd on a machine without a journal; null: none yet. */
  readonly sshLog: string | null;
  /** Addresses of open sessions. */
  readonly origins: readonly string[];
  /** The origin of this command's own session; null: unknown. */
  readonly origin: string | null;
  /** Null: there is no nginx. */
  readonly nginx: NginxSurvey | null;
  readonly hasNft: boolean;
  /** Why nft cannot ban; null: it can, as far as this user can see. */
  readonly obstacle: string | null;
  /** Other active managers of the firewall, as far as this user can see. */
  readonly managers: readonly string[];
  /** Name of the unit that starts the monitor, without ".service"; null: none is installed. */
  readonly unit: string | null;
  readonly bansBySudo: boolean;
}

/** The survey of nginx. */
export interface NginxSurvey extends NginxSetup {
  /** Why its configuration was not read in full; null: it was. */
  readonly unread: string | null;
  /** A private address that sends nearly all requests: a proxy. */
  readonly busiest: string | null;
}

/** Logs of nginx that are read by default. */
export const [NGINX_LOGS] = modules.find(({ name }) => name === "NGINX")!.match.files as [string];
/** Syslog's files for sshd on Debian and Red Hat. */
export const SSH_LOGS = ["/var/log/auth.log", "/var/log/secure"];
const LISTENING = /^Server listening on \S+ port (\d+)\.$/;
/** Most journal entries of sshd, and how far back. */
const [ENTRIES, SPAN] = [20_000, 3 * DAY];
/** Least number of requests that reveals a proxy, and its least share of them. */
const [ENOUGH, NEARLY_ALL] = [50, 0.9];
/** Networks that are not on the internet (RFC 1918, RFC 6598, RFC 4193), and loopback. */
const PRIVATE =
  /^(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd]|::1$)/;

/** Surveys the machine. `nginxConf` is the path of nginx.conf. */
export async function surveyMachine({ nginxConf }: { nginxConf: string }): Promise<Survey> {
  const [sshd, nginx] = shippedConfig({ config: CONFIG }).modules;
  const { journal, hasJournal, origins } = await openSessions(sshd!);
  const connection = sshConnection();
  const origin = connection?.client ?? (origins.length === 1 ? origins[0]! : null);
  const ports = await listeningPorts();
  const { error } = await ask(["nft", "--version"]);
  const ruleset = await ask(["nft", "-nt", "list", "ruleset"]);
  const entry = await monitorEntry();
  const unit = unitHere(entry);
  return {
    journal,
    sshPorts: ports.length > 0 ? ports : connection === null ? [] : [connection.port],
    hasJournal,
    sshLog: hasJournal ? null : sshLog(),
    origins: [...new Set([...(origin === null ? [] : [origin]), ...origins])],
    origin,
    nginx: await surveyNginx(nginx!, nginxConf),
    hasNft: error === null,
    obstacle: error === null
      ? obstacleTo(ruleset, { unit, entry })
      : hindrance("nft") === "forbidden"
      ? "this program may not run nft"
      : "nft is not installed, the package nftables has it",
    managers: managersIn(ruleset.output),
    unit,
    bansBySudo: entry !== null && entry.unit === `${unit}.service`
      ? !mayChangeNetwork(entry)
      : unit === "strongmonitor-sudo",
  };
}

/** Follows logins and ends of sessions in the journal, as the monitor does. */
async function openSessions(
  sshd: ModuleRules,
): Promise<{ journal: string | null; hasJournal: boolean; origins: string[] }> {
  const logins = new Logins(null);
  const pipeline = idlePipeline(sshd, (event) => logins.note(event));
  const feed = { name: "init", reader: pipeline.readers.of([sshd]) };
  const journal = openJournal({
    ...journalMatches([sshd]),
    suppressions: false,
    follow: false,
    newest: ENTRIES,
  });
  try {
    await pipeline.follow(journal.batches({ after: null, since: now() - SPAN }, NEVER), feed);
    return { journal: null, hasJournal: true, origins: logins.openAddresses };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { journal: messageOf(error), hasJournal: !(error instanceof NoJournalError), origins: [] };
  }
}

/** Returns the log of sshd that this user may read, or else one that exists. */
function sshLog(): string | null {
  const logs = SSH_LOGS.map((path) => ({ path, ...logFiles(path) }));
  const found = logs.find(({ paths }) => paths.length > 0) ??
    logs.find(({ problems }) => problems.length > 0);
  return found?.path ?? null;
}

/** Returns the ports that the running sshd logged when it began to listen, in order. */
async function listeningPorts(): Promise<number[]> {
  // With --grep= and --lines=, journalctl reverses the order by itself.
  const grep = ["--boot", "--grep=^Server listening on", "--lines=50", "--reverse"];
  const matches = [...grep, "SYSLOG_IDENTIFIER=sshd", "_UID=0"];
  const entries = (await journalEntries(matches, ["MESSAGE", "_PID"])).flatMap(({ MESSAGE, _PID }) => {
    const port = LISTENING.exec(MESSAGE ?? "")?.[1];
    return port === undefined ? [] : [{ port: Number(port), pid: _PID }];
  });
  const newest = entries[0]?.pid;
  return [...new Set(entries.filter(({ pid }) => pid === newest).map(({ port }) => port))].sort((a, b) =>
    a - b
  );
}

/** Returns both ends of the SSH connection; null: no permission to know, or hidden by sudo. */
function sshConnection(): { readonly client: string; readonly port: number } | null {
  if (!may("env", SSH_CONNECTION)) return null;
  const [client, , , port] = (Deno.env.get(SSH_CONNECTION) ?? "").split(" ");
  const address = canonicalAddress(client ?? "");
  return address === null ? null : { client: address, port: Number(port) };
}

async function surveyNginx(nginx: ModuleRules, nginxConf: string): Promise<NginxSurvey | null> {
  const { setup, unread } = setupAt(nginxConf);
  const logs = logFiles(NGINX_LOGS).paths;
  // On a machine without nginx, too, the program may be forbidden to look at the default path.
  const isNamed = unread !== null && nginxConf !== NGINX_CONF;
  if (setup === null && logs.length === 0 && !isNamed) return null;
  const found = setup ?? { logs: [], formats: [], proxies: [], proxyNames: [] };
  const [name] = found.proxyNames;
  const leftOut = name === undefined ? null : `set_real_ip_from ${name} is no address, add its addresses`;
  return { ...found, unread: unread ?? leftOut, busiest: await busiestClient(nginx, logs) };
}

/** Returns the private address that sends nearly all new requests; null: there is none. */
async function busiestClient(nginx: ModuleRules, logs: readonly string[]): Promise<string | null> {
  const matcher = new LineMatcher(nginx);
  const counts = new Map<string, number>();
  let all = 0;
  for (const path of logs) {
    for await (const { records } of readInput(openEnd(path))) {
      for (let i = 0; i < records.length; i++) {
        const { address } = matcher.match(records, i);
        if (address === null) continue;
        counts.set(address, (counts.get(address) ?? 0) + 1);
        all++;
      }
    }
  }
  const found = [...counts].find(([, count]) => count > NEARLY_ALL * all)?.[0];
  return all >= ENOUGH && found !== undefined && PRIVATE.test(found) ? found : null;
}

/** Returns why nft cannot ban: root has tried it, others know what the unit without sudo was given. */
function obstacleTo(
  ruleset: RunResult,
  { unit, entry }: { unit: string | null; entry: MonitorEntry | null },
): string | null {
  if (Deno.uid() === 0) {
    const reason = whyFailed(ruleset);
    return reason === null ? null : `root may not use nft (${reason}): ${GRANT}`;
  }
  const isPlain = unit === UNITS[0] && entry?.unit === `${unit}.service`;
  return isPlain && !mayChangeNetwork(entry)
    ? `${unit}.service ran without the right to ban: ${GRANT}`
    : null;
}

/** Returns managers known by their tables and chains, which only root may list. */
function managersIn(ruleset: string): string[] {
  return [
    ...(/^table \w+ firewalld/m.test(ruleset) ? ["firewalld"] : []),
    // `ufw disable` leaves its other chains, empty.
    ...(/^\s*chain ufw6?-user-/m.test(ruleset) ? ["ufw"] : []),
    ...(/^\s*chain DOCKER/m.test(ruleset) ? ["Docker"] : []),
  ];
}
