import { strict as assert } from "node:assert";
import { commandLine } from "../../../lib/commands/command_line/command_line.ts";
import { bashCompletion, fishCompletion, manPage, zshCompletion } from "../../../tools/release/pages.ts";

const PROGRAM = commandLine({
  version: "1.0.0",
  exit: () => {},
  log: () => Promise.reject(new Error("nothing runs here")),
  signals: () => assert.fail("nothing runs here"),
});

/** What bash offers behind the words of a line, where strongmonitor lists the addresses in `banned`. */
async function offered(line: string, banned: string): Promise<string[]> {
  const directory = await Deno.makeTempDir({ prefix: "strongmonitor-completion-" });
  try {
    await Deno.writeTextFile(`${directory}/completion`, bashCompletion(PROGRAM));
    await Deno.writeTextFile(`${directory}/strongmonitor`, `#!/bin/sh\nprintf '%s' '${banned}'\n`, {
      mode: 0o755,
    });
    const script =
      `cd ${directory}; PATH=$PWD:$PATH; . ./completion; COMP_WORDS=(strongmonitor ${line} ""); ` +
      'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _strongmonitor; printf "%s\\n" "${COMPREPLY[@]}"';
    const { stdout } = await new Deno.Command("bash", { args: ["-c", script] }).output();
    return new TextDecoder().decode(stdout).trim().split("\n");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("bash offers the values of an option that has fixed ones, and the banned addresses behind `unban`", async () => {
  assert.deepEqual(await offered("top --by", ""), ["address", "network", "user", "path", "rule", "module"]);
  assert.deepEqual(await offered("match --module", ""), ["SSHD", "NGINX"]);
  assert.deepEqual(await offered("bans --export", ""), ["nft", "ipset", "plain", "json"]);
  // Whatever is no address is not offered, and nothing of it is run.
  for (const line of ["unban", "unban 192.0.2.8"]) {
    assert.deepEqual(await offered(line, "192.0.2.7\n198.51.100.0/24\n$(touch x)\n"), [
      ...["--config", "--state", "--all", "--json"],
      ...["192.0.2.7", "198.51.100.0/24"],
    ]);
  }
});

Deno.test("bash offers a command's options behind its arguments, and behind values of other options", async () => {
  for (const line of ["ban 192.0.2.8", "ban --for 7d", "--state /s ban", "-s /s ban 192.0.2.8 --for 7d"]) {
    assert.deepEqual(await offered(line, ""), ["--config", "--state", "--for", "--reason", "--json"], line);
  }
  assert.ok((await offered("whitelist add 192.0.2.8", "")).includes("--until"));
  assert.deepEqual(await offered("--state /s top --by", ""), await offered("top --by", ""));
});

Deno.test("zsh and fish are told the values of options, and ask for the banned addresses", () => {
  const [zsh, fish] = [zshCompletion(PROGRAM), fishCompletion(PROGRAM)];
  assert.match(zsh, /^ {4}"top --by"\) compadd -- address network user path rule module; return ;;$/m);
  assert.match(zsh, /^ {4}"match --module"\) compadd -- SSHD NGINX; return ;;$/m);
  assert.match(fish, /--long-option by --exclusive --arguments 'address network user path rule module'/);
  for (const text of [zsh, fish]) assert.match(text, /unban.*strongmonitor bans --export plain/);
});

Deno.test("the manual page tells defaults and values of options, as `--help` does", () => {
  const page = manPage(PROGRAM, { version: "1.0.0", date: "2026-11-28" }).replaceAll("\\-", "-");
  assert.ok(page.includes('\nconfiguration to read (default: "/etc/strongmonitor/config.jsonc")\n'));
  assert.ok(page.includes('(choices: "address", "network", "user", "path", "rule", "module")\n'));
});

Deno.test("the manual page has the examples of every command, and says where pages of docs/ are", () => {
  const page = manPage(PROGRAM, { version: "1.0.0", date: "2026-11-28" }).replaceAll("\\-", "-");
  assert.match(page, /strongmonitor whitelist add [^]*\n\.PP\n\\fB\$ strongmonitor whitelist add [^]*\n\.RE/);
  assert.ok(page.match(/^\\fB\$ strongmonitor /gm)!.length > 40);
  assert.ok(page.includes("\n/usr/share/doc/strongmonitor/docs\n"));
});
