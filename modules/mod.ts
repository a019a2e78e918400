import type { Module } from "../lib/types.ts";
import { sshd } from "./sshd.ts";

/** The services that a configuration may name. */
export const modules: readonly Module[] = [sshd];
