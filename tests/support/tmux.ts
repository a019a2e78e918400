/** Pseudo terminals by tmux(1), each on its own server: a program's screen, and the state that it leaves. */
import { strict as assert } from "node:assert";
import { works } from "./probes.ts";

interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Milliseconds of the longest wait, and between two looks. */
const [PATIENCE, BETWEEN] = [10_000, 50];

/** A shell in a terminal. */
export class Tmux implements AsyncDisposable {
  static readonly isThere = works("tmux", ["-V"]);
  /** Suffix of a skipped test's name. */
  static readonly missing = Tmux.isThere ? "" : " (skipped: no tmux)";
  readonly #directory: string;
  #runs = 0;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open({ columns, rows }: Size): Promise<Tmux> {
    const tmux = new Tmux(Deno.makeTempDirSync({ prefix: "tmux-" }));
    const size = ["-x", String(columns), "-y", String(rows)];
    const shell = "env -u NO_COLOR PS1='$ ' TZ=UTC LANG=C.UTF-8 sh -i";
    await tmux.#tmux("-f", "/dev/null", "new-session", "-d", ...size, shell);
    await tmux.until(/\$$/);
    return tmux;
  }

  /** Starts a program from the shell, which writes its exit code to a file. */
  async run(args: readonly string[]): Promise<void> {
    const words = args.map((arg) => `'${arg}'`).join(" ");
    const script = `${this.#directory}/run${++this.#runs}`;
    // `exec` turns this shell's process into the program, so that signals reach it.
    Deno.writeTextFileSync(script, `echo $$ > '${script}.pid'; exec ${words}\n`);
    await this.keys(`clear; sh ${script}; echo $? > ${script}.code`, "Enter");
  }

  /** Waits for the program's end, and returns its exit code. */
  async exitCode(): Promise<number> {
    const text = await this.#file("code");
    // Waits for the shell's prompt.
    await this.until(/\$$/);
    return Number(text);
  }

  /** Sends a signal to the program. */
  async signal(name: string): Promise<void> {
    Deno.kill(Number(await this.#file("pid")), `SIG${name}` as Deno.Signal);
  }

  async keys(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  async resize({ columns, rows }: Size): Promise<void> {
    await this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** Returns the lines on the screen. */
  async screen({ withStyles = false } = {}): Promise<string[]> {
    return (await this.#tmux("capture-pane", "-p", ...withStyles ? ["-e"] : [])).split("\n");
  }

  /** Waits until the screen matches. */
  async until(pattern: RegExp): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    for (let shown = ""; Date.now() < deadline; await pause()) {
      shown = (await this.screen()).join("\n").trimEnd();
      if (pattern.test(shown)) return;
    }
    assert.fail(`${pattern} never came:\n${(await this.screen()).join("\n")}`);
  }

  /** Returns what a program may have changed: screen, cursor, wrapping, keys, modes of the line. */
  async modes(): Promise<Record<string, string>> {
    const names = {
      alternate: "alternate_on",
      cursor: "cursor_flag",
      wrap: "wrap_flag",
      mouse: "mouse_any_flag",
    };
    const format = Object.values(names).map((name) => `#{${name}}`).join(" ");
    const values = (await this.#tmux("display-message", "-p", `${format} #{pane_tty}`)).trim().split(" ");
    const tty = values.pop()!;
    const { stdout } = await new Deno.Command("stty", { args: ["-F", tty, "-a"] }).output();
    const line = new TextDecoder().decode(stdout).match(/-?(?:icanon|echo|isig|icrnl|opost)\b/g)!.join(" ");
    return { ...Object.fromEntries(Object.keys(names).map((key, i) => [key, values[i]!])), line };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server");
    Deno.removeSync(this.#directory, { recursive: true });
  }

  async #file(kind: string): Promise<string> {
    const path = `${this.#directory}/run${this.#runs}.${kind}`;
    for (const deadline = Date.now() + PATIENCE; Date.now() < deadline; await pause()) {
      try {
        const text = Deno.readTextFileSync(path).trim();
        if (text !== "") return text;
      } catch {
        // Not yet.
      }
    }
    assert.fail(`the program has not ended:\n${(await this.screen()).join("\n")}`);
  }

  async #tmux(...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-S", `${this.#directory}/socket`, ...args],
      env: { LANG: "C.UTF-8", TMUX: "" },
    }).output();
    const decoder = new TextDecoder();
    assert.ok(success, decoder.decode(stderr));
    return decoder.decode(stdout);
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, BETWEEN));
}
