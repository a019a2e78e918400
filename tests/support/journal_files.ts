/** Makes real journal files from text of the export format. */
import { concatenated } from "../../lib/core/bytes.ts";
import type { Batch, Source, Start } from "../../lib/sources/source.ts";
import { exists } from "./probes.ts";
import { entriesOf, type Entry } from "./records.ts";

const WRITER = "/lib/systemd/systemd-journal-remote";
/** Time of the first entry, in microseconds. */
export const BEGINNING = 1_700_000_000_000_000;
/** Position before the first entry. */
export const FROM_START: Start = { after: null, since: 0 };

/** Whether this machine can make and read journal files. */
export const canMakeJournals = [WRITER, "/usr/bin/journalctl"].every(exists);

/** An entry to be written. Values are text, or bytes for a binary field. A field may occur twice. */
export type Fields = readonly (readonly [name: string, value: string | Uint8Array])[];

/** Returns an entry of sshd, `n` milliseconds after the first. `more` adds fields. */
export function sshdEntry(n: number, message: string | Uint8Array, more: Fields = []): Fields {
  return [
    ["__REALTIME_TIMESTAMP", String(BEGINNING + n * 1_000)],
    ["__MONOTONIC_TIMESTAMP", String(1_000_000 + n * 1_000)],
    ["_BOOT_ID", "0123456789abcdef0123456789abcdef"],
    ["_UID", "0"],
    ["_SYSTEMD_UNIT", "ssh.service"],
    ["SYSLOG_IDENTIFIER", "sshd"],
    ["_PID", String(1_000 + n)],
    ["MESSAGE", message],
    ...more,
  ];
}

/** Returns entries in the Journal Export Format. */
export function exportText(entries: readonly Fields[]): Uint8Array {
  const encoder = new TextEncoder();
  const parts = entries.flatMap((fields) => [
    ...fields.flatMap(([name, value]) => {
      if (typeof value === "string") return [encoder.encode(`${name}=${value}\n`)];
      const length = new Uint8Array(8);
      new DataView(length.buffer).setBigUint64(0, BigInt(value.length), true);
      return [encoder.encode(`${name}\n`), length, value, encoder.encode("\n")];
    }),
    encoder.encode("\n"),
  ]);
  return concatenated(parts);
}

/** A directory of journal files, deleted at the end of the scope. */
export class JournalDirectory implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "strongmonitor-journal-" });

  /** Appends entries to the file `name`, which may be new. */
  async write(name: string, entries: readonly Fields[]): Promise<void> {
    const writer = new JournalWriter(`${this.path}/${name}.journal`);
    await writer.write(entries);
    await writer.close();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** A journal file that is being written to. */
export class JournalWriter {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor(file: string) {
    this.#child = new Deno.Command(WRITER, {
      args: [`--output=${file}`, "-"],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#input = this.#child.stdin.getWriter() as WritableStreamDefaultWriter<Uint8Array>;
  }

  async write(entries: readonly Fields[]): Promise<void> {
    await this.#input.write(exportText(entries));
  }

  async close(): Promise<void> {
    await this.#input.close();
    const { success, code } = await this.#child.status;
    if (!success) throw new Error(`${WRITER} failed with exit status ${code}`);
  }
}

/** A batch with its records as objects. */
export interface ReadBatch extends Batch {
  readonly entries: readonly Entry[];
}

/** Reads until `enough` accepts the batches or the source ends. Then stops the source. */
export async function read(
  source: Source,
  { start = FROM_START, enough = () => false }: {
    start?: Start;
    enough?: (entries: readonly Entry[]) => boolean;
  } = {},
): Promise<{ entries: Entry[]; batches: ReadBatch[] }> {
  const stop = new AbortController();
  const entries: Entry[] = [];
  const batches: ReadBatch[] = [];
  for await (const batch of source.batches(start, stop.signal)) {
    const come = entriesOf(batch.records);
    batches.push({ ...batch, entries: come });
    entries.push(...come);
    if (enough(entries)) stop.abort();
  }
  return { entries, batches };
}
