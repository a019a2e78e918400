/** A booted Debian system, in which tests run scripts. */
import { strict as assert } from "node:assert";
import type { Output } from "./debian.ts";

/** A running system, and what it boots from. */
export interface Bootable extends AsyncDisposable {
  boot(): Promise<Booted>;
}

/** A booted system. */
export abstract class Booted implements AsyncDisposable {
  /** Runs a script of bash as root, once the system has booted. Its output lacks the last line feeds. */
  abstract run(script: string): Promise<Output>;
  /** Shuts down in order. */
  abstract shutDown(): Promise<void>;
  abstract [Symbol.asyncDispose](): Promise<void>;

  /** Runs a script; throws unless it succeeds. */
  async sh(script: string): Promise<string> {
    const { code, text } = await this.run(script);
    assert.equal(code, 0, `${script}\n${text}`);
    return text;
  }

  /** Waits until a script succeeds. The limit is a stop for what would hang, not a measure of speed. */
  async until(script: string): Promise<void> {
    await this.sh(`for _ in {1..1500}; do (${script}) > /dev/null 2>&1 && exit; sleep 0.2; done; ${script}`);
  }
}
