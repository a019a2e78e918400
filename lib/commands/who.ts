import { SUDOER } from "../config/permissions.ts";
import { userName } from "../core/denial.ts";

/** Names who runs this command, for the monitor's log: `root (uid 0), by sudo from anna`. */
export function whoRuns(): string {
  const sudoer = tried(() => Deno.env.get(SUDOER));
  const uid = tried(() => Deno.uid());
  const name = userName();
  return `${name}${uid === undefined ? "" : ` (uid ${uid})`}${sudoer ? `, by sudo from ${sudoer}` : ""}`;
}

/** Returns the result of `look`; undefined if this program lacks permission. */
function tried<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
