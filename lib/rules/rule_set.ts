import { type Bytes, decode, encode } from "../core/bytes.ts";
import { Cache } from "../core/cache.ts";
import { Automaton, NO_OUTPUTS } from "../reading/automaton.ts";
import type { LogEvent } from "../reading/event.ts";
import { MESSAGE, type MessageForm, type MessageReader, UNSEEN } from "../reading/message_reader.ts";
import type { NotePlan, NumberedRule } from "./note_plan.ts";
import { compileCondition, type CompiledCondition, FieldTexts } from "./condition.ts";
import { type FieldDictionary, type RuleConditions, RuleOutputs } from "./rule_outputs.ts";
import { TextCache } from "./text_cache.ts";

/** Length in bytes from which on the outputs for a field's value are remembered. */
const LONG = 48;
/** Most combinations of rules remembered. */
const VERDICTS = 4_096;
/** End of the statuses that a rule can name: they have three digits. */
const STATUSES = 1_000;

/**
 * The rules that an event hits: one object per combination. A class, as V8 is 4 % slower on a line
 * with a literal object.
 */
export class Verdict {
  /** Notes to make of an event that hits these rules, for the caller; null: not planned yet. */
  notePlan: NotePlan | null = null;

  /** @param rules in configured order */
  constructor(readonly rules: readonly NumberedRule[]) {}
}

/** Dictionaries that are looked for together. */
interface DictionaryGroup {
  readonly number: number;
  readonly all: readonly FieldDictionary[];
  /** Those for parts of the readers' `whole`, and the others. */
  readonly parts: readonly FieldDictionary[];
  readonly others: readonly FieldDictionary[];
}

/** Rules that a set of outputs and a status hit, as far as tests need not decide. */
interface PartialVerdict {
  readonly number: number;
  /** Indexes of rules that are hit for certain. */
  readonly certain: readonly number[];
  /** Rules whose tests decide. */
  readonly untested: readonly UntestedRule[];
  /** The whole verdict; null: rules are untested. */
  readonly verdict: Verdict | null;
  /** Fields that the tests look at. */
  readonly fields: readonly number[];
}

/** A rule that is hit if the test of `wanted` holds and none of `unwanted`. */
interface UntestedRule {
  readonly index: number;
  readonly wanted: CompiledCondition | null;
  readonly unwanted: readonly CompiledCondition[];
}

/**
 * Finds the rules of one module that an event hits. One automaton holds all texts. The meaning of a
 * set of outputs is found once, as lines of a log show the same few sets again and again. A regular
 * expression runs only where one of its literals stands. So time is linear in the event's length,
 * and the number of rules hardly matters.
 */
export class RuleSet {
  /** Finds the rules' texts. The reader of the module's messages may run it. */
  readonly automaton: Automaton;
  /** The module's rules in configured order. */
  readonly rules: readonly NumberedRule[];
  /** By index of the rule. */
  readonly #conditions: readonly RuleConditions[];
  readonly #outputs: RuleOutputs;
  /** Whether rules look at the message itself. */
  readonly #seeksMessage: boolean;
  /** Numbers of the statuses that rules name, from 1, by status; 0: no rule names it. */
  readonly #statuses = new Uint16Array(STATUSES);
  /** Number of these numbers, 0 included. */
  readonly #statusCount: number;
  /** Partial verdicts by number of status and set of outputs. */
  #partials: (PartialVerdict | undefined)[][] = [];
  #partialCount = 0;
  readonly #verdicts = new Cache<string, Verdict>(VERDICTS);
  readonly #none = new Verdict([]);
  #generation = 0;
  readonly #values = new FieldTexts();
  /** Sets of outputs of long values, by dictionary. */
  readonly #knownSets = new TextCache<number>();
  /** Sets of outputs of all parts of a text, by group of dictionaries. */
  readonly #knownParts = new TextCache<number>();
  /** Dictionaries beside the message's: of conditions, and only of exceptions. */
  readonly #wanted: DictionaryGroup;
  readonly #exceptions: DictionaryGroup;
  /** Verdicts of tests that see one field of an event, by partial verdict, field and value. */
  readonly #knownVerdicts = new TextCache<Verdict>();

