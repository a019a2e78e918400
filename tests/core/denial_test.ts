import { strict as assert } from "node:assert";
import { userInfo } from "node:os";
import { denial, isDenial, joining } from "../../lib/core/denial.ts";

const SOURCE = new URL("../../lib/core/denial.ts", import.meta.url).href;

Deno.test("`denial()` names the user, the deed and a remedy for that user", () => {
  const { username } = userInfo();
  assert.equal(
    denial("read /var/log/auth.log", joining("adm")),
    `user ${username} may not read /var/log/auth.log; ` +
      `let it with: sudo usermod -aG adm ${username}, and log in again or restart the service`,
  );
  assert.ok(isDenial(`Cannot do it: ${denial("read it", () => "ask")}`));
  assert.ok(!isDenial(`Cannot do it: user ${username}2 may not read it`));
});

Deno.test("`denial()` leaves the name to the shell where the program may not ask for it", async () => {
  const code = `import { denial } from "${SOURCE}"; console.log(denial("do it", (user) => "ask " + user));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", `data:application/typescript,${encodeURIComponent(code)}`],
  }).output();
  assert.equal(new TextDecoder().decode(stdout).trim(), "user $USER may not do it; ask $USER");
});
