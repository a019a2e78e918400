import { strict as assert } from "node:assert";
import { dial } from "../../lib/postgres/dial.ts";

/** Connects to a port on which nobody accepts, until the kernel lets no more in. Returns how to let go. */
async function fill(port: number): Promise<() => void> {
  const connections: Deno.Conn[] = [];
  const waiting = Promise.withResolvers<void>();
  const connectNext = () => {
    const connecting = Deno.connect({ hostname: "127.0.0.1", port });
    const timer = setTimeout(waiting.resolve, 500);
    connecting.then((connection) => {
      clearTimeout(timer);
      connections.push(connection);
      connectNext();
    }).catch(() => {});
  };
  connectNext();
  await waiting.promise;
  return () => connections.forEach((connection) => connection.close());
}

for (const sslmode of ["verify-full", "disable"] as const) {
  Deno.test({
    name: `\`dial()\` with ${sslmode} gives up at once while it connects`,
    // The kernel ends an attempt under way, and Deno does not.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = listener.addr;
      const letGo = await fill(port);
      const stop = new AbortController();
      const dialling = dial(
        { host: "127.0.0.1", port, user: "u", database: "d", password: "p", sslmode },
        stop.signal,
      );
      stop.abort(new Error("enough"));
      await assert.rejects(dialling, /^Error: enough$/);
      letGo();
    },
  });
}
