import type { AddressReader } from "../../lib/core/address_reader.ts";
import type { Bytes } from "../../lib/core/bytes.ts";
import {
  type Counting,
  EACH,
  type MessageForm,
  type MessageReader,
  NOTHING,
  type Place,
  UNSEEN,
} from "../../lib/reading/message_reader.ts";
import type { ModuleKind, ModuleOptions } from "../../lib/reading/module.ts";
import { fieldNames, makeFindings, type TextFormOptions, TextReader } from "../../lib/reading/text_reader.ts";
import type { Micros } from "../../lib/core/time.ts";
import type { Stamp } from "../../lib/core/stamp.ts";
import { clientNamer } from "../proxies.ts";
import { CombinedReader } from "./combined.ts";
import { LEVEL, NAMES, REQUEST, REQUEST_PARTS } from "./fields.ts";
import { ForgeryCheck } from "./forgery.ts";
import { compileFormat } from "./format.ts";
import { isPossibleLine, lineParser, mayBeginLine } from "./lines.ts";
import { countingOf } from "./refusal.ts";
import { fieldOf, isField } from "./variables.ts";

/** nginx: access logs and error logs, from files and from the journal. */
export const nginx: ModuleKind = {
  name: "NGINX",
  match: { identifiers: ["nginx"], units: ["nginx.service"], files: ["/var/log/nginx/*.log"] },
  options: ["logFormats", "trustedProxies"],
  mayNameProxies: true,
  form: formOf,
};

function formOf({ logFormats, trustedProxies }: ModuleOptions): MessageForm {
  const forwarded = (trustedProxies ?? []).length > 0;
  const nameBehindProxies = clientNamer(NAMES, trustedProxies);
  const formats = logFormats.map((format, index) => compileFormat(format, { index, forwarded }));
  const isKnown = formats.length === 0;
  const variables = formats.flatMap(({ variables }) => variables);
  const fields = isKnown ? NAMES : fieldNames([...NAMES, ...variables.filter(isField).map(fieldOf)]);
  /** Describes the messages of one source, whose lines are checked in their order. */
  const optionsOf = (): TextFormOptions => {
    const check = new ForgeryCheck();
    return {
      fields,
      parse: check.listening(lineParser(formats)),
      nameClient(message, place) {
        nameBehindProxies?.(message, place);
        const isForgeable = place !== null && check.isForgeable(message, message.from[LEVEL]! >= 0, place);
        if (isForgeable) message.address.clear();
      },
      ...(trustedProxies === null ? { countingOf } : {}),
    };
  };
  const open = () => isKnown ? new KnownFormatsReader(optionsOf()) : new TextReader(optionsOf());
  const mayBegin = (text: string) => !isKnown || mayBeginLine(text);
  return { fields, parts: isKnown ? REQUEST_PARTS : undefined, literals: [], open, mayBegin };
}

/**
 * Reads lines of all known formats: `combined` by positions; other formats, and lines that are cut
 * or have escapes, as text.
 */
class KnownFormatsReader implements MessageReader {
  readonly fields = NAMES;
  readonly says = NOTHING;
  readonly outputSet = UNSEEN;
  readonly address: AddressReader;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly #combined: CombinedReader;
  readonly #text: TextReader;
  readonly #options: TextFormOptions;
  /** Whether the message was read by positions. */
  #isCombined = false;

  constructor(options: TextFormOptions) {
    this.#options = options;
    const findings = makeFindings(NAMES.length);
    this.address = findings.address;
    this.from = findings.from;
    this.to = findings.to;
    this.#combined = new CombinedReader(findings);
    this.#text = new TextReader(
      { fields: NAMES, parse: options.parse, isPossible: isPossibleLine },
      findings,
    );
  }

  read(bytes: Bytes, from: number, to: number, _pid?: number, place: Place | null = null): boolean {
    this.#isCombined = this.#combined.read(bytes, from, to);
    if (!this.#isCombined && !this.#text.read(bytes, from, to)) return false;
    this.#options.nameClient?.(this, place);
    return true;
  }

  bytesOf(field: number): Bytes {
    return this.#isCombined ? this.#combined.bytesOf(field) : this.#text.bytesOf(field);
  }

  get whole(): number {
    return this.#isCombined && this.from[REQUEST]! >= 0 ? REQUEST : -1;
  }

  get status(): number {
    return this.#isCombined ? this.#combined.status : this.#text.status;
  }

  get counting(): Counting {
    return this.#options.countingOf?.(this) ?? EACH;
  }

  get time(): Micros {
    return this.#isCombined ? this.#combined.time : NaN;
  }

  get stamp(): Stamp | null {
    return this.#isCombined ? this.#combined.stamp : this.#text.stamp;
  }
}
