import { configureSync, getLogger, type LogLevel, type LogRecord } from "@logtape/logtape";
import { abortedWith, NEVER, pause } from "./async.ts";
import { tried } from "./error.ts";
import { counted, printable } from "./text.ts";
import { localTime, MILLISECOND } from "./time.ts";

/** The program's log. */
export interface Log {
  /** Shown with `--verbose`; `message` is called only then. Each of its lines is a record. */
  debug(message: () => string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Numbers of messages to a log since the start. */
export interface MessageCounts {
  errors: number;
  warnings: number;
}

/** Wraps `log` so that its errors and warnings are counted in `counts`. */
export function countMessages(log: Log, counts: MessageCounts): Log {
  return {
    debug: (message) => log.debug(message),
    info: (message) => log.info(message),
    warn(message) {
      counts.warnings++;
      log.warn(message);
    },
    error(message) {
      counts.errors++;
      log.error(message);
    },
  };
}

/** Look of an error: priority at the start of a line (sd-daemon(3)), and colour. */
const ERROR = [3, "\x1b[31m"] as const;
/** Looks of all other levels that the program uses. */
const LOOKS: Readonly<Partial<Record<LogLevel, readonly [priority: number, colour: string]>>> = {
  debug: [7, "\x1b[2m"],
  info: [6, ""],
  warning: [4, "\x1b[33m"],
};

/**
 * Opens the program's log on standard error. On a terminal, lines have the local time and colour;
 * elsewhere a priority such as `<4>` in front, which the journal understands. Every record is one
 * line.
 */
export function openLog({ verbose }: { verbose: boolean }): Log {
  const forPeople = Deno.stderr.isTerminal();
  configureSync({
    reset: true,
    sinks: { stderr: (record) => write(lineOf(record, forPeople)) },
    loggers: [
      { category: "strongmonitor", lowestLevel: verbose ? "debug" : "info", sinks: ["stderr"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stderr"] },
    ],
  });
  const logger = getLogger("strongmonitor");
  return {
    debug(message) {
      if (!verbose) return;
      for (const line of message().split("\n")) logger.debug("{message}", { message: line });
    },
    info: (message) => logger.info("{message}", { message }),
    warn: (message) => logger.warn("{message}", { message }),
    error: (message) => logger.error("{message}", { message }),
  };
}

function lineOf({ level, message, properties, timestamp }: LogRecord, isForPeople: boolean): string {
  const given = properties.message;
  const text = printable(typeof given === "string" ? given : message.join(""));
  const [priority, colour] = LOOKS[level] ?? ERROR;
  if (!isForPeople) return `<${priority}>${text}`;
  const line = `${localTime(timestamp * MILLISECOND)} ${text}`;
  return colour === "" || Deno.noColor ? line : `${colour}${line}\x1b[0m`;
}

const encoder = new TextEncoder();
/**
 * Lines that wait for standard error. A turn of the event loop writes its lines at once: a system
 * call for each of 10,000 bans took as long as the bans.
 */
let waiting = "";
/** Characters that may wait while nobody reads standard error, as when journald hangs. */
const MOST_WAITING = 1 << 22;
/** Number of lines dropped since, as there was no room. */
let dropped = 0;
/** Ends when all lines are written; null: they are. */
let writing: Promise<void> | null = null;
/** Whether a write is under way: it may block for ever. */
let isUnderWay = false;
/** Milliseconds that the end of the program waits for the last lines. */
const LAST_LINES = 1_000;

function write(line: string): void {
  if (waiting.length > MOST_WAITING) return void dropped++;
  waiting += line + "\n";
  writing ??= writeAll();
}

/** Writes in another thread: a reader that hangs must not stop the monitor. */
async function writeAll(): Promise<void> {
  await Promise.resolve();
  isUnderWay = true;
  try {
    while (waiting !== "") {
      for (let bytes = takeWaiting(); bytes.length > 0;) {
        bytes = bytes.subarray(await Deno.stderr.write(bytes));
      }
    }
  } catch {
    // Standard error is closed: nobody reads the log.
    waiting = "";
  }
  isUnderWay = false;
  writing = null;
  const missing = dropped;
  dropped = 0;
  if (missing === 0) return;
  const text = counted(missing, "line is missing", "lines are missing");
  getLogger("strongmonitor").warn(`${text} here: this log was not read in time`);
}

function takeWaiting(): Uint8Array {
  const bytes = encoder.encode(waiting);
  waiting = "";
  return bytes;
}

/** Waits for the last lines, but not long. Call it before the program ends. */
export async function lastLinesWritten(): Promise<void> {
  using stop = abortedWith(NEVER);
  await Promise.race([writing, pause(LAST_LINES, stop.signal)]);
}

/** Writes what an exit in the middle of a turn leaves. */
addEventListener("unload", () => {
  if (!isUnderWay) tried(() => Deno.stderr.writeSync(takeWaiting()));
});
