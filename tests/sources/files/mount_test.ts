import { NEVER, pause } from "../../../lib/core/async.ts";
import { Following, LogDirectory } from "../../support/file_following.ts";
import { mount, unmount } from "../../support/faults.ts";

/** A directory for logs that shows a file system under a new device each time it is mounted. */
class Remounted extends LogDirectory {
  readonly #base = Deno.makeTempDirSync({ prefix: "strongmonitor-base-" });

  constructor() {
    super();
    mount("-t", "tmpfs", "none", this.#base);
    for (const part of ["lower", "upper", "work"]) Deno.mkdirSync(`${this.#base}/${part}`);
  }

  /** Mounts it, beside what still has it open. False: this user or kernel cannot. */
  mount(): boolean {
    const [lower, upper, work] = ["lower", "upper", "work"].map((part) => `${this.#base}/${part}`);
    const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    return mount("-t", "overlay", "-o", layers, "none", this.path);
  }

  override [Symbol.dispose](): void {
    unmount(this.path);
    unmount(this.#base);
    super[Symbol.dispose]();
    Deno.removeSync(this.#base, { recursive: true });
  }
}

function canMountOverlays(): boolean {
  using logs = new Remounted();
  return logs.mount();
}

for (const before of [["one"], ["one", "two"], []]) {
  Deno.test({
    name: `a log with ${before.length} read lines is read on when its file system is unmounted while it is ` +
      "open, and mounted again (needs root to mount an overlay)",
    ignore: !canMountOverlays(),
    fn: async () => {
      using logs = new Remounted();
      logs.mount();
      logs.write("a.log", "old\n");
      await using following = await new Following(logs.at("a.log"), { poll: 50 }).begun();
      logs.append("a.log", before.map((line) => `${line}\n`).join("") + "unfinished");
      await following.saw(...before);
      unmount(logs.path);
      logs.mount();
      // Several looks, as the first ones may wait until the file rests.
      await pause(1_500, NEVER);
      logs.append("a.log", ", finished\n");
      await following.saw(...before, "unfinished, finished");
      logs.append("a.log", "new\n");
      await following.saw(...before, "unfinished, finished", "new");
      await pause(200, NEVER);
      await following.saw(...before, "unfinished, finished", "new");
    },
  });
}
