import { userInfo } from "node:os";

/**
 * Says that the system denies the user of this process a deed, and what would permit it: `denial("read x", (user) =>
 * ...)` gives `user alice may not read x; ...`.
 */
export function denial(deed: string, remedy: (user: string) => string): string {
  const user = userName();
  return `user ${user} may not ${deed}; ${remedy(user)}`;
}

/** A remedy for `denial()`: membership in `group`. */
export function joining(group: string): (user: string) => string {
  return (user) => `let it with: sudo usermod -aG ${group} ${user}, and log in again`;
}

/** Returns the name of this process's user; `$USER`, which a shell replaces, if the name is unknown or not permitted to read. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "$USER";
  }
}
