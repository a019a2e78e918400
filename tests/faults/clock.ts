/** Shifts the wall clock of the program under test by the seconds in a file. Loaded before the program. */
const file = Deno.env.get("CLOCK_OFF_BY")!;
const right = Date.now;
let off = 0;

function look(): void {
  try {
    off = 1_000 * Number(Deno.readTextFileSync(file));
  } catch {
    // Without the file, or without a free descriptor to read it, the clock is right.
  }
}

look();
Deno.unrefTimer(setInterval(look, 20));
Date.now = () => right() + off;
