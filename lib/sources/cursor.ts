/**
 * Whether two cursors name the same entry. One that was copied to another file (`journalctl --flush`) has a new
 * number, behind `s=` and `i=`, but the same boot, times and hash.
 */
export function isSameEntry(a: string, b: string): boolean {
  const [boot, fileOfB] = [b.indexOf(";b="), b.slice(0, b.indexOf(";"))];
  return a === b || (boot > 0 && a.endsWith(b.slice(boot)) && !a.startsWith(fileOfB));
}
