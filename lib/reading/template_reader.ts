import { AddressReader } from "../core/address_reader.ts";
import { addressOf } from "../core/address_text.ts";
import { type Bytes, encode, endWithoutBlanks, Literal } from "../core/bytes.ts";
import { NO_PID } from "../core/records.ts";
import type { Micros } from "../core/time.ts";
import type { Stamp } from "../core/stamp.ts";
import type { Automaton } from "./automaton.ts";
import { fieldText } from "./field_text.ts";
import {
  type Counting,
  EACH,
  END,
  LOGIN,
  MESSAGE,
  type MessageForm,
  type MessageReader,
  NOTHING,
  type Says,
  UNSEEN,
} from "./message_reader.ts";
import { Sequels } from "./sequels.ts";
import type { Template } from "./template.ts";
import { TemplateGraph } from "./template_graph.ts";
import { TemplateProgram } from "./template_program.ts";
import { TemplateRunner } from "./template_runner.ts";

/** Features of a service's messages that templates do not describe. */
export interface TemplateOptions {
  /** Texts, one of which may precede any message; none is the beginning of another. */
  readonly before?: readonly string[];
  /** A message of a template with `<PORT>` ends no session if it ends with this text. */
  readonly endless?: string;
}

/**
 * Messages of a service that templates describe. The fields are those of templates, `message`, and
 * for rules `login`, the method of a login, and `logout`, "yes" if a connection has ended.
 */
export class TemplateForm implements MessageForm {
  readonly fields = ["message", "method", "user", "port", "login", "logout"];
  readonly literals: readonly Uint8Array[];
  readonly #templates: readonly Template[];
  readonly #options: TemplateOptions;
  readonly #graph: TemplateGraph;

  /** Throws `TemplateError`. */
  constructor(templates: readonly Template[], options: TemplateOptions = {}) {
    this.#templates = templates;
    this.#options = options;
    this.#graph = new TemplateGraph(templates);
    this.literals = this.#graph.literals.all.map(({ bytes }) => bytes);
  }

