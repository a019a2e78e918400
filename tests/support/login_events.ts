/** sshd's messages about logins. */
import { encode } from "../../lib/core/bytes.ts";
import { NO_PID } from "../../lib/core/records.ts";
import type { LoginChange } from "../../lib/deciding/login_change.ts";
import type { Logins } from "../../lib/deciding/logins.ts";
import type { LogEvent } from "../../lib/reading/event.ts";
import { sshd } from "../../modules/sshd.ts";
import { NO_OPTIONS, openForm } from "./messages.ts";

const reader = openForm(sshd.form(NO_OPTIONS));

/** Returns the event of sshd's message, good until the next call. */
export function sshdEvent(
  message: string,
  { time = 5, pid = 7, isTrusted = true }: Partial<Pick<LogEvent, "time" | "pid" | "isTrusted">> = {},
): LogEvent {
  const { bytes, end: to } = encode(message);
  if (!reader.read(bytes, 0, to)) throw new Error(`sshd does not say: ${message}`);
  const view = { module: 0, isUnderstood: true, isAhead: false, bytes, from: 0, to, count: 1 };
  return { ...view, reader, time, pid, isTrusted };
}

/** Gives the messages to `logins`. Returns whether one changed something. */
export function noteAll(logins: Logins, ...changes: readonly LoginChange[]): boolean {
  return changes.filter((change) => logins.note(eventOf(change))).length > 0;
}

function eventOf(change: LoginChange): LogEvent {
  if (change.kind === "opened") {
    const { method, user, address, port, pid, time } = change;
    return sshdEvent(`Accepted ${method} for ${user} from ${address} port ${port} ssh2`, {
      time,
      pid: pid ?? NO_PID,
    });
  }
  const { end } = change;
  if (end.address === null) return sshdEvent("pam_unix(sshd:session): session closed for user me", end);
  return sshdEvent(`Connection closed by ${end.address} port ${end.port}`, { time: end.time, pid: NO_PID });
}
