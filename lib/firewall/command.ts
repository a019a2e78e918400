import type { Ban } from "../deciding/ban.ts";
import type { Firewall, Outcome } from "./firewall.ts";
import type { Micros } from "../core/time.ts";
import { isSudo, Runner, whyFailed } from "../core/child_process.ts";

/** Options of the commands. */
export interface CommandOptions {
  /** argv with `%s` in one word for the address. */
  readonly ban: readonly string[];
  /** argv that lifts a ban, with `%s` likewise; null: bans stay in the firewall. */
  readonly unban: readonly string[] | null;
  /** Longest run of a command. Then it is killed with its children and has failed. */
  readonly timeout: Micros;
  /** Most commands that run at the same time. */
  readonly concurrency: number;
}

/** Bans by running a command for each address, without a shell. Exit status 0 means done. */
export class CommandFirewall implements Firewall {
  readonly name = "command";
  readonly #options: CommandOptions;
  readonly #runner = new Runner();

  constructor(options: CommandOptions) {
    this.#options = options;
  }

  get canUnban(): boolean {
    return this.#options.unban !== null;
  }

  /** A command gets the address alone. */
  readonly knowsScopes = false;
  /** One ban for each command: a slow command delays no other ban. */
  readonly batch = 1;
  readonly keepsTime = false;
  readonly takesOver = true;

  /** Slots without an abandoned command that still runs. */
  get parallel(): number {
    return this.#options.concurrency - this.#runner.abandoned;
  }

  ban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]> {
    return this.#each(this.#options.ban, bans, signal);
  }

  unban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]> {
    return this.#each(this.#options.unban ?? [], bans, signal);
  }

  /** Null: no command lists the bans of its firewall. */
  inspect(): Promise<null> {
    return Promise.resolve(null);
  }

  /** Always fails: no command lifts all bans. */
  clear(): Promise<string | null> {
    return Promise.resolve("a ban_command cannot lift all bans at once");
  }

  #each(command: readonly string[], bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]> {
    const { timeout } = this.#options;
    return Promise.all(bans.map(async ({ address }) => {
      const argv = command.map((word) => word.replace("%s", address));
      const result = await this.#runner.run(argv, { timeout, signal, leadsGroup: !isSudo(argv[0]!) });
      const { error, uncertain } = result;
      if (error === null) return { address, error };
      return {
        address,
        error: `${argv.join(" ")}: ${whyFailed(result)}`,
        failure: `${command.join(" ")}: ${error}`,
        ...(uncertain && { uncertain }),
      };
    }));
  }
}
