/** What a test finds on this machine. */

/** Reports whether a file exists. */
export function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Returns the file of a program on the PATH; null: it is not installed. */
export function findProgram(name: string): string | null {
  const directories = (Deno.env.get("PATH") ?? "").split(":");
  return directories.map((directory) => `${directory}/${name}`).find(exists) ?? null;
}

/** Reports whether a program can be run and succeeds. */
export function works(program: string, args: string[]): boolean {
  try {
    return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** Returns a port of 127.0.0.1 that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
