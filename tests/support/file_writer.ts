/**
 * Appends numbered lines to a file at full speed, each in two pieces, until a file `stop` is beside
 * it. Then it prints their number: `deno run file_writer.ts FILE MODE`. In the mode `reopen` it
 * opens the file anew for every few lines, as programs do after a rotation, and waits for a missing
 * file.
 */
const [path, mode] = [Deno.args[0]!, Deno.args[1]];
const stop = path.replace(/[^/]*$/, "stop");
const encoder = new TextEncoder();

function open(): Deno.FsFile {
  for (;;) {
    try {
      return Deno.openSync(path, { append: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

function isToStop(): boolean {
  try {
    return Deno.statSync(stop).isFile;
  } catch {
    return false;
  }
}

let file = open();
let number = 0;
for (; number % 50 > 0 || !isToStop(); number++) {
  if (mode === "reopen" && number % 50 === 0) {
    file.close();
    file = open();
  }
  file.writeSync(encoder.encode(`line ${number} `));
  file.writeSync(encoder.encode(`${"x".repeat(number % 200)} end\n`));
}
file.close();
console.log(number);
