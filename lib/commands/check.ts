import { describeConfig, loadConfig } from "../config.ts";
import { modules } from "../../modules/mod.ts";
import { type CommonOptions, print, printJson } from "./output.ts";

/** `check`: reads the configuration, its password file included, and says what it means. Throws `UserError` (78). */
export function checkCommand(options: CommonOptions): number {
  const config = loadConfig(options.config, { known: modules, state: options.state });
  if (options.json) printJson({ ok: true, config: config.path, state: config.stateDirectory });
  else print(describeConfig(config));
  return 0;
}
