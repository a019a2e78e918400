import { configureSync, getLogger, type LogLevel, type LogRecord } from "@logtape/logtape";
import { printable } from "./text.ts";
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

/** Priorities that systemd reads at the start of a line (sd-daemon(3)). */
const PRIORITY: Readonly<Record<LogLevel, number>> = {
  trace: 7,
  debug: 7,
  info: 6,
  warning: 4,
  error: 3,
  fatal: 2,
};
const COLOUR: Readonly<Record<LogLevel, string>> = {
  trace: "\x1b[2m",
  debug: "\x1b[2m",
  info: "",
  warning: "\x1b[33m",
  error: "\x1b[31m",
  fatal: "\x1b[31m",
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
    sinks: { stderr: (record) => write(forPeople ? peopleLine(record) : journalLine(record)) },
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

function text(record: LogRecord): string {
  const message = record.properties.message;
  return printable(typeof message === "string" ? message : record.message.join(""));
}

function journalLine(record: LogRecord): string {
  return `<${PRIORITY[record.level]}>${text(record)}`;
}

function peopleLine(record: LogRecord): string {
  const line = `${localTime(record.timestamp * MILLISECOND)} ${text(record)}`;
  const colour = Deno.noColor ? "" : COLOUR[record.level];
  return colour === "" ? line : `${colour}${line}\x1b[0m`;
}

const encoder = new TextEncoder();
/**
 * Lines of this turn of the event loop, and the number of characters that makes `write()` write
 * them.
 */
let waiting = "";
const MOST_WAITING = 65_536;

/**
 * Collects the lines of one turn of the event loop and writes them at its end: a system call for
 * each of 10,000 bans took as long as the bans. The event `unload` writes the last lines before an
 * exit.
 */
function write(line: string): void {
  if (waiting === "") queueMicrotask(flush);
  waiting += line + "\n";
  if (waiting.length > MOST_WAITING) flush();
}

addEventListener("unload", flush);

/** Writes synchronously. Ignores a closed standard error. */
function flush(): void {
  const bytes = encoder.encode(waiting);
  waiting = "";
  try {
    for (let sent = 0; sent < bytes.length;) sent += Deno.stderr.writeSync(bytes.subarray(sent));
  } catch {
    // Standard error is closed: nobody reads the log.
  }
}
