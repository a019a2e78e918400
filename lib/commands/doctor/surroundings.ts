/** Checks the database and the clock. */
import { messageOf } from "../../core/error.ts";
import { aheadBy, differenceText, localTime, type Micros, now, SECOND } from "../../core/time.ts";
import type { DatabaseConfig } from "../../postgres/database_config.ts";
import { asRoot, newestEntry, seesJournal } from "../common/machine.ts";
import { failure, failureOf, type Finding, ok, warning } from "./finding.ts";

/** Largest difference between clocks that counts as none. */
const TOLERANCE = 5 * SECOND;
/** Units that synchronize the clock. */
const TIME_KEEPERS = [
  "systemd-timesyncd.service",
  "chrony.service",
  "chronyd.service",
  "ntpsec.service",
  "ntpd.service",
  "ntp.service",
  "openntpd.service",
];
const synchronise = () => `${asRoot("apt install systemd-timesyncd")}, and see timedatectl`;

/** Connects to the database, and checks that it takes rows and agrees on the time. */
export async function* examineDatabase(config: DatabaseConfig): AsyncGenerator<Finding> {
  try {
    const { probeDatabase } = await import("../../postgres/probe.ts");
    const before = now();
    const { version, time, obstacle, risk } = await probeDatabase(config);
    const reached = `PostgreSQL ${version} at ${config.host}:${config.port}`;
    const off = aheadBy(time, before);
    yield obstacle === null
      ? ok("database", `${reached} takes rows of user "${config.user}"`)
      : failureOf("database", `${reached}: ${obstacle}`);
    if (risk !== null) yield failureOf("database", risk);
    if (Math.abs(off) <= TOLERANCE) return;
    yield warning("clock", `the database's clock is ${differenceText(off)}`, "synchronise both");
  } catch (error) {
    yield failureOf("database", messageOf(error));
  }
}

/** Checks that the clock is not behind the `newest` known time, and that a unit synchronizes it. */
export async function examineClock(newest: Micros | null): Promise<Finding> {
  const time = now();
  if (newest !== null && newest > time + TOLERANCE) {
    const [says, worked] = [localTime(time), localTime(newest)];
    const text = `the clock says ${says}, but the monitor has worked at ${worked} already`;
    return failure("clock", text, synchronise());
  }
  const matches = TIME_KEEPERS.map((unit) => `_SYSTEMD_UNIT=${unit}`);
  const entry = await newestEntry(["--boot", ...matches], ["_SYSTEMD_UNIT"]);
  if (entry?._SYSTEMD_UNIT !== undefined) {
    return ok("clock", `says ${localTime(time)}, and ${entry._SYSTEMD_UNIT} keeps it`);
  }
  if (!await seesJournal()) {
    return warning(
      "clock",
      `says ${localTime(time)}; only the journal tells what keeps it`,
      "see timedatectl",
    );
  }
  const text = `says ${localTime(time)}, and no time service has written to the journal since the boot`;
  return warning("clock", text, `unless the host of a container keeps it: ${synchronise()}`);
}
