import { strict as assert } from "node:assert";
import { Inbox } from "../../../lib/commands/watch/inbox.ts";

Deno.test("`Inbox.take()` hands over in order, and once what came several times in a row", async () => {
  const inbox = new Inbox<string | { readonly keys: string }>();
  for (let second = 0; second < 7_200; second++) inbox.put("look");
  inbox.put({ keys: "j" });
  inbox.put({ keys: "j" });
  inbox.put("look");
  assert.deepEqual(await inbox.take(), ["look", { keys: "j" }, { keys: "j" }, "look"]);
  setTimeout(() => inbox.put("look"));
  assert.deepEqual(await inbox.take(), ["look"], "again, once taken");
});
