/** Sentences about permissions that a configuration needs and this program lacks, with remedies. */
import { basename } from "node:path";
import { UserError } from "../core/error.ts";
import { buildHint } from "./build_hint.ts";
import type { Path } from "./document.ts";
import { HOOK, SETTINGS } from "./file.ts";
import { may, missingNeeds, type Need } from "./permissions.ts";
import { DATABASE_NAME, DATABASE_PORT, LOGS, SOCKET_DIRECTORY, STATE } from "./stock.ts";
import type { Config } from "./types.ts";

const VERBS: Readonly<Record<Need["kind"], string>> = {
  run: "run",
  net: "reach",
  read: "read",
  write: "write",
  env: "know the variables",
  sys: "know of this machine its",
};

/** Keys of commands, at the top or in a module. */
const COMMANDS = new Set<Path[number] | undefined>(["ban_command", "unban_command", "nft_command"]);

/**
 * Returns a `UserError` (78) with a sentence for each thing that `config` needs and this program
 * may not do, with its remedy if known, and the advice to build a program that may; null if this
 * one can run.
 */
export function permissionProblem(config: Config): UserError | null {
  const things = [...Map.groupBy(missingNeeds(config), ({ key, thing }) => JSON.stringify([key, thing]))];
  if (things.length === 0) return null;
  const sentences = things.map(([, needs]) => refusal(config, needs));
  return new UserError(sentences, 78, { advice: buildHint(config.target) });
}

/** Makes one sentence of all needs that one key has of one thing, such as to read and write a file. */
function refusal(config: Config, needs: readonly Need[]): string {
  const [{ key, thing }] = needs as [Need];
  const verbs = new Set(needs.map(({ kind }) => VERBS[kind]));
  const complaint = `this program may not ${[...verbs].join(" and ")} ${thing}`;
  const isKey = key !== null && !(key[0] === "state" && config.target.state !== undefined);
  const sentence = isKey ? config.complain(key, complaint) : `Cannot run by ${config.name}: ${complaint}`;
  const remedy = remedyFor(needs[0]!);
  return remedy === null ? sentence : `${sentence}; ${remedy}`;
}

/** Returns the change that lets this program do it; null: none is known. */
function remedyFor({ kind, thing, key }: Need): string | null {
  if (COMMANDS.has(key?.at(-1))) return remedyForProgram(thing);
  switch (key?.[0]) {
    case "DB":
      if (key[1] === "host") return remedyForServer(thing);
      return key[1] === "sslrootcert" ? remedyForFile() : null;
    case "whitelist_files":
      return remedyForFile();
    case "modules":
      return kind === "read" && may("read", LOGS) ? `have the service log below ${LOGS}` : null;
    case "notify":
      return may("run", HOOK) ? `put it at ${HOOK}` : null;
    case "metrics_file":
      return may("write", STATE) ? `write it to ${STATE}, from where a link may lead on` : null;
    case "state":
      return may("write", STATE) ? `keep the state in ${STATE}` : null;
    default:
      return null;
  }
}

function remedyForFile(): string | null {
  return may("read", SETTINGS) ? `move the file into ${SETTINGS}` : null;
}

function remedyForProgram(program: string): string | null {
  const name = basename(program);
  if (name !== program && may("run", name)) return `write ${name} without a path`;
  return may("run", "sudo") ? "put sudo before it" : null;
}

function remedyForServer(server: string): string | null {
  if (!may("net", `${DATABASE_NAME}:${DATABASE_PORT}`)) return null;
  if (server.startsWith("/")) return `write "host": "${SOCKET_DIRECTORY}", where PostgreSQL has its socket`;
  const port = server.endsWith(`:${DATABASE_PORT}`)
    ? ""
    : `have PostgreSQL listen on port ${DATABASE_PORT}, `;
  return `${port}call its host ${DATABASE_NAME} in /etc/hosts, and write "host": "${DATABASE_NAME}"`;
}
