/** Loaded before the program under trouble: its wall clock is off by as many seconds as a file says. */
const file = Deno.env.get("CLOCK_OFF_BY")!;
const right = Date.now;
let off = 0;

function look(): void {
  try {
    off = 1_000 * Number(Deno.readTextFileSync(file));
  } catch {
    // It is right, or no descriptor is left to find out.
  }
}

look();
Deno.unrefTimer(setInterval(look, 20));
Date.now = () => right() + off;
