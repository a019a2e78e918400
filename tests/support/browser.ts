/** A headless Chromium, controlled by its DevTools protocol. */
import { findProgram } from "./probes.ts";

/** Options of the window. */
export interface View {
  readonly width: number;
  readonly scheme: "light" | "dark";
  /** Device pixels for each pixel of the page. Default: 1. */
  readonly scale?: number;
}

/** The browser's answer to a call. */
interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** The machine's browser; null: none. */
export function findBrowser(): string | null {
  return findProgram("chromium") ?? findProgram("google-chrome");
}

/** A page in a browser that ends with it. */
export class Browser implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  readonly #events: { method: string; params: Record<string, unknown> }[] = [];
  readonly #waiting = new Map<string, () => void>();
  #last = 0;

  private constructor(process: Deno.ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
  }

  /** Starts a browser on an empty page. */
  static async start(file: string): Promise<Browser> {
    const profile = await Deno.makeTempDir({ prefix: "strongmonitor-browser-" });
    const process = new Deno.Command(file, {
      args: [
        ...["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"],
        ...["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"],
        ...["--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const port = await portIn(`${profile}/DevToolsActivePort`);
    const pages: { type: string; webSocketDebuggerUrl: string }[] = await (
      await fetch(`http://127.0.0.1:${port}/json/list`)
    ).json();
    const socket = new WebSocket(pages.find(({ type }) => type === "page")!.webSocketDebuggerUrl);
    await new Promise((resolve) => socket.onopen = resolve);
    const browser = new Browser(process, profile, socket);
    for (const domain of ["Page", "Network", "Runtime", "Log"]) await browser.#call(`${domain}.enable`);
    return browser;
  }

  /** Opens a page and waits until the browser shows it. */
  async open(url: string, { width, scheme, scale = 1 }: View): Promise<void> {
    await this.#call("Emulation.setDeviceMetricsOverride", {
      ...{ width, height: 900, deviceScaleFactor: scale, mobile: width < 600 },
    });
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.#call("Emulation.setEmulatedMedia", { features });
    this.#events.length = 0;
    const loaded = new Promise<void>((resolve) => this.#waiting.set("Page.loadEventFired", resolve));
    await this.#call("Page.navigate", { url });
    await loaded;
  }

  /** Returns the value of an expression in the page. Awaits a promise. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#call<
      { result: { value: T }; exceptionDetails?: { exception?: { description?: string } } }
    >("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? "the page threw");
    return result.value;
  }

  /** Addresses that the page has requested since it was opened, its own included. */
  requests(): string[] {
    return this.#events.filter(({ method }) => method === "Network.requestWillBeSent").map(({ params }) =>
      (params.request as { url: string }).url
    );
  }

  /** The browser's complaints since the page was opened. */
  complaints(): string[] {
    return this.#events.flatMap(({ method, params }) => {
      if (method === "Log.entryAdded") return [(params.entry as { text: string }).text];
      if (method === "Runtime.exceptionThrown") return [JSON.stringify(params.exceptionDetails)];
      return method === "Page.javascriptDialogOpening" ? [`a dialog: ${params.message}`] : [];
    });
  }

  /** Returns the page, or a part of it, as PNG. */
  async screenshot({ top = 0, height = Infinity } = {}): Promise<Uint8Array> {
    const { cssContentSize: { width, height: whole } } = await this.#call<
      { cssContentSize: { width: number; height: number } }
    >("Page.getLayoutMetrics");
    const clip = { x: 0, y: top, width, height: Math.min(whole - top, height), scale: 1 };
    const { data } = await this.#call<{ data: string }>("Page.captureScreenshot", {
      ...{ format: "png", captureBeyondViewport: true, clip },
    });
    return Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  }

  /** Returns the printed page as PDF. */
  async print(): Promise<Uint8Array> {
    const { data } = await this.#call<{ data: string }>("Page.printToPDF", { printBackground: false });
    return Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    this.#socket.send(JSON.stringify({ id: ++this.#last, method: "Browser.close" }));
    await closed;
    await this.#process.status;
    await Deno.remove(this.#profile, { recursive: true });
  }

  async #call<T>(method: string, params: Record<string, unknown> = {}): Promise<T> {
    const id = ++this.#last;
    const answer = new Promise<Answer>((resolve) => this.#answers.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await answer;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }

  #take(message: Answer & { id?: number; method?: string; params?: Record<string, unknown> }): void {
    if (message.id !== undefined) {
      this.#answers.get(message.id)?.(message);
      this.#answers.delete(message.id);
      return;
    }
    this.#events.push({ method: message.method!, params: message.params ?? {} });
    this.#waiting.get(message.method!)?.();
    this.#waiting.delete(message.method!);
  }
}

/** Returns the port that a browser listens on, from the file that it writes. */
async function portIn(file: string): Promise<number> {
  for (let tries = 0; tries < 600; tries++) {
    const text = await Deno.readTextFile(file).catch(() => "");
    if (text.includes("\n")) return Number(text.split("\n")[0]);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the browser did not start within 30 s");
}
