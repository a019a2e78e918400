/** A real nginx on a port of loopback, stopped at the end of the scope. */
import { connect } from "node:net";
import { eventually } from "./helpers.ts";
import { freePort } from "./probes.ts";

const NGINX = "/usr/sbin/nginx";
export const hasNginx = await Deno.stat(NGINX).then(() => true, () => false);

/** Directory and ports of a server. */
export interface Place {
  /** Returns the path of a file in its directory. */
  readonly at: (name: string) => string;
  readonly port: number;
  /** A second free port. */
  readonly other: number;
}

/** A running server. Its error log is `error.log`. */
export class RealNginx implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "strongmonitor-nginx-" });
  readonly port = freePort();
  readonly other = freePort();
  /** Returns a command to control the server, such as `-s reload`. */
  readonly command: readonly string[];
  readonly #child: Deno.ChildProcess;

  /**
   * @param settings content of `http {}` in nginx.conf
   * @param files other files of its directory, by name
   */
  constructor(settings: (place: Place) => string, files: Readonly<Record<string, string>> = {}) {
    const at = (name: string) => `${this.directory}/${name}`;
    Deno.mkdirSync(at("site"));
    for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(at(name), text);
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    Deno.writeTextFileSync(
      at("nginx.conf"),
      `daemon off; ${Deno.uid() === 0 ? "user root;" : ""} pid ${at("pid")}; error_log ${
        at("error.log")
      } info;
       events {}
       http {
         ${temporary.map((kind) => `${kind}_temp_path ${at(kind)};`).join(" ")}
         ${settings({ at, port: this.port, other: this.other })}
       }`,
    );
    const args = ["-p", this.directory, "-c", at("nginx.conf")];
    this.command = [NGINX, ...args];
    this.#child = new Deno.Command(NGINX, { args, stderr: "null" }).spawn();
  }

  /**
   * Sends a request, and waits until it has been answered or dropped. Returns the answer.
   *
   * @param isOpen whether the client's half of the connection stays open
   */
  send(request: string, { port = this.port, isOpen = false } = {}): Promise<string> {
    let answer = "";
    return new Promise((resolve) => {
      const socket = connect({ host: "127.0.0.1", port });
      socket.on("connect", () => isOpen ? socket.write(request, "latin1") : socket.end(request, "latin1"));
      socket.on("data", (data) => answer += data);
      socket.on("error", () => {});
      socket.on("close", () => resolve(answer));
    });
  }

  async ready(): Promise<void> {
    await eventually(() =>
      Deno.connect({ port: this.port }).then((connection) => (connection.close(), true), () => false)
    );
  }

  lines(name: string): string[] {
    return Deno.readTextFileSync(`${this.directory}/${name}.log`).split("\n").filter((line) => line !== "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
    Deno.removeSync(this.directory, { recursive: true });
  }
}
