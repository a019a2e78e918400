/** Machines for which the program can be compiled. */
import { UserError } from "../lib/core/error.ts";

/** Machines by Deno's name: Debian's name, and `e_machine` of ELF's header. */
export const TARGETS = {
  "x86_64-unknown-linux-gnu": { debian: "amd64", machine: 62 },
  "aarch64-unknown-linux-gnu": { debian: "arm64", machine: 183 },
} as const;

export type Target = keyof typeof TARGETS;

/** Reads the option `--target`; undefined: this machine. Throws `UserError` (64). */
export function targetOf(option: string | undefined): Target {
  const target = option ?? Deno.build.target;
  if (target in TARGETS) return target as Target;
  const names = Object.keys(TARGETS).join(" or ");
  throw new UserError(
    option === undefined
      ? `Cannot compile for this machine, ${target}: the program runs on ${names}`
      : `--target must be ${names}, got ${target}`,
    64,
  );
}
