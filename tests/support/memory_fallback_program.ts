// Leaves memory again and again, with a garbage collection each time. Run with `--v8-flags=--expose-gc`.
import { inMemory } from "../../lib/state/connect.ts";
import { MemoryFallback } from "../../lib/state/memory_fallback.ts";

const { gc } = globalThis as unknown as { gc: () => void };

function leaveMemory(): void {
  const memory = inMemory();
  const fallback = new MemoryFallback(memory);
  memory.exec("INSERT INTO meta (key, value) VALUES ('a', 'b')");
  fallback.close();
  memory.close();
}

for (let i = 0; i < 200; i++) {
  leaveMemory();
  gc();
  // Reuses the freed memory.
  const other = inMemory();
  other.close();
  await new Promise((resolve) => setTimeout(resolve, 0));
}