  mayBegin(text: string): boolean {
    const { before = [] } = this.#options;
    return ["", ...before].some((level) =>
      level.startsWith(text) || (text.startsWith(level) && this.#graph.mayBegin(text.slice(level.length)))
    );
  }

  open(automaton: () => Automaton): TemplateReader {
    const { fields } = this;
    const templates = this.#templates;
    return new TemplateReader(
      { graph: this.#graph, templates, fields, automaton: automaton() },
      this.#options,
    );
  }
}

/** Templates of a form, and the automaton that has their literals as symbols. */
export interface TemplateParts {
  readonly graph: TemplateGraph;
  readonly templates: readonly Template[];
  /** Names of the fields, by number. */
  readonly fields: readonly string[];
  readonly automaton: Automaton;
}

/** Actions if everything behind `<USER>` or `<TEXT>` may fit at a second place: see `Template`. */
const [KEEP, TAKE_LAST, NAME_NOBODY] = [0, 1, 2];

function onSecondFit(text: string): number {
  if (/<(?:USER|TEXT)>.*<ADDR>.*<REST>/s.test(text)) return NAME_NOBODY;
  return !/<(?:USER|TEXT)>/.test(text) || /<(?:USER|TEXT)>.*<REST>/s.test(text) ? KEEP : TAKE_LAST;
}

/** What a message of a template says, and which elements the template has. */
interface Meaning extends Required<Pick<Template, "says" | "counting">> {
  readonly hasAddress: boolean;
  readonly hasPort: boolean;
  readonly onSecondFit: number;
}

const [METHOD, PORT, LOGIN_FIELD, LOGOUT_FIELD] = [1, 3, 4, 5];
const YES = encode("yes");

/**
 * Reads messages by templates. Ignores blanks at the end of a message. If two places fit for the
 * address, it takes the last one or names nobody.
 */
export class TemplateReader implements MessageReader {
  readonly fields: readonly string[];
  readonly firstBytes: Uint8Array;
  readonly address: AddressReader;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly status = 0;
  says: Says = NOTHING;
  counting: Counting = EACH;
  readonly time: Micros = NaN;
  readonly stamp: Stamp | null = null;
  outputSet = UNSEEN;
  readonly #graph: TemplateGraph;
  readonly #runner: TemplateRunner;
  /** The last fit, while the reader looks for a later one. */
  readonly #last: Fit;
  readonly #automaton: Automaton;
  readonly #before: readonly Literal[];
  /** 1 for first bytes of these texts. */
  readonly #beginsLevel = new Uint8Array(256);
  readonly #endless: Literal | null;
  readonly #meanings: readonly Meaning[];
  readonly #sequels: Sequels;
  #bytes: Bytes = YES.bytes;

  constructor({ graph, templates, fields, automaton }: TemplateParts, options: TemplateOptions = {}) {
    this.fields = fields;
    const program = new TemplateProgram(graph, {
      literals: graph.literals,
      columnOf: (literal) => automaton.columnOf(literal),
      fieldOf: (name) => fields.indexOf(name),
    });
    this.#graph = graph;
    this.#runner = new TemplateRunner(program, fields.length, automaton);
    this.#automaton = automaton;
    const { address, from, to } = this.#runner;
    [this.address, this.from, this.to] = [address, from, to];
    this.#last = { address: new AddressReader(), from: from.slice(), to: to.slice(), state: 0 };
    this.#before = (options.before ?? []).map((text) => new Literal(text));
    for (const { bytes } of this.#before) this.#beginsLevel[bytes[0]!] = 1;
    this.firstBytes = graph.firstBytes.map((isFirst, byte) => isFirst | this.#beginsLevel[byte]!);
    this.#endless = options.endless === undefined ? null : new Literal(options.endless);
    this.#meanings = templates.map(({ text, says = NOTHING, counting = EACH }) => ({
      says,
      counting,
      hasAddress: text.includes("<ADDR>"),
      hasPort: text.includes("<PORT>"),
      onSecondFit: onSecondFit(text),
    }));
    this.#sequels = new Sequels(templates);
  }

  read(bytes: Bytes, from: number, to: number, pid = NO_PID): boolean {
    this.#bytes = bytes;
    this.says = NOTHING;
    this.outputSet = UNSEEN;
    const automaton = this.#automaton;
    const end = endWithoutBlanks(bytes.array, from, to);
    const start = this.#behindLevel(bytes, from, end);
    const state = automaton.along(automaton.start, bytes.array, from, start);
    const runner = this.#runner;
    const isFit = runner.start(bytes, start, end, state);
    const isAmbiguous = isFit && this.#mayFitAgain() && !this.#takeOneFit();
    this.from[LOGIN_FIELD] = this.from[LOGOUT_FIELD] = -1;
    this.from[MESSAGE] = from;
    this.to[MESSAGE] = to;
    if (!isFit) return false;
    const replacement = this.#sequels.textFor(runner.template, pid);
    if (replacement !== null && this.address.isAddress) return this.#readReplacement(replacement);
    const meaning = this.#meanings[runner.template]!;
    this.counting = meaning.counting;
    if (meaning.hasAddress) {
      const behind = automaton.along(runner.state, bytes.array, end, to);
      this.outputSet = automaton.setAt(behind, bytes, from, to);
    }
    if (meaning.says !== NOTHING && !isAmbiguous) this.#tell(meaning, end);
    return true;
  }

  #mayFitAgain(): boolean {
    const { template, hasRest } = this.#runner;
    return this.#meanings[template]!.onSecondFit !== KEEP &&
      (hasRest || !this.#graph.isUnambiguous(template));
  }

  /**
   * Looks for later places where the stranger's text may end, and takes the last one. Returns false
   * if the message names nobody, as two places fit: then no field is set.
   */
  #takeOneFit(): boolean {
    const runner = this.#runner;
    while (runner.mayGoOn()) {
      copyFit(runner, this.#last);
      if (!runner.goOn()) {
        copyFit(this.#last, runner);
        break;
      }
      if (this.#meanings[runner.template]!.onSecondFit !== NAME_NOBODY) continue;
      runner.clear();
      return false;
    }
    return true;
  }

  /** Reads `text` with the address and port of the current message, in place of the message. */
  #readReplacement(text: string): boolean {
    const port = fieldText(this, "port");
    const { bytes, end } = encode(
      `${text} ${addressOf(this.address)}${port === null ? "" : ` port ${port}`}`,
    );
    return this.read(bytes, 0, end);
  }

  /** Returns the start of the message behind a text of `before`. */
  #behindLevel(bytes: Bytes, from: number, to: number): number {
    if (this.#beginsLevel[bytes.array[from]!] === 0) return from;
    for (let i = 0; i < this.#before.length; i++) {
      const level = this.#before[i]!;
      if (level.isWithin(bytes, from, to)) return from + level.length;
    }
    return from;
  }

  #tell({ says, hasPort }: Meaning, end: number): void {
    const { from, to } = this;
    if (says === END) {
      if (hasPort && (from[PORT]! < 0 || this.#isEndless(end))) return;
      from[LOGOUT_FIELD] = 0;
      to[LOGOUT_FIELD] = YES.end;
    } else if (says === LOGIN) {
      from[LOGIN_FIELD] = from[METHOD]!;
      to[LOGIN_FIELD] = to[METHOD]!;
    }
    this.says = says;
  }

  #isEndless(end: number): boolean {
    const endless = this.#endless;
    return endless !== null && end - endless.length >= this.from[MESSAGE]! &&
      endless.isAt(this.#bytes, end - endless.length);
  }

  bytesOf(field: number): Bytes {
    return field === LOGOUT_FIELD ? YES.bytes : this.#bytes;
  }
}

type Fit = Pick<TemplateRunner, "address" | "from" | "to" | "state">;

function copyFit(from: Fit, to: Fit): void {
  to.address.copy(from.address);
  to.from.set(from.from);
  to.to.set(from.to);
  to.state = from.state;
}
