/** Checks the configuration, and this program's permissions for it. */
import { withPassword } from "../../config/load.ts";
import { permissionProblem } from "../../config/refusal.ts";
import { type Permissions, permissionsFor } from "../../config/permissions.ts";
import type { Config } from "../../config/types.ts";
import { configWarnings } from "../../config/warnings.ts";
import { whitelistProblem } from "../../config/whitelist_file.ts";
import { counted } from "../../core/text.ts";
import { openConfig, shippedConfig } from "../common/open_config.ts";
import type { CommonOptions } from "../common/output.ts";
import { notifyProblem } from "../check/programs.ts";
import { runRuleTests } from "../check/rule_tests.ts";
import { failure, failureOf, failuresOf, type Finding, ok, warning } from "./finding.ts";

/**
 * Loads the configuration of the options, or the shipped one if that `isWrong`, and runs the checks
 * of `check`.
 */
export function examineConfig(options: CommonOptions) {
  try {
    const config = withPassword(openConfig(options));
    return { config, isWrong: false, findings: [...findingsOf(config), ...sandbox(config)] };
  } catch (error) {
    const config = shippedConfig(options);
    const text = "what follows goes by the shipped configuration";
    const note = warning("config", text, "mend it, and ask again");
    return { config, isWrong: true, findings: [...failuresOf("config", error), note] };
  }
}

function* findingsOf(config: Config): Generator<Finding> {
  const rules = config.modules.reduce((sum, module) => sum + module.rules.length, 0);
  const parts = `${counted(config.modules.length, "module")} and ${counted(rules, "rule")}`;
  yield ok("config", `${config.name} has ${parts}`);
  for (const sentence of configWarnings(config)) yield warning("config", sentence);
  const { failures } = runRuleTests(config);
  for (const sentence of failures) yield failure("config", sentence, "mend the rule or its test");
  const unread = whitelistProblem(config.whitelist);
  if (unread !== null) {
    yield* failuresOf("config", unread, 'make this file, or take it out of "whitelist_files"');
  }
  const untold = notifyProblem(config);
  if (untold !== null) yield failureOf("config", untold, "docs/notify.md has programs to install");
}

/** Reports missing permissions: Deno grants only the built-in ones. */
function sandbox(config: Config): Finding[] {
  const problem = permissionProblem(config);
  if (problem !== null) {
    const failures = problem.sentences.map((sentence) => failureOf("sandbox", sentence));
    return failures.map((found) => ({ ...found, remedy: found.remedy ?? problem.advice }));
  }
  const everything = (["run", "read", "write", "net"] as const).filter((name) =>
    Deno.permissions.querySync({ name }).state === "granted"
  );
  if (everything.length > 0) {
    const text = `may ${everything.join(", ")} whatever its user may: no permissions are compiled in`;
    return [warning("sandbox", text, "install one that `deno task build` made")];
  }
  return [ok("sandbox", `may do what the configuration asks for: ${asked(permissionsFor(config))}`)];
}

function asked({ run, net, read, write }: Permissions): string {
  const parts = [["run", run], ["reach", net], ["read", read], ["write", write]] as const;
  return parts.filter(([, list]) => list.length > 0).map(([word, list]) => `${word} ${list.join(", ")}`).join(
    "; ",
  );
}
