/**
 * `watch`: a live view of the state in a terminal. Reads the state once a second in some
 * milliseconds, and runs the commands `why`, `ban`, `unban` and `whitelist add`.
 */
import { linesOf, messageOf, UserError } from "../../core/error.ts";
import { SECOND } from "../../core/time.ts";
import { banCommand } from "../bans/ban.ts";
import { unusableBy } from "../status/status.ts";
import { withState } from "../common/open_state.ts";
import { collectLines, type CommonOptions } from "../common/output.ts";
import type { RunSignals } from "../run.ts";
import { unbanCommand } from "../bans/unban.ts";
import { whitelistAddCommand } from "../whitelist/whitelist.ts";
import { whyCommand } from "../why/why.ts";
import { frame } from "./frame.ts";
import { Inbox } from "./inbox.ts";
import { KeyReader } from "./keys.ts";
import { type ActionRequest, initialModel, type Model } from "./model.ts";
import { type Effect, press } from "./press.ts";
import { Rates } from "./rates.ts";
import { SnapshotReader } from "./snapshot.ts";
import { Terminal } from "./terminal.ts";
import { textWidth } from "./text.ts";

/** Options of `watch`. */
export interface WatchOptions extends CommonOptions {
  readonly ascii?: boolean;
}

/** Milliseconds between reads of the state, and after which a begun sequence is the escape key. */
const [BETWEEN_LOOKS, ESCAPE] = [SECOND / 1_000, 50];

type Message =
  | { readonly keys: Uint8Array }
  | { readonly told: Told }
  | "look"
  | "escape"
  | "resize"
  | "continue"
  | "end";

interface Told {
  readonly request: ActionRequest;
  readonly lines: readonly string[];
}

/** `watch`: shows the state until stopped. Throws `UserError` (64: no terminal; 69). */
export async function watchCommand(options: WatchOptions, signals: () => RunSignals): Promise<number> {
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) {
    throw new UserError(
      "Cannot show a live view: this is no terminal; `status`, `top` and `bans` print what there is",
      64,
    );
  }
  const state = withState(options, ({ directory }) => directory);
  await new View({ ...options, state }).run(signals());
  return 0;
}

class View {
  readonly #options: WatchOptions;
  readonly #inbox = new Inbox<Message>();
  readonly #terminal: Terminal;
  readonly #keys = new KeyReader();
  readonly #reader = new SnapshotReader();
  #model: Model = initialModel(new Rates());
  #hasEnded = false;
  /** Stops waiting for the current drawing. */
  #giveUp = () => {};

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#terminal = new Terminal({ hasColour: !Deno.noColor, isAscii: options.ascii ?? false });
  }

  /** Shows the view until a key or a signal ends it. */
  async run(signals: RunSignals): Promise<void> {
    signals.stop.addEventListener("abort", () => this.#end());
    signals.onReload(() => this.#end());
    Deno.addSignalListener("SIGWINCH", () => this.#inbox.put("resize"));
    Deno.addSignalListener("SIGCONT", () => this.#inbox.put("continue"));
    const timer = setInterval(() => this.#inbox.put("look"), BETWEEN_LOOKS);
    try {
      await this.#terminal.enter();
      this.#listen();
      this.#look();
      while (!this.#hasEnded) {
        await this.#draw();
        for (const message of await this.#inbox.take()) await this.#receive(message);
      }
    } finally {
      clearInterval(timer);
      await this.#terminal.leave();
    }
  }

  /** Draws; resolves early at the end, as a terminal may take nothing. */
  #draw(): Promise<void> {
    const size = this.#terminal.size();
    return new Promise((resolve, reject) => {
      this.#giveUp = resolve;
      this.#terminal.show(frame(this.#model, size), size).then(resolve, reject);
    });
  }

  #end(): void {
    this.#hasEnded = true;
    this.#giveUp();
    this.#inbox.put("end");
  }

  /** Puts keys into the inbox as they arrive; a lost terminal ends the view. */
  async #listen(): Promise<void> {
    const buffer = new Uint8Array(1_024);
    try {
      for (let count; (count = await Deno.stdin.read(buffer)) !== null;) {
        this.#inbox.put({ keys: buffer.slice(0, count) });
      }
    } catch {
      // An error ends input too.
    }
    this.#end();
  }

  async #receive(message: Message): Promise<void> {
    if (message === "end") return;
    if (message === "look") this.#look();
    else if (message === "escape") this.#press(this.#keys.flush());
    else if (message === "continue") await this.#terminal.enter();
    else if (message === "resize") this.#terminal.forget();
    else if ("told" in message) this.#tell(message.told);
    else {
      this.#press(this.#keys.read(message.keys));
      if (this.#keys.isWaiting) setTimeout(() => this.#inbox.put("escape"), ESCAPE);
    }
  }

  #press(keys: readonly string[]): void {
    for (const key of keys) {
      const { model, effect } = press(this.#model, key, this.#terminal.size());
      this.#model = model;
      this.#do(effect);
    }
  }

  #do(effect: Effect): void {
    if (effect === "quit") this.#end();
    else if (effect === "read") this.#look();
    else if (effect === "redraw") this.#terminal.forget();
    else if (effect !== null) this.#run(effect);
  }

  #look(): void {
    const { period, banOrder: order, rates } = this.#model;
    try {
      const snapshot = withState(this.#options, (state, loaded) => {
        const unusable = unusableBy(this.#options, { state, loaded });
        return this.#reader.read(state, { period, order, unusable });
      });
      if (snapshot.report !== null) rates.add(snapshot.report, snapshot.time);
      this.#model = { ...this.#model, snapshot, error: null };
    } catch (error) {
      this.#model = { ...this.#model, error: messageOf(error) };
    }
  }

  /** Runs a command, and puts its output into the inbox. */
  async #run(request: ActionRequest): Promise<void> {
    let lines: readonly string[];
    try {
      ({ lines } = await collectLines(() => this.#command(request), textWidth(this.#terminal.size())));
    } catch (error) {
      lines = linesOf(error);
    }
    this.#inbox.put({ told: { request, lines } });
  }

  #command({ action, target, span }: ActionRequest): Promise<number> {
    const { config, state } = this.#options;
    const options = { config, state };
    const targets = target.trim().split(/\s+/);
    if (action === "why") return whyCommand(target.trim(), options);
    if (action === "ban") return banCommand(targets, { ...options, for: span.trim() });
    if (action === "unban") return unbanCommand(targets, options);
    return whitelistAddCommand(targets, { ...options, for: span.trim() });
  }

  #tell({ request: { action, target }, lines }: Told): void {
    const title = `${action} ${target}`;
    this.#model = { ...this.#model, mode: { kind: "text", text: { title, lines, top: 0 } } };
    this.#look();
  }
}
