import { strict as assert } from "node:assert";
import { State } from "../../lib/state/state.ts";
import { eventually, script } from "./helpers.ts";
import { MAIN } from "./program.ts";

const JOURNALCTL = new URL("./fake_journalctl.ts", import.meta.url).pathname;

/** A configuration whose one rule bans by a command after more than two hits. */
export const CONFIG = {
  ban_command: "./ban %s",
  modules: {
    SSHD: { rules: [{ name: "invalid", str: "Invalid user", mode: "start", limit: 2, window: "10m" }] },
  },
};

/** The program with a fake journalctl, which reads a file. */
export class Scene implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  readonly config = `${this.directory}/config.jsonc`;
  readonly stateDirectory = `${this.directory}/state`;
  #cursor = 0;
  #child: Deno.ChildProcess | null = null;
  #said = "";
  /** Resolves when the program's log has been read to its end. */
  #drained = Promise.resolve();

  constructor() {
    script(this.directory, {
      name: "journalctl",
      body: `exec "${Deno.execPath()}" run -A "${JOURNALCTL}" "${this.directory}" "$@"`,
    });
    script(this.directory, { name: "ban", body: 'echo "$1" >> "$(dirname "$0")/banned"' });
    Deno.writeTextFileSync(`${this.directory}/entries`, "");
    Deno.writeTextFileSync(`${this.directory}/banned`, "");
    this.configure(CONFIG);
  }

  configure(config: unknown): void {
    Deno.writeTextFileSync(this.config, typeof config === "string" ? config : JSON.stringify(config));
  }

  /** Writes entries to the journal like sshd's. */
  say(...messages: string[]): void {
    const entries = messages.map((message) =>
      `__CURSOR=${++this.#cursor}\n__REALTIME_TIMESTAMP=${
        Date.now() * 1_000
      }\nSYSLOG_IDENTIFIER=sshd\n_UID=0\nMESSAGE=${message}\n\n`
    );
    Deno.writeTextFileSync(`${this.directory}/entries`, entries.join(""), { append: true });
  }

  start(...options: string[]): void {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        MAIN,
        "--config",
        this.config,
        "--state",
        this.stateDirectory,
        ...options,
      ],
      env: { PATH: `${this.directory}:${Deno.env.get("PATH")}` },
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#drained = this.#drain(this.#child.stderr);
  }

  async #drain(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) this.#said += decoder.decode(bytes, { stream: true });
  }

  kill(signal: Deno.Signal): void {
    this.#child!.kill(signal);
  }

  /** Waits for the program to end; returns its exit code. */
  async end(): Promise<number> {
    const { code } = await this.#child!.status;
    this.#child = null;
    await this.#drained;
    return code;
  }

  said(what: RegExp): Promise<void> {
    return eventually(() => what.test(this.#said)).catch(() => assert.match(this.#said, what));
  }

  /** Returns the matching lines of the log. */
  lines(what: RegExp): string[] {
    return this.#said.split("\n").filter((line) => what.test(line));
  }

  banned(): string[] {
    return Deno.readTextFileSync(`${this.directory}/banned`).split("\n").filter((line) => line !== "");
  }

  recorded(): number {
    return this.ask((state) => state.log.count()) ?? 0;
  }

  /** Returns an answer of the state; null before there is one. */
  ask<T>(question: (state: State) => T): T | null {
    try {
      Deno.statSync(`${this.stateDirectory}/state.db`);
    } catch {
      return null;
    }
    const state = new State(this.stateDirectory);
    try {
      return question(state);
    } finally {
      state.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== null) {
      this.kill("SIGKILL");
      await this.end();
    }
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** Returns a line that hits the rule. */
export function attack(address: string): string {
  return `Invalid user x from ${address} port 22`;
}
