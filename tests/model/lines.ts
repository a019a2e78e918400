/** Lines of logs, made up and damaged: the same ones for the same seed. */
import type { Random } from "../support/random.ts";
import { LogClock } from "./clock.ts";
import { MessageMaker, type ModuleName } from "./messages.ts";

const MODULES: readonly ModuleName[] = ["SSHD", "NGINX", "OWN"];
/** Longest line, in characters. */
const LONGEST = 20_000;

/** Makes lines of a module, and some of other modules and programs. */
export class LineMaker {
  readonly #random: Random;
  readonly #module: ModuleName;
  readonly #clock: LogClock;
  readonly #messages: MessageMaker;

  /** @param templates of sshd's messages */
  constructor(random: Random, { module, templates }: { module: ModuleName; templates: readonly string[] }) {
    this.#random = random;
    this.#module = module;
    this.#clock = new LogClock(random);
    this.#messages = new MessageMaker(random, { clock: this.#clock, templates });
  }

  /** A line, perhaps with bytes that are no UTF-8; it holds no line feed. */
  next(): Uint8Array {
    const random = this.#random;
    this.#clock.tick();
    const module = random.below(50) === 0 ? random.pick(MODULES) : this.#module;
    let line = this.#withHead(module, this.#messages.messageOf(module));
    if (random.below(3) === 0) {
      for (let n = 1 + random.below(3); n > 0; n--) line = this.#mutate(line).slice(0, LONGEST);
    }
    const bytes = new TextEncoder().encode(line.replaceAll("\n", " "));
    const isBroken = random.below(40) === 0 && bytes.length > 0;
    return isBroken ? bytes.with(random.below(bytes.length), 128 + random.below(128)) : bytes;
  }

  /**
   * Puts a head before a message, of one of the forms that programs write; seldom before lines of
   * nginx, which have none.
   */
  #withHead(module: ModuleName, message: string): string {
    const random = this.#random;
    if (module === "NGINX" && random.below(6) > 0) return message;
    const { iso, syslog, unix } = this.#clock;
    const program =
      { SSHD: random.pick(["sshd", "sshd", "sshd-session"]), NGINX: "nginx", OWN: "own" }[module];
    const pid = random.below(3) === 0 ? 100 + random.below(5) : random.below(40_000);
    const host = random.pick(["host", "host", "a.example"]);
    const tagged = `${host} ${program}[${pid}]: ${message}`;
    if (random.below(4) === 0) return this.#collected(message, { tagged, program, pid });
    return random.pick([
      message,
      `${syslog} ${tagged}`,
      `${syslog} ${tagged}`,
      `${iso.replace("Z", "+00:00")} ${tagged}`,
      `${iso.slice(0, 19)}.123456+02:00 ${tagged}`,
      `<38>1 ${iso} ${host} ${program} ${pid} - - ${message}`,
      `<38>${syslog} ${tagged}`,
      `${unix} ${tagged}`,
      `[ 1234.567890] ${host} ${program}: ${message}`,
      `${syslog} ${host} ${program}: ${random.pick(["", "[ID 800047 auth.info] ", " "])}${message}`,
      tagged,
      `[${this.#clock.own}] ${tagged}`,
      `${this.#clock.own} ${message}`,
      `${syslog} ${random.pick(["CRON", "sudo", "kernel"])}[${pid}]: ${message}`,
    ]);
  }

  /** A line as collectors of logs and containers' runtimes write it. */
  #collected(
    message: string,
    { tagged, program, pid }: { tagged: string; program: string; pid: number },
  ): string {
    const random = this.#random;
    const { iso, syslog, ctime, tai64n } = this.#clock;
    const zoned = iso.replace("Z", random.pick(["Z", "123456Z", "+00:00"]));
    const text = random.pick([message, message, tagged, `${iso} ${message}`, `${syslog} ${tagged}`]);
    const repeated = `message repeated ${random.below(9)} times: [ ${message}]`;
    return random.pick([
      `${zoned} ${text}`,
      `${iso.slice(0, 19).replace("T", " ")}.123456789  ${message}`,
      `${iso.slice(0, 19).replace("T", "_")}.12345 ${message}`,
      `${tai64n} ${message}`,
      `${zoned} ${random.pick(["stdout", "stderr"])} ${random.pick(["F", "F", "P"])} ${text}`,
      JSON.stringify({ log: `${text}\n`, stream: random.pick(["stdout", "stderr"]), time: zoned })
        .replaceAll(/[<>&]/g, (mark) => `\\u00${mark.charCodeAt(0).toString(16)}`),
      JSON.stringify({ log: text, stream: "stdout", attrs: { tag: message }, time: zoned }),
      `${ctime} auth.info ${program}[${pid}]: ${message}`,
      `${ctime.slice(4, 10)} ${ctime.slice(20)} ${ctime.slice(11, 19)} ${tagged}`,
      `${pid} ${iso.slice(0, 23).replace("T", " ")} ${message}`,
      `1 ${iso} host ${program} ${pid} - [a b="c\\]"][d e="f"] ${message}`,
      `${iso} host ${program} ${pid} - - ${message}`,
      `${syslog} host [${program}]: ${message}`,
      `${syslog} [${program}] ${message}`,
      `${message.length} <38>1 ${iso} host ${program} ${pid} - - ${message}`,
      `[pod/host/${program}] ${text}`,
      `${program}-1  | ${text}`,
      `${ctime.slice(20)} ${ctime.slice(4, 19)} ${tagged}`,
      `${syslog} host ${program} ${message}`,
      `${program}: ${message}`,
      `${syslog} host ${program}[${pid}]: ${program}[${pid}]: ${message}`,
      `${syslog} host /usr/sbin/${program}[${pid}.7]: ${message}`,
      JSON.stringify({ SYSLOG_IDENTIFIER: program, _PID: `${pid}`, MESSAGE: message, isodate: zoned }),
      JSON.stringify({ time: zoned, stream: "stderr", log: text }),
      JSON.stringify({ "@timestamp": zoned, message: text, process: { name: program } }),
      JSON.stringify({ time: zoned, msg: text }),
      `${syslog} host ${program}(pam_unix)[${pid}]: ${message}`,
      `${syslog} host ${program}[${pid}] ${random.pick(["error", "fatal"])}: ${message}`,
      `${syslog} host kernel: [12.3] ${program}[${pid}]: ${message}`,
      `${syslog} ${random.pick(["auth.info", "auth|security:info", "<auth.info>"])}: ${message}`,
      `${syslog} host ${program}[${pid}]: ${zoned} ${text}`,
      `${syslog} host ${program}[${pid}]: ${repeated}`,
      repeated,
    ]);
  }

  /** Changes a line in one place. */
  #mutate(line: string): string {
    const random = this.#random;
    const from = random.below(line.length + 1);
    const end = from + (random.below(2) === 0 ? random.below(4) : random.below(line.length + 1 - from));
    const [before, piece, behind] = [line.slice(0, from), line.slice(from, end), line.slice(end)];
    return random.pick([
      () => before + behind,
      () => before + this.#messages.hostile() + piece + behind,
      () => before + piece + piece + behind,
      () => before + behind + piece,
      () => before || line,
      () => before + piece.toUpperCase() + behind,
      () => before + piece.toLowerCase() + behind,
      () => line.replace(/\d/, () => String(random.below(10))),
      () => before + (piece + behind).replace(/\d+/, () => String(random.below(300))),
      () => before + (piece + behind).replace(" ", "  "),
      () => before + (piece + behind).replace(" ", "\t"),
      () => line + random.pick(["\r", " ", "\0", "\u00a0", ".", ":"]),
    ])();
  }
}
