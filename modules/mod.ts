import type { ModuleKind } from "../lib/reading/module.ts";
import { nginx } from "./nginx/nginx.ts";
import { pattern } from "./pattern/pattern.ts";
import { sshd } from "./sshd.ts";

/** Services that a configuration may name; the last is the kind of those that it names freely. */
export const modules: readonly ModuleKind[] = [sshd, nginx, pattern];
