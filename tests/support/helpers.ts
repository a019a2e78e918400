import { DatabaseSync } from "node:sqlite";
import type { Boot } from "../../lib/core/boot.ts";
import { prepareStateDirectory } from "../../lib/monitor/control.ts";
import type { RollupContent } from "../../lib/state/rollup.ts";
import { FIRST_RELEASE } from "../../lib/state/schema.ts";
import { State } from "../../lib/state/state.ts";
import { parseScope, type Scope } from "../../lib/core/scope.ts";
import { SECOND } from "../../lib/core/time.ts";
import { Logins, type LoginUpdate } from "../../lib/deciding/logins.ts";
import type { Provenance } from "../../lib/deciding/ban.ts";
import type { Condition, Growth, Rule } from "../../lib/rules/rule.ts";
import type { Log } from "../../lib/core/log.ts";

/** A state in a directory that is deleted at the end of the scope. */
export interface TemporaryState extends Disposable {
  readonly directory: string;
  readonly state: State;
  /** Runs SQL on the state's file by another connection. */
  exec(sql: string): void;
}

/** Makes an empty state. */
export function temporaryState(): TemporaryState {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  prepareStateDirectory(directory);
  const state = new State(directory);
  return {
    directory,
    state,
    exec(sql) {
      const db = new DatabaseSync(`${directory}/state.db`);
      db.exec(sql);
      db.close();
    },
    [Symbol.dispose]() {
      state.close();
      Deno.removeSync(directory, { recursive: true });
    },
  };
}

/** Makes a state as the first release left it, with the rows that `sql` inserts. */
export function stateOfFirstRelease(sql: string): Omit<TemporaryState, "state" | "exec"> {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  const db = new DatabaseSync(`${directory}/state.db`);
  db.exec(`${FIRST_RELEASE.tables}; ${sql}; PRAGMA user_version = ${FIRST_RELEASE.version}`);
  db.close();
  return { directory, [Symbol.dispose]: () => Deno.removeSync(directory, { recursive: true }) };
}

/** A log that keeps its messages, by level and together. `details` has the debug lines of `--verbose`. */
export function memoryLog() {
  const lines: string[] = [];
  const details: string[] = [];
  const [infos, warnings, errors]: [string[], string[], string[]] = [[], [], []];
  const to = (level: string, messages: string[]) => (message: string) => {
    lines.push(`${level}: ${message}`);
    messages.push(message);
  };
  const debug = (message: () => string) => void details.push(message());
  const log = { debug, info: to("info", infos), warn: to("warn", warnings), error: to("error", errors) };
  return { ...log, lines, details, infos, warnings, errors } satisfies Log & Record<string, unknown>;
}

/** Returns a condition on the start of the whole message, changed by `over`. */
export function condition(over: Partial<Condition> & Pick<Condition, "texts">): Condition {
  return { fields: ["message"], mode: "start", ignoreCase: false, ...over };
}

/** Options of bans without logins and without bans of networks. */
export function strangers() {
  return { logins: new Logins(null), known: () => ({ logins: [], sessions: [] }), networks: [] };
}

/** No changes of logins. */
export const NO_LOGINS: LoginUpdate = { logins: [], opened: [], closed: [] };

/** A ban by hand. */
export const MANUAL: Provenance = { kind: "manual", name: "" };

/** Reads a scope such as `tcp 22`. */
export function scopeOf(text: string): Scope {
  return parseScope(text)!;
}

/** A boot of the machine that never ends. */
export const BOOT: Boot = { id: "0123456789abcdef", uptime: 0, start: 0 };

/** Growth of bans that always last the same. */
export const STEADY: Growth = { factor: 1, most: null, forgetAfter: null };

/** Returns a rule that bans for good after two lines in a minute, changed by `over`. */
export function rule(over: Partial<Rule> = {}): Rule {
  return {
    name: "any",
    condition: null,
    status: null,
    except: [],
    distinct: null,
    limit: 2,
    window: 60 * SECOND,
    banTime: null,
    growth: STEADY,
    scope: "all",
    ...over,
  };
}

/**
 * Runs `body` in a time zone. The zone is the whole process's, so test files in the same process
 * wait for each other here. A program started meanwhile inherits it unless it gets another.
 */
export function inZone(zone: string, body: () => void): void {
  using turn = Deno.openSync(import.meta.filename!);
  turn.lockSync(true);
  const before = Deno.env.get("TZ");
  const zoneBefore = Intl.DateTimeFormat().resolvedOptions().timeZone;
  Deno.env.set("TZ", zone);
  try {
    body();
  } finally {
    // Deno 2.4 notices an assignment, but no deletion.
    Deno.env.set("TZ", before ?? zoneBefore);
    if (before === undefined) Deno.env.delete("TZ");
  }
}

/** Waits until `condition` holds. Fails after `seconds`, which only stop a hang. */
export async function eventually(condition: () => boolean | Promise<boolean>, seconds = 120): Promise<void> {
  const deadline = Date.now() + seconds * 1_000;
  while (!await condition()) {
    if (Date.now() > deadline) throw new Error(`still not so after ${seconds} s: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Writes an executable shell script and returns its path. */
export function script(directory: string, { name, body }: { name: string; body: string }): string {
  const file = `${directory}/${name}`;
  Deno.writeTextFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return file;
}

/** Counts of an hour without lines. */
export const NOTHING_COUNTED: RollupContent = {
  lines: [],
  hits: [],
  rule: [],
  address: [],
  network: [],
  user: [],
  path: [],
};
