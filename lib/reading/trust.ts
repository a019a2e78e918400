/** Trust in journal entries, by the fields that journald itself vouches for. */
import type { Sender } from "../core/records.ts";

/**
 * Reports whether only root or the service, which runs in `units`, can have written an entry of
 * `sender`.
 */
export function isTrusted(sender: Sender, units: readonly string[]): boolean {
  return sender.uid === 0 || isOfUnit(sender.unit, units);
}

/** Reports whether `unit` is one of `units`, or an instance of a template among them. */
export function isOfUnit(unit: string, units: readonly string[]): boolean {
  return units.some((name) => unit === name || isInstance(unit, name));
}

/**
 * Reports whether `unit` is an instance of a template, as `ssh@1-2.service` is of `ssh@.service`.
 */
function isInstance(unit: string, name: string): boolean {
  const at = name.indexOf("@.");
  return at > 0 && unit.startsWith(name.slice(0, at + 1)) && unit.endsWith(name.slice(at + 1));
}
