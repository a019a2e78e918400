export type { BanConfig, Config, LoadOptions, RuleTests, WhitelistConfig } from "./config/types.ts";
export { buildHint, type BuildTarget } from "./config/build_hint.ts";
export { loadConfig } from "./config/load.ts";
export { describeConfig } from "./config/describe.ts";
export { configWarnings, vastWarning } from "./config/warnings.ts";
