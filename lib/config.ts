export type {
  BanConfig,
  Config,
  LoadOptions,
  RuleTests,
  WhitelistConfig,
  WhitelistFile,
  WhitelistMember,
} from "./config/types.ts";
export { buildHint, type BuildTarget } from "./config/build_hint.ts";
export { loadConfig } from "./config/load.ts";
export { describeConfig } from "./config/describe.ts";
export { longestOfEach } from "./config/whitelist.ts";
export { readWhitelistFile, whitelistProblem, whitelistStamp } from "./config/whitelist_file.ts";
export { configWarnings, vastWarning } from "./config/warnings.ts";
