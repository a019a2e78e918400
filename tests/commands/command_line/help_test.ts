/** What `--help` tells of every command: its examples work, and it fits a terminal of 80 columns. */
import { strict as assert } from "node:assert";
import { isIP } from "node:net";
import type { Command } from "commander";
import { ordered } from "../../../lib/commands/command_line/arguments.ts";
import { commandLine, COMMANDS } from "../../../lib/commands/command_line/command_line.ts";
import { inDirectory } from "../../support/configs.ts";
import { program as runProgram } from "../../support/program.ts";

/** The command line. Its commands tell `ran` their paths in place of running. */
function idleProgram(ran: (path: string) => void, name?: string): Command {
  const program = commandLine({
    version: "1.0.0",
    exit: () => {},
    log: () => Promise.reject(new Error("no command runs here")),
    signals: () => assert.fail("no command runs here"),
  }, name);
  for (const { command, path } of everyCommand(program)) {
    command.exitOverride();
    if (command.commands.length === 0) command.action(() => ran(path));
  }
  return program;
}

function everyCommand(command: Command, path = ""): { readonly command: Command; readonly path: string }[] {
  const inner = command.commands.flatMap((each) => everyCommand(each, `${path} ${each.name()}`.trim()));
  return [{ command, path }, ...inner];
}

function helpOf(command: Command): string {
  let help = "";
  command.configureOutput({ writeOut: (text) => help += text, getOutHelpWidth: () => 80 });
  command.outputHelp();
  return help;
}

/** The arguments of a line for a shell, up to where the shell pipes, redirects or goes on. */
function argumentsOf(line: string): string[] {
  const words = line.match(/'[^']*'|\S+/g)!.slice(1);
  const end = words.findIndex((word) => /^(?:[<>|]|&&)$/.test(word));
  return words.slice(0, end < 0 ? undefined : end).map((word) => word.replace(/^'(.*)'$/, "$1"));
}

for (const { command, path } of everyCommand(idleProgram(() => {}))) {
  const name = `strongmonitor ${path}`.trim();
  Deno.test(`\`${name} --help\` fits 80 columns, and the command line takes its examples`, async () => {
    const help = helpOf(command);
    for (const line of help.split("\n")) assert.ok(line.length <= 80, `${line.length} columns: ${line}`);
    const examples = [...help.matchAll(/^ {2}\$ (strongmonitor.*)$/gm)].map(([, line]) => line!);
    assert.ok(examples.length > 0, "has examples");
    assert.doesNotMatch(help, /^ {2}\$ .*\n\S/m, "a line parts the examples from what follows");
    for (const example of examples) {
      let ran = "nothing";
      const program = idleProgram((path) => ran = path);
      const words = argumentsOf(example);
      for (const file of words.filter((word) => /\.(?:jsonc|log|txt|gz|\d)$/.test(word) && !isIP(word))) {
        assert.match(file, /^\/(?:etc\/strongmonitor|var\/log)\//, "the stock program may read it");
      }
      await program.parseAsync(ordered(COMMANDS, words), { from: "user" });
      assert.ok(`${ran} `.startsWith(path === "" ? "" : `${path} `), `${example} runs ${ran}`);
    }
  });
}

Deno.test("`help` alone prints what `--help` prints", async () => {
  const [help, option] = [await runProgram(["help"]), await runProgram(["--help"])];
  assert.deepEqual(help, option);
  assert.equal(help.code, 0);
});

Deno.test("The program has the named command alone, with the help that it has among all", () => {
  for (const all of idleProgram(() => {}).commands) {
    const [named, ...others] = idleProgram(() => {}, all.name()).commands;
    assert.deepEqual([helpOf(named!), others], [helpOf(all), []]);
  }
});

Deno.test("The program has all commands for a name that none has", () => {
  for (const name of ["starts", "--help", undefined]) {
    assert.equal(idleProgram(() => {}, name).commands.length, COMMANDS.length);
  }
});

for (const name of ["whitelist", "knock"]) {
  Deno.test(`\`${name}\` without a command of its own lists, with options before and behind it`, async () => {
    await inDirectory({}, async (directory) => {
      for (const args of [[name, "--state", directory], ["--state", directory, name]]) {
        const { code, stderr } = await runProgram(args);
        assert.equal(code, 69);
        assert.match(stderr, /Cannot open the state .*: the monitor has not run yet/);
      }
    });
  });
}
