export type { BanConfig, Config, LoadOptions, WhitelistConfig } from "./config/types.ts";
export { loadConfig } from "./config/load.ts";
export { describeConfig } from "./config/describe.ts";
export { configWarnings } from "./config/warnings.ts";
