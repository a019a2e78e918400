/**
 * Appends numbered lines to a file at full speed, each in two pieces: `deno run file_writer.ts FILE COUNT MODE`. In the mode
 * `reopen` it opens the file anew for every few lines, as programs do after a rotation.
 */
const [path, count, mode] = [Deno.args[0]!, Number(Deno.args[1]), Deno.args[2]];
const encoder = new TextEncoder();

function open(): Deno.FsFile {
  return Deno.openSync(path, { append: true, create: true });
}

let file = open();
for (let number = 0; number < count; number++) {
  if (mode === "reopen" && number % 50 === 0) {
    file.close();
    file = open();
  }
  file.writeSync(encoder.encode(`line ${number} `));
  file.writeSync(encoder.encode(`${"x".repeat(number % 200)} end\n`));
}
file.close();
