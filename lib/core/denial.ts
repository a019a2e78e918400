import { userInfo } from "node:os";
import { tried } from "./error.ts";

/**
 * Returns a sentence for a deed that the system denies this process's user, with a remedy:
 * `denial("read x", (user) => ...)` gives `user alice may not read x; ...`.
 */
export function denial(deed: string, remedy: (user: string) => string): string {
  const user = userName();
  return `${denied(user)}${deed}; ${remedy(user)}`;
}

/** Reports whether `sentence` holds a `denial()`, with or without its remedy. */
export function isDenial(sentence: string): boolean {
  return sentence.includes(denied(userName()));
}

function denied(user: string): string {
  return `user ${user} may not `;
}

/** Makes a remedy for `denial()`: membership in `group`. */
export function joining(group: string): (user: string) => string {
  return (user) => `let it with: sudo usermod -aG ${group} ${user}, and log in again or restart the service`;
}

/** Returns the name of this process's user; if unknown, `$USER`, which a shell replaces. */
export function userName(): string {
  return tried(() => userInfo().username) ?? "$USER";
}
