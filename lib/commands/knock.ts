import { renderUnicodeCompact } from "uqr";
import { hexText } from "../core/bytes.ts";
import { formatDuration, isoTime, isoTimeOrNull, localTime, now } from "../core/time.ts";
import type { Config } from "../config/types.ts";
import { codeSecret, otpauthUri, PLAIN_SECRET, plainSecret, seal } from "../deciding/knock_key.ts";
import type { State } from "../state/state.ts";
import type { KnockKey } from "../deciding/knock.ts";
import { UserError } from "../core/error.ts";
import { tellMonitor, warnIfStopped } from "./common/change.ts";
import { openConfig, readStdin } from "./common/open_config.ts";
import { withState } from "./common/open_state.ts";
import {
  type CommonOptions,
  print,
  printJson,
  printLines,
  printResult,
  printSteering,
  printTable,
  zoneText,
} from "./common/output.ts";

/** Options of `knock new`. */
export interface KnockNewOptions extends CommonOptions {
  /** Make a plain secret, which never changes, in place of one-time codes. */
  readonly plain?: boolean;
  /** Read the plain secret from standard input. */
  readonly secretStdin?: boolean;
}

/** RFC 4226, section 4, recommends 160 bits. */
const SECRET_BYTES = 20;
const SALT_BYTES = 16;
/** Most bytes of standard input: more than the longest secret with its line end. */
const MOST_INPUT = 256;
/** White on black: scanners need dark on light, and the renderer draws the light modules. */
const QR_COLOURS = ["\x1b[97;40m", "\x1b[0m"] as const;

/**
 * `knock new`: makes a key, prints it once, and tells the monitor. Throws `UserError` (64, 69, 78;
 * 1: the name is taken).
 */
export function knockNewCommand(name = "owner", options: KnockNewOptions): number {
  requireName(name);
  const config = openConfig(options);
  const secret = options.plain || options.secretStdin ? choosePlain(options) : null;
  const code = secret ?? codeSecret(random(SECRET_BYTES));
  return withState({ ...options, state: config.stateDirectory }, (state) => {
    const sealed = secret === null ? code : seal(secret, hexText(random(SALT_BYTES)));
    keep(state, { name, kind: secret === null ? "totp" : "plain", secret: sealed, since: now(), used: null });
    const uri = secret === null ? otpauthUri(code, { name, host: Deno.hostname() }) : null;
    if (options.json) printJson(uri === null ? { name, secret } : { name, uri });
    else if (!Deno.stdout.isTerminal()) print(uri ?? code);
    else if (uri !== null) tellCodes(uri, config);
    else {
      print("Keep this secret; it is not shown again. Whoever reads this server's logs can use it, too.");
      print("");
      explain(code, config);
    }
    warnIfStopped(state.directory);
    return 0;
  });
}

/** `knock list`: prints the keys and their last uses. */
export function knockListCommand(options: CommonOptions): number {
  const keys = withState(options, (state) => state.knocks.keys());
  if (options.json) {
    for (const { name, kind, since, used } of keys) {
      const [used_at, used_by] = [isoTimeOrNull(used?.at ?? null), used?.by ?? null];
      printJson({ name, kind, since: isoTime(since), used_at, used_by });
    }
  } else if (keys.length === 0) print("There are no keys: `strongmonitor knock new` makes one.");
  else {
    printTable(
      ["NAME", "KIND", "SINCE", "LAST USED", "BY"],
      keys.map(({ name, kind, since, used }) => [
        name,
        kind,
        localTime(since),
        used === null ? "never" : localTime(used.at),
        used?.by ?? "",
      ]),
    );
    print(zoneText());
  }
  return 0;
}

/** `knock remove`: removes a key. Addresses that it whitelisted stay so until their end. */
export function knockRemoveCommand(name: string, options: CommonOptions): number {
  return withState(options, (state) => {
    if (!state.knocks.remove(name)) throw new UserError(`Cannot remove the key ${name}: there is none`, 1);
    tellMonitor(state, `knock remove ${name}`);
    printResult(options, { name, done: "removed" }, `${name} removed`);
    warnIfStopped(state.directory);
    return 0;
  });
}

function requireName(name: string): void {
  if (/^[\w.@-]{1,64}$/.test(name)) return;
  throw new UserError(
    `Cannot name a key "${name}": expected up to 64 letters, digits, ".", "_", "@" or "-"`,
    64,
  );
}

function keep(state: State, key: KnockKey): void {
  if (!state.knocks.add(key)) {
    throw new UserError(`Cannot make the key ${key.name}: there is one; give another name, or remove it`, 1);
  }
  tellMonitor(state, `knock new ${key.name}`);
}

function choosePlain({ secretStdin }: KnockNewOptions): string {
  if (!secretStdin) return plainSecret(random(SECRET_BYTES));
  const secret = readStdin(MOST_INPUT)?.replace(/\r?\n$/, "") ?? "";
  if (PLAIN_SECRET.test(secret)) return secret;
  throw new UserError(
    'Cannot take this secret: expected 16 to 64 letters, digits, ".", "_", "~" or "-", the first no "." and no "-"',
    64,
  );
}

function tellCodes(uri: string, config: Config): void {
  const [on, off] = QR_COLOURS;
  for (const line of renderUnicodeCompact(uri, { border: 2 }).split("\n")) {
    printSteering(`${on}${line}${off}`);
  }
  printLines(["", uri, ""]);
  print("Let an authenticator app scan this; it is not shown again. Then, from wherever you are,");
  explain(`${config.knock.prefix}<code>`, config);
}

function explain(login: string, { knock }: Config): void {
  print(`  ssh ${login}@${Deno.hostname()}`);
  print(`or a request for /${login} keeps your address from being banned for ${formatDuration(knock.time)}.`);
}

function random(bytes: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(bytes));
}
