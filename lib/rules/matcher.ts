import type { Condition, LogEvent, Rule } from "../types.ts";
import { detached } from "../detach.ts";
import { requiredLiterals } from "./literals.ts";
import { type Sought, Texts } from "./texts.ts";

/** What of an event the rules look at. */
export type Subject = Pick<LogEvent, "message" | "fields">;

/**
 * Says which rules an event hits. Time is linear in the event's length; the number of rules hardly matters, as their texts are sought
 * all at once, and a regular expression is asked only where a text stands that it needs.
 */
export class Matcher<R extends Rule = Rule> {
  readonly #rules: readonly CompiledRule<R>[];
  readonly #views: readonly View[];
  /** Numbers of the rules that need no text. */
  readonly #always: readonly number[];
  readonly #needsStatus: boolean;
  /** Rules that the event at hand may hit: which, and their numbers. */
  readonly #isSuspected: Uint8Array;
  readonly #suspects: number[] = [];
  readonly #suspect = (numbers: readonly number[]) => {
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i]!;
      if (this.#isSuspected[number] === 1) continue;
      this.#isSuspected[number] = 1;
      this.#suspects.push(number);
    }
  };

  constructor(rules: readonly R[]) {
    this.#rules = rules.map((rule) => new CompiledRule(rule));
    this.#views = buildViews(this.#rules);
    this.#always = this.#rules.flatMap(({ texts }, number) => texts === null ? [number] : []);
    this.#needsStatus = rules.some(({ status }) => status !== null);
    this.#isSuspected = new Uint8Array(rules.length);
  }

  /** The rules that an event hits, in configured order. */
  match(event: Subject): readonly R[] {
    for (const view of this.#views) view.find(event, this.#suspect);
    const suspects = this.#suspects;
    if (suspects.length === 0 && this.#always.length === 0) return [];
    this.#suspect(this.#always);
    sort(suspects);
    const status = this.#needsStatus ? Number(event.fields.status) : NaN;
    const found: R[] = [];
    for (let i = 0; i < suspects.length; i++) {
      const number = suspects[i]!;
      this.#isSuspected[number] = 0;
      const rule = this.#rules[number]!;
      if (rule.isPlain || rule.isHitBy(event, status)) found.push(rule.rule);
    }
    suspects.length = 0;
    return found;
  }
}

/** Sorts few numbers, which are in order but for one or two. */
function sort(numbers: number[]): void {
  for (let i = 1; i < numbers.length; i++) {
    const number = numbers[i]!;
    let at = i;
    for (; at > 0 && numbers[at - 1]! > number; at--) numbers[at] = numbers[at - 1]!;
    numbers[at] = number;
  }
}

/** A rule made ready: what it needs is found by all together, what is left is asked of it alone. */
class CompiledRule<R extends Rule> {
  /** One of these must stand in one of the condition's fields; null: no text is needed. */
  readonly texts: readonly string[] | null;
  /** One of the texts is all that it takes. */
  readonly isPlain: boolean;
  readonly #condition: Test | null;
  readonly #except: readonly Test[];

  constructor(readonly rule: R) {
    const { condition, except } = rule;
    this.texts = condition && textsOf(condition);
    // To have found a text is all that the other modes ask for.
    this.#condition = condition?.mode === "regex" ? compile(condition) : null;
    this.#except = except.map(compile);
    this.isPlain = rule.status === null && this.#condition === null && except.length === 0;
  }

  /** Whether an event in which one of the texts stands hits the rule. */
  isHitBy(event: Subject, status: number): boolean {
    return (this.rule.status === null || this.rule.status.has(status)) &&
      (this.#condition === null || this.#condition(event)) && !this.#except.some((test) => test(event));
  }
}

function textsOf({ mode, texts }: Condition): readonly string[] | null {
  if (mode !== "regex") return texts;
  const needed = texts.map(requiredLiterals);
  return needed.includes(null) ? null : needed.flatMap((literals) => literals!);
}

type Test = (event: Subject) => boolean;

function compile({ fields, mode, texts, ignoreCase }: Condition): Test {
  const finds = finder(mode, texts);
  return (event) =>
    fields.some((field) => {
      const text = textOf(event, field, ignoreCase);
      return text !== null && finds(text);
    });
}

function finder(mode: Condition["mode"], texts: readonly string[]): (text: string) => boolean {
  if (mode === "start") return (text) => texts.some((sought) => text.startsWith(sought));
  if (mode === "anywhere") return (text) => texts.some((sought) => text.includes(sought));
  const expressions = texts.map((source) => new RegExp(source, "s"));
  return (text) => expressions.some((expression) => expression.test(text));
}

/** A field's text as conditions see it; null where the event has none. */
function textOf({ message, fields }: Subject, field: string, ignoreCase: boolean): string | null {
  const text: unknown = field === "message" ? message : fields[field];
  if (typeof text !== "string") return null;
  return ignoreCase ? text.toLowerCase() : text;
}

/** Characters of texts that are worth remembering, from and up to, and how many are. */
const [LONG, LONGEST, REMEMBERED] = [48, 512, 1_024];

/** All that is sought in one field. */
class View {
  readonly #field: string;
  readonly #ignoreCase: boolean;
  readonly #texts: readonly Texts[];
  /** What was found in long texts lately: many clients name themselves alike, and at length. */
  readonly #known = new Map<string, readonly number[]>();

  constructor(
    { field, ignoreCase }: { field: string; ignoreCase: boolean },
    { starts, anywhere }: { starts: readonly Sought[]; anywhere: readonly Sought[] },
  ) {
    this.#field = field;
    this.#ignoreCase = ignoreCase;
    this.#texts = [
      ...(starts.length > 0 ? [new Texts(starts, "start")] : []),
      ...(anywhere.length > 0 ? [new Texts(anywhere, "anywhere")] : []),
    ];
  }

  /** Tells `found` the numbers of the rules of which a text stands in the field. */
  find(event: Subject, found: (numbers: readonly number[]) => void): void {
    const { message, fields } = event;
    const text: unknown = this.#field === "message" ? message : fields[this.#field];
    if (typeof text !== "string") return;
    if (text.length < LONG || text === message) this.#seek(text, found);
    else found(this.#known.get(text) ?? this.#remember(text));
  }

  #remember(text: string): readonly number[] {
    const all = new Set<number>();
    this.#seek(text, (numbers) => numbers.forEach((number) => all.add(number)));
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    if (text.length <= LONGEST) this.#known.set(detached(text), [...all]);
    return [...all];
  }

  #seek(text: string, found: (numbers: readonly number[]) => void): void {
    const seen = this.#ignoreCase ? text.toLowerCase() : text;
    for (const texts of this.#texts) texts.find(seen, found);
  }
}

function buildViews(rules: readonly CompiledRule<Rule>[]): View[] {
  const views = new Map<
    string,
    { field: string; ignoreCase: boolean; starts: Sought[]; anywhere: Sought[] }
  >();
  rules.forEach(({ rule: { condition }, texts }, number) => {
    if (condition === null || texts === null) return;
    const { fields, ignoreCase, mode } = condition;
    for (const field of fields) {
      const key = `${ignoreCase} ${field}`;
      const view = views.get(key) ?? { field, ignoreCase, starts: [], anywhere: [] };
      const sought = texts.map((text) => ({ text, number }));
      (mode === "start" ? view.starts : view.anywhere).push(...sought);
      views.set(key, view);
    }
  });
  return [...views.values()].map((view) => new View(view, view));
}
