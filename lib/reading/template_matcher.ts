import { AddressReader } from "../core/address_reader.ts";
import type { Bytes } from "../core/bytes.ts";
import type { Automaton } from "./automaton.ts";
import type { Template } from "./template.ts";
import type { TemplateGraph } from "./template_graph.ts";
import { TemplateProgram } from "./template_program.ts";
import { TemplateRunner } from "./template_runner.ts";

/** Actions if everything behind `<USER>` or `<TEXT>` may fit at a second place: see `Template`. */
const [NOTHING, TAKE_LAST, NAME_NOBODY] = [0, 1, 2];

function onSecondFit({ text }: Template): number {
  if (/<(?:USER|TEXT)>.*<ADDR>.*<REST>/s.test(text)) return NAME_NOBODY;
  return !/<(?:USER|TEXT)>/.test(text) || /<(?:USER|TEXT)>.*<REST>/s.test(text) ? NOTHING : TAKE_LAST;
}

/** Templates, as a form has them, and the automaton that has their literals as symbols. */
export interface MatcherParts {
  readonly graph: TemplateGraph;
  readonly templates: readonly Template[];
  /** Names of the fields, by number. */
  readonly fields: readonly string[];
  readonly automaton: Automaton;
}

/**
 * Finds the template of a message. If two places fit for the address, it takes the last one or
 * names nobody.
 */
export class TemplateMatcher {
  /** Holds the fit. */
  readonly found: TemplateRunner;
  /** Two places fit for the address: nobody is named, and no field is set. */
  isAmbiguous = false;
  readonly #graph: TemplateGraph;
  readonly #onSecondFit: Uint8Array;
  /** The last fit, while the matcher looks for a later one. */
  readonly #last: { address: AddressReader; from: Int32Array; to: Int32Array; state: number };

  constructor({ graph, templates, fields, automaton }: MatcherParts) {
    this.#graph = graph;
    this.#onSecondFit = Uint8Array.from(templates, onSecondFit);
    const program = new TemplateProgram(graph, {
      literals: graph.literals,
      columnOf: (literal) => automaton.columnOf(literal),
      fieldOf: (name) => fields.indexOf(name),
    });
    const { from, to } = this.found = new TemplateRunner(program, fields.length, automaton);
    this.#last = { address: new AddressReader(), from: from.slice(), to: to.slice(), state: 0 };
  }

  /**
   * Matches `bytes[at, to)`; `state` is the automaton's state before it. Returns the number of the
   * template; -1: none fits. A template fits even if its address is ambiguous.
   */
  match(bytes: Bytes, at: number, to: number, state: number): number {
    const { found } = this;
    this.isAmbiguous = false;
    if (!found.start(bytes, at, to, state)) return -1;
    if (this.#mayFitAgain(found.template)) this.#resolveAmbiguity();
    return found.template;
  }

  #mayFitAgain(template: number): boolean {
    return this.#onSecondFit[template] !== NOTHING &&
      (this.found.hasRest || !this.#graph.isUnambiguous(template));
  }

  /** Looks for later places where the stranger's text may end, and takes the last or none. */
  #resolveAmbiguity(): void {
    const { found } = this;
    while (found.mayGoOn()) {
      this.#saveFit();
      if (!found.goOn()) return this.#restoreFit();
      if (this.#onSecondFit[found.template] === NAME_NOBODY) {
        this.isAmbiguous = true;
        return found.clear();
      }
    }
  }

  #saveFit(): void {
    const { address, from, to, state } = this.found;
    this.#last.address.copy(address);
    this.#last.from.set(from);
    this.#last.to.set(to);
    this.#last.state = state;
  }

  #restoreFit(): void {
    const { address, from, to, state } = this.#last;
    this.found.address.copy(address);
    this.found.from.set(from);
    this.found.to.set(to);
    this.found.state = state;
  }
}
