/** The clock of made-up logs. */
import { SECOND } from "../../lib/core/time.ts";
import type { Random } from "../support/random.ts";

const START = Date.UTC(2026, 0, 10) * 1_000;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/**
 * Goes on by some seconds for each line; sometimes a line is late, and seldom the log goes on hours
 * later.
 */
export class LogClock {
  readonly #random: Random;
  /** Microseconds since the epoch, and those of the line at hand. */
  #now = START;
  #time = START;

  constructor(random: Random) {
    this.#random = random;
  }

  tick(): void {
    const random = this.#random;
    this.#now += random.below(4) * SECOND + random.below(SECOND);
    if (random.below(3_000) === 0) this.#now += random.below(6 * 3_600) * SECOND;
    this.#time = this.#now - (random.below(30) === 0 ? random.below(1_200) * SECOND : 0);
  }

  /** `2026-01-10T00:00:03.141Z` */
  get iso(): string {
    return new Date(this.#time / 1_000).toISOString();
  }

  /** `1767999603.141592` */
  get unix(): string {
    return (this.#time / SECOND).toFixed(6);
  }

  /** `Jan 10 00:00:03` */
  get syslog(): string {
    return `${this.#month} ${String(Number(this.iso.slice(8, 10))).padStart(2)} ${this.iso.slice(11, 19)}`;
  }

  /** `Sat Jan 10 00:00:03 2026` */
  get ctime(): string {
    const day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][new Date(this.#time / 1_000).getUTCDay()]!;
    return `${day} ${this.syslog} ${this.iso.slice(0, 4)}`;
  }

  /** `@400000006961979d08954400`, as daemontools label lines */
  get tai64n(): string {
    const seconds = Math.floor(this.#time / SECOND);
    const nanoseconds = 1_000 * (this.#time - seconds * SECOND);
    return `@4${(seconds + 10).toString(16).padStart(15, "0")}${nanoseconds.toString(16).padStart(8, "0")}`;
  }

  /** `10/Jan/2026:00:00:03 +0000` */
  get clf(): string {
    const zone = this.#random.pick(["+0000", "+0000", "+0200", "-0330"]);
    return `${this.iso.slice(8, 10)}/${this.#month}/${this.iso.slice(0, 4)}:${
      this.iso.slice(11, 19)
    } ${zone}`;
  }

  /** `2026/01/10 00:00:03` */
  get nginx(): string {
    return this.iso.slice(0, 19).replaceAll("-", "/").replace("T", " ");
  }

  /** In one of the forms of services' own times. */
  get own(): string {
    const [day, month, year] = [this.iso.slice(8, 10), this.#month, this.iso.slice(0, 4)];
    const clock = this.iso.slice(11, 19);
    return this.#random.pick([
      this.iso,
      this.nginx,
      this.clf,
      this.syslog,
      this.unix,
      this.unix.slice(0, 10),
      this.unix.slice(0, 14).replace(".", ""),
      `${this.iso.slice(0, 10)}_${clock}.25`,
      `${this.iso.slice(0, 10)} ${clock},5 ${
        this.#random.pick(["-03", "+0530", "EST", "CEST", "UTC", "LOG"])
      }`,
      `Sat ${this.syslog} ${year}`,
      `Sat ${this.syslog} CET ${year}`,
      `Sat, ${day} ${month} ${year} ${clock} +0100`,
    ]);
  }

  get #month(): string {
    return MONTHS[Number(this.iso.slice(5, 7)) - 1]!;
  }
}
