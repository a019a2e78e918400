import { distance } from "fastest-levenshtein";

/** Keys of fail2ban, with the keys of this program that replace them. */
const FOREIGN: Readonly<Record<string, string>> = {
  findtime: "window",
  maxretry: "limit",
  bantime: "ban_time",
  ignoreip: "whitelist",
  actionban: "ban_command",
  actionunban: "unban_command",
};

/** Makes the complaint about an unknown `key`, and suggests the one of `allowed` probably meant. */
export function unknownKey(key: string, allowed: readonly string[]): string {
  if (key === "password") {
    return "does not belong here: write it alone into db_password.secret beside this file";
  }
  const foreign = FOREIGN[key.toLowerCase()];
  const meant = foreign && allowed.includes(foreign) ? foreign : nearest(key, allowed);
  const known = allowed.filter((name) => !name.startsWith("$")).join(", ");
  return meant ? `is an unknown key, did you mean "${meant}"?` : `is an unknown key: known here are ${known}`;
}

/** Returns the name that `written` misspells in at most a third of its letters; null: none. */
export function nearest(written: string, names: readonly string[]): string | null {
  const lower = written.toLowerCase().slice(0, 64);
  const ranked = names.map((name) => ({ name, slips: distance(lower, name.toLowerCase()) }))
    .filter(({ name, slips }) => slips <= Math.max(1, Math.floor(name.length / 3)))
    .sort((a, b) => a.slips - b.slips);
  return ranked[0]?.name ?? null;
}
