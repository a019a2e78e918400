import type { ModuleKind } from "../lib/reading/module.ts";
import { nginx } from "./nginx/nginx.ts";
import { pattern } from "./pattern/pattern.ts";
import { sshd } from "./sshd.ts";

/** The services that a configuration may name, last the kind of those that it may name as it likes. */
export const modules: readonly ModuleKind[] = [sshd, nginx, pattern];
