/** Runs commands on a machine that a test makes up. */
import { works } from "./probes.ts";
import { MAIN } from "./program.ts";

/** Words that run others as a user who is not root; null: this machine allows none. */
export const AS_OTHER = Deno.uid() !== 0
  ? []
  : works("unshare", ["--user", "true"])
  ? ["unshare", "--user"]
  : null;

/** A line of `doctor --json`. */
export interface Finding {
  readonly subject: string;
  readonly result: string;
  readonly text: string;
  readonly remedy: string | null;
}

/**
 * A directory with a configuration, and with programs that are first in PATH. It is deleted at the
 * end of the scope.
 */
export class Machine implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "strongmonitor-doctor-" });
  readonly config = `${this.directory}/config.jsonc`;

  constructor() {
    Deno.chmodSync(this.directory, 0o755);
    Deno.mkdirSync(`${this.directory}/bin`);
    Deno.mkdirSync(`${this.directory}/units`);
    this.install("strongmonitor", "strongmonitor-sudo");
  }

  /** Writes a configuration of one module, with `keys` at the top. */
  configure(keys: Record<string, unknown>, modules: unknown = { SSHD: {} }): void {
    const state = `${this.directory}/state`;
    const text = JSON.stringify({ state, window: "10m", ban_time: "1d", modules, ...keys });
    Deno.writeTextFileSync(this.config, text, { mode: 0o644 });
  }

  /** Installs these units of the monitor, enabled, and no others. */
  install(...units: readonly string[]): void {
    const directory = `${this.directory}/units`;
    const links = `${directory}/multi-user.target.wants`;
    Deno.removeSync(directory, { recursive: true });
    Deno.mkdirSync(links, { recursive: true });
    for (const unit of units) {
      Deno.writeTextFileSync(`${directory}/${unit}.service`, "");
      Deno.symlinkSync(`${directory}/${unit}.service`, `${links}/${unit}.service`);
    }
  }

  /** Has the next boot not start a unit, as `systemctl disable` does. */
  disable(unit: string): void {
    Deno.removeSync(`${this.directory}/units/multi-user.target.wants/${unit}.service`);
  }

  /** Replaces a program by a shell script. */
  program(name: string, body: string): string {
    const file = `${this.directory}/bin/${name}`;
    Deno.writeTextFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    return file;
  }

  /** Returns the words of a command that runs the program with `args`. */
  words(...args: readonly string[]): string[] {
    const path = `PATH=${this.directory}/bin:${Deno.env.get("PATH")}`;
    const units = `SYSTEMD_UNIT_PATH=${this.directory}/units`;
    const rights = ["run", "--quiet", "--no-prompt", "--allow-all"];
    return ["env", path, units, "TZ=UTC", "NO_COLOR=1", Deno.execPath(), ...rights, MAIN, ...args];
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** Reads the output of `doctor --json`. */
export function findingsIn(stdout: string): Finding[] {
  return stdout.trim().split("\n").map((line) => JSON.parse(line));
}

/** Returns the results and texts for one subject. */
export function of(findings: readonly Finding[], subject: string): string[] {
  return findings.filter((one) => one.subject === subject).map(({ result, text }) => `${result}: ${text}`);
}
