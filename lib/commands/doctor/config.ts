/** Checks the configuration, and this program's permissions for it. */
import { type Permissions, permissionsFor } from "../../config/permissions.ts";
import type { Config } from "../../config/types.ts";
import { isDenial } from "../../core/denial.ts";
import { messageOf } from "../../core/error.ts";
import { counted } from "../../core/text.ts";
import { openConfig, shippedConfig } from "../common/open_config.ts";
import type { CommonOptions } from "../common/output.ts";
import { checkConfig } from "../check/check.ts";
import { AS_ROOT, failureOf, failuresOf, type Finding, ok, warning } from "./finding.ts";

const MEND = "mend it, and ask again";

/**
 * Loads the configuration of the options, or the shipped one if that `isWrong`, and runs the checks
 * of `check`. `isHidden`: this user may not read it.
 */
export function examineConfig(options: CommonOptions) {
  try {
    const config = openConfig(options);
    return { config, isWrong: false, isHidden: false, findings: [...findingsOf(config)] };
  } catch (error) {
    const isHidden = isDenial(messageOf(error));
    const text = isHidden
      ? "what follows leaves out what the configuration names"
      : "what follows goes by the shipped configuration";
    const findings = [...failuresOf("config", error), warning("config", text, isHidden ? AS_ROOT : MEND)];
    return { config: shippedConfig(options), isWrong: true, isHidden, findings };
  }
}

function* findingsOf(config: Config): Generator<Finding> {
  const rules = config.modules.reduce((sum, module) => sum + module.rules.length, 0);
  const parts = `${counted(config.modules.length, "module")} and ${counted(rules, "rule")}`;
  yield ok("config", `${config.name} has ${parts}`);
  const { refusals, problems, warnings } = checkConfig(config);
  for (const sentence of warnings) yield warning("config", sentence);
  for (const error of refusals.files) {
    yield* failuresOf("config", error, "make or mend this file, or take it out of the configuration");
  }
  for (const sentence of problems) yield failureOf("config", sentence, MEND);
  if (refusals.permissions === null) yield sandbox(config);
  else yield* failuresOf("sandbox", refusals.permissions, refusals.permissions.advice);
}

/** Says which permissions this program uses. */
function sandbox(config: Config): Finding {
  const everything = (["run", "read", "write", "net"] as const).filter((name) =>
    Deno.permissions.querySync({ name }).state === "granted"
  );
  if (everything.length > 0) {
    const text = `may ${everything.join(", ")} whatever its user may: no permissions are compiled in`;
    return warning("sandbox", text, "install one that `deno task build` made");
  }
  return ok("sandbox", `may do what the configuration asks for: ${asked(permissionsFor(config))}`);
}

function asked({ run, net, read, write }: Permissions): string {
  const parts = [["run", run], ["reach", net], ["read", read], ["write", write]] as const;
  return parts.filter(([, list]) => list.length > 0).map(([word, list]) => `${word} ${list.join(", ")}`).join(
    "; ",
  );
}