  /** @param form fields and literals of the module's messages */
  constructor(
    rules: readonly NumberedRule[],
    form: Pick<MessageForm, "fields" | "literals" | "parts">,
  ) {
    this.rules = rules;
    this.#conditions = rules.map(({ condition, except }) => ({
      condition: condition && compileCondition(condition, form.fields),
      except: except.map((one) => compileCondition(one, form.fields)),
    }));
    const { dictionaries, firstException } = this.#outputs = new RuleOutputs(this.#conditions);
    this.automaton = new Automaton(dictionaries, form.literals);
    const codes = new Set(rules.flatMap(({ status }) => [...status ?? []]));
    this.#statusCount = codes.size + 1;
    [...codes].forEach((code, i) => this.#statuses[code] = i + 1);
    this.#seeksMessage = dictionaries[0]!.texts.length > 0;
    const parts = new Set(form.parts?.map((name) => form.fields.indexOf(name)));
    const group = (number: number, all: readonly FieldDictionary[]): DictionaryGroup => {
      const { true: of = [], false: others = [] } = Object.groupBy(all, ({ field }) => `${parts.has(field)}`);
      return { number, all, parts: of, others };
    };
    this.#wanted = group(0, dictionaries.slice(1, firstException));
    this.#exceptions = group(1, dictionaries.slice(firstException));
    this.clear();
  }

  /** Returns the rules that an event hits. The verdict is valid until `clear()`. */
  verdict({ reader }: LogEvent): Verdict {
    if (this.rules.length === 0) return this.#none;
    const status = this.#statuses[reader.status] ?? 0;
    const wanted = this.#add(this.#begin(reader), reader, this.#wanted);
    // An exception matters only to a rule that would be hit without it.
    if (this.#partialOf(wanted, status).verdict === this.#none) return this.#none;
    const partial = this.#partialOf(this.#add(wanted, reader, this.#exceptions), status);
    return partial.verdict ?? this.#test(partial, reader);
  }

  /** Drops all verdicts with their plans. */
  clear(): void {
    this.#partials = Array.from({ length: this.#statusCount }, () => []);
    this.#partialCount = 0;
    this.#verdicts.clear();
    this.#knownVerdicts.clear();
  }

  /** Returns the set of outputs of the message, and begins the event's line. */
  #begin(reader: MessageReader): number {
    const { automaton } = this;
    // A reader that runs the automaton has already begun the line.
    if (reader.outputSet === UNSEEN) automaton.begin();
    if (automaton.generation !== this.#generation) this.#drop();
    if (reader.outputSet !== UNSEEN) return reader.outputSet;
    return this.#seeksMessage
      ? automaton.run(0, reader.bytesOf(MESSAGE), reader.from[MESSAGE]!, reader.to[MESSAGE]!)
      : NO_OUTPUTS;
  }

  /** Returns `set` and the outputs of a group of dictionaries. */
  #add(set: number, reader: MessageReader, group: DictionaryGroup): number {
    const { whole = -1 } = reader;
    if (whole < 0) return this.#addAll(set, reader, group.all);
    return this.#addAll(this.automaton.join(set, this.#partsOf(group, reader, whole)), reader, group.others);
  }

  /** Returns the outputs of the parts of the field `whole`. */
  #partsOf({ number, parts }: DictionaryGroup, reader: MessageReader, whole: number): number {
    const bytes = reader.bytesOf(whole);
    const from = reader.from[whole]!;
    const to = reader.to[whole]!;
    const known = this.#knownParts.get(number, bytes, from, to);
    if (known !== null) return known;
    const set = this.#addAll(NO_OUTPUTS, reader, parts);
    this.#knownParts.put(number, bytes, from, to, set);
    return set;
  }

  #addAll(set: number, reader: MessageReader, dictionaries: readonly FieldDictionary[]): number {
    for (let i = 0; i < dictionaries.length; i++) {
      const dictionary = dictionaries[i]!;
      if (reader.from[dictionary.field]! >= 0) {
        set = this.automaton.join(set, this.#setOf(dictionary, reader));
      }
    }
    return set;
  }

  /** Drops sets of outputs: the automaton has numbered them anew. */
  #drop(): void {
    this.#generation = this.automaton.generation;
    this.#knownSets.clear();
    this.#knownParts.clear();
    this.clear();
  }

  #setOf(dictionary: FieldDictionary, reader: MessageReader): number {
    const { number, field } = dictionary;
    const bytes = reader.bytesOf(field);
    const from = reader.from[field]!;
    const to = reader.to[field]!;
    if (to - from < LONG || field === MESSAGE) return this.#run(dictionary, bytes, from, to);
    const known = this.#knownSets.get(number, bytes, from, to);
    if (known !== null) return known;
    const set = this.#run(dictionary, bytes, from, to);
    this.#knownSets.put(number, bytes, from, to, set);
    return set;
  }

  #run({ number, ignoreCase }: FieldDictionary, bytes: Bytes, from: number, to: number): number {
    if (!ignoreCase || isASCII(bytes, from, to)) return this.automaton.run(number, bytes, from, to);
    // Beyond ASCII only text has lower case: the Kelvin sign becomes a k.
    const { bytes: lowered, end } = encode(decode(bytes, from, to).toLowerCase());
    return this.automaton.run(number, lowered, 0, end);
  }

  #partialOf(set: number, status: number): PartialVerdict {
    return this.#partials[status]![set] ??= this.#makePartial(set, status);
  }

  #makePartial(set: number, status: number): PartialVerdict {
    const met = this.#outputs.conditionsMet(this.automaton.outputsOf(set));
    const certain: number[] = [];
    const untested: UntestedRule[] = [];
    for (const index of this.#outputs.candidates(met)) {
      const rule = this.rules[index]!;
      const { condition, except } = this.#conditions[index]!;
      if (rule.status !== null && ![...rule.status].some((code) => this.#statuses[code] === status)) {
        continue;
      }
      const against = except.filter((one) => one.texts === null || met.has(one));
      if (against.some(({ test }) => test === null)) continue;
      const wanted = condition?.test ? condition : null;
      if (wanted === null && against.length === 0) certain.push(index);
      else untested.push({ index, wanted, unwanted: against });
    }
    const tests = untested.flatMap(({ wanted, unwanted }) =>
      wanted === null ? unwanted : [wanted, ...unwanted]
    );
    return {
      number: this.#partialCount++,
      certain,
      untested,
      verdict: untested.length === 0 ? this.#verdictOf(certain) : null,
      fields: [...new Set(tests.flatMap(({ fields }) => fields))],
    };
  }

  /** Runs the tests of a partial verdict, or finds the verdict for this value. */
  #test(partial: PartialVerdict, reader: MessageReader): Verdict {
    const field = onlyOneIn(reader, partial.fields);
    if (field <= MESSAGE) return this.#testAll(partial, reader);
    const bytes = reader.bytesOf(field);
    const owner = partial.number * reader.fields.length + field;
    const known = this.#knownVerdicts.get(owner, bytes, reader.from[field]!, reader.to[field]!);
    if (known !== null) return known;
    const verdict = this.#testAll(partial, reader);
    this.#knownVerdicts.put(owner, bytes, reader.from[field]!, reader.to[field]!, verdict);
    return verdict;
  }

  #testAll({ certain, untested }: PartialVerdict, reader: MessageReader): Verdict {
    const values = this.#values;
    values.begin(reader);
    const hit: number[] = [];
    for (const { index, wanted, unwanted } of untested) {
      if (wanted !== null && !wanted.test!(values)) continue;
      if (!unwanted.some(({ test }) => test!(values))) hit.push(index);
    }
    return this.#verdictOf([...certain, ...hit].sort((a, b) => a - b));
  }

  #verdictOf(indexes: readonly number[]): Verdict {
    if (indexes.length === 0) return this.#none;
    return this.#verdicts.of(
      indexes.join(),
      () => new Verdict(indexes.map((index) => this.rules[index]!)),
    );
  }
}

/** Returns the only one of `fields` that a message has; -1: none or several. */
function onlyOneIn({ from }: MessageReader, fields: readonly number[]): number {
  let only = -1;
  for (const field of fields) {
    if (from[field]! < 0) continue;
    if (only >= 0) return -1;
    only = field;
  }
  return only;
}

const NOT_ASCII = 0x80808080 | 0;

function isASCII({ array, view }: Bytes, from: number, to: number): boolean {
  let seen = 0;
  let at = from;
  for (; at + 4 <= to; at += 4) seen |= view.getInt32(at, true);
  for (; at < to; at++) seen |= array[at]!;
  return (seen & NOT_ASCII) === 0;
}
