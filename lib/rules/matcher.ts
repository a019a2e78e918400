import type { Condition, LogEvent, Rule } from "../types.ts";
import { detached } from "../detach.ts";
import { requiredLiterals } from "./literals.ts";
import { Texts } from "./texts.ts";

/** What of an event the rules look at. */
export type Subject = Pick<LogEvent, "message" | "fields">;

/**
 * Says which rules an event hits. Time is linear in the event's length; the number of rules hardly matters, as their texts are sought
 * all at once, and a regular expression is asked only where a text stands that it needs.
 *
 * What rules look for in an event are signs: a text at a place of a field, or a status. Events of a log show the same few
 * combinations of signs again and again, and what each combination means for all the rules is found out once (`Signs`).
 */
export class Matcher<R extends Rule = Rule> {
  readonly #index: SignIndex<R>;
  readonly #views: readonly View[];
  #none: Signs<R>;

  constructor(rules: readonly R[]) {
    this.#index = new SignIndex(rules.map((rule) => new CompiledRule(rule)));
    this.#views = this.#index.views;
    this.#none = new Signs(this.#index);
  }

  /** The rules that an event hits, in configured order. */
  match(event: Subject): readonly R[] {
    if (this.#index.isFull) this.#none = this.#index.forget();
    let signs = this.#none;
    for (let i = 0; i < this.#views.length; i++) {
      const found = this.#views[i]!.look(event);
      for (let j = 0; j < found.length; j++) signs = signs.and(found[j]!);
    }
    return signs.hits(event);
  }
}

/** A rule made ready: what signs tell is found by all together, what is left is asked of it alone. */
class CompiledRule<R extends Rule> {
  /** Texts of which one must stand in one of the condition's fields; null: no text is needed. */
  readonly texts: Sought | null;
  /** Texts of which none may. */
  readonly without: readonly Sought[];
  /** Expressions that signs cannot tell: the condition's, and those of exceptions. */
  readonly #condition: Test | null;
  readonly #except: readonly Test[];

  constructor(readonly rule: R) {
    const { condition, except } = rule;
    const texts = condition && textsOf(condition);
    this.texts = texts && { ...condition!, texts };
    this.without = except.filter(({ mode }) => mode !== "regex");
    this.#condition = condition?.mode === "regex" ? compile(condition) : null;
    this.#except = except.filter(({ mode }) => mode === "regex").map(compile);
  }

  /** Whether an event that shows the right signs is a hit, whatever else it says. */
  get isSure(): boolean {
    return this.#condition === null && this.#except.length === 0;
  }

  /** Whether an event that shows the right signs hits the rule. */
  isHitBy(event: Subject): boolean {
    return (this.#condition === null || this.#condition(event)) && !this.#except.some((test) => test(event));
  }
}

function textsOf({ mode, texts }: Condition): readonly string[] | null {
  if (mode !== "regex") return texts;
  const needed = texts.map(requiredLiterals);
  return needed.includes(null) ? null : needed.flatMap((literals) => literals!);
}

type Test = (event: Subject) => boolean;

function compile({ fields, texts, ignoreCase }: Condition): Test {
  const expressions = texts.map((source) => new RegExp(source, "s"));
  return (event) =>
    fields.some((field) => {
      const text = textOf(event, field);
      const seen = text !== null && ignoreCase ? text.toLowerCase() : text;
      return seen !== null && expressions.some((expression) => expression.test(seen));
    });
}

/** A field's text; null where the event has none. */
function textOf({ message, fields }: Subject, field: string): string | null {
  const text: unknown = field === "message" ? message : fields[field];
  return typeof text === "string" ? text : null;
}

/** Texts, and where one of them is sought; those of an expression may stand anywhere. */
type Sought = Condition;

/** Combinations of signs that are remembered, and how many signs each may be of: only hostile events show many. */
const [REMEMBERED, FEW] = [4_096, 8];

/** Signs that an event shows: a node of an automaton that grows as combinations come up. */
class Signs<R extends Rule> {
  readonly #index: SignIndex<R>;
  readonly #signs: Set<number>;
  readonly #with = new Map<number, Signs<R>>();
  /** What they mean, once somebody has asked. */
  #suspects: readonly CompiledRule<R>[] | null = null;
  /** The suspects' rules, where each is sure. */
  #hits: readonly R[] | null = null;

  constructor(index: SignIndex<R>, signs = new Set<number>()) {
    this.#index = index;
    this.#signs = signs;
  }

  /** These and another one. */
  and(sign: number): Signs<R> {
    return this.#with.get(sign) ?? this.#join(sign);
  }

  #join(sign: number): Signs<R> {
    if (this.#signs.has(sign)) return this;
    // Of many nobody else knows: they are this event's own.
    if (this.#signs.size > FEW) {
      this.#signs.add(sign);
      return this;
    }
    const all = new Signs(this.#index, new Set([...this.#signs, sign]));
    if (all.#signs.size <= FEW) {
      this.#with.set(sign, all);
      this.#index.remembered++;
    }
    return all;
  }

  /** The rules that an event with these signs hits. */
  hits(event: Subject): readonly R[] {
    if (this.#suspects === null) this.#judge();
    return this.#hits ?? this.#suspects!.filter((rule) => rule.isHitBy(event)).map(({ rule }) => rule);
  }

  #judge(): void {
    const suspects = this.#index.suspects(this.#signs);
    this.#suspects = suspects;
    this.#hits = suspects.every(({ isSure }) => isSure) ? suspects.map(({ rule }) => rule) : null;
  }
}

/** What a sign means for the rules, by their numbers. */
interface Meaning {
  /** Those that need it, or another of several. */
  readonly wanted: Set<number>;
  /** Those that it rules out. */
  readonly unwanted: Set<number>;
}

const NO_MEANING: Meaning = { wanted: new Set(), unwanted: new Set() };

/** All signs of some rules, known by their numbers. */
class SignIndex<R extends Rule> {
  readonly views: readonly View[];
  readonly #rules: readonly CompiledRule<R>[];
  /** Of each sign, found out when it is first seen: of a thousand texts that would take long at the start. */
  readonly #meanings: (() => Meaning)[] = [];
  readonly #statuses = new Map<number, ReadonlySet<number>>();
  /** Numbers of the rules that need no text. */
  readonly #always: readonly number[];
  /** Combinations that are remembered. */
  remembered = 0;

  constructor(rules: readonly CompiledRule<R>[]) {
    this.#rules = rules;
    this.#always = rules.flatMap(({ texts }, number) => texts === null ? [number] : []);
    this.views = [...this.#statusViews(), ...this.#textViews()];
  }

  /** Whether so many combinations are remembered that they should be forgotten. */
  get isFull(): boolean {
    return this.remembered >= REMEMBERED;
  }

  /** Begins anew: gives the combination of no signs. */
  forget(): Signs<R> {
    this.remembered = 0;
    return new Signs(this);
  }

  /** The rules that an event may hit that shows these signs and no others. */
  suspects(signs: ReadonlySet<number>): CompiledRule<R>[] {
    const meanings = [...signs].map((sign) => this.#meanings[sign]!());
    const wanted = new Set([...this.#always, ...meanings.flatMap(({ wanted }) => [...wanted])]);
    for (const { unwanted } of meanings) for (const number of unwanted) wanted.delete(number);
    const statuses = [...signs].flatMap((sign) => this.#statuses.get(sign) ?? []);
    return [...wanted].sort((a, b) => a - b)
      .filter((number) => this.#rules[number]!.rule.status === null || statuses.some((of) => of.has(number)))
      .map((number) => this.#rules[number]!);
  }

  #add(meaning: () => Meaning): number {
    return this.#meanings.push(meaning) - 1;
  }

  #statusViews(): View[] {
    const numbers = new Map<string, Set<number>>();
    this.#rules.forEach(({ rule: { status } }, number) =>
      status?.forEach((code) =>
        numbers.set(String(code), (numbers.get(String(code)) ?? new Set()).add(number))
      )
    );
    if (numbers.size === 0) return [];
    const signs = [...numbers].map(([code, rules]) => {
      // What it means as such is in `#statuses`.
      const sign = this.#add(() => NO_MEANING);
      this.#statuses.set(sign, rules);
      return [code, [sign]] as const;
    });
    return [new StatusView(new Map(signs))];
  }

  #textViews(): View[] {
    const drafts = new Map<string, Draft>();
    const draftOf = (field: string, { mode, ignoreCase }: Sought) => {
      const place = mode === "start" ? "start" : "anywhere";
      const key = `${place} ${ignoreCase} ${field}`;
      const draft = drafts.get(key) ?? { field, ignoreCase, place, texts: new Map() };
      drafts.set(key, draft);
      return draft;
    };
    this.#rules.forEach(({ texts, without }, number) => {
      for (const sought of texts ? [texts, ...without] : without) {
        const kind = sought === texts ? "wanted" : "unwanted";
        for (const field of sought.fields) note(draftOf(field, sought), { sought, kind, number });
      }
    });
    return [...drafts.values()].map((draft) => this.#view(draft));
  }

  #view({ texts: meanings, place, ...view }: Draft): View {
    const texts = new Texts([...meanings.keys()], place);
    const own = [...meanings.values()];
    const first = this.#meanings.length;
    own.forEach((_, number) =>
      this.#add(() => {
        const all = texts.within(number).map((other) => own[other]!);
        return {
          wanted: new Set(all.flatMap(({ wanted }) => [...wanted])),
          unwanted: new Set(all.flatMap(({ unwanted }) => [...unwanted])),
        };
      })
    );
    return new TextView(texts, { ...view, first });
  }
}

/** A view in the making. */
interface Draft {
  readonly field: string;
  readonly ignoreCase: boolean;
  readonly place: "start" | "anywhere";
  /** What each text means. */
  readonly texts: Map<string, Meaning>;
}

function note(
  { texts }: Draft,
  { sought, kind, number }: { sought: Sought; kind: keyof Meaning; number: number },
): void {
  for (const text of sought.texts) {
    const meaning = texts.get(text) ?? { wanted: new Set(), unwanted: new Set() };
    meaning[kind].add(number);
    texts.set(text, meaning);
  }
}

/** Looks at one thing of an event. */
interface View {
  /** The signs that it sees, perhaps more than once; good until the next call. */
  look(event: Subject): readonly number[];
}

const NOTHING: readonly number[] = [];

class StatusView implements View {
  readonly #signs: ReadonlyMap<string, readonly number[]>;

  constructor(signs: ReadonlyMap<string, readonly number[]>) {
    this.#signs = signs;
  }

  look({ fields: { status } }: Subject): readonly number[] {
    return status === undefined ? NOTHING : this.#signs.get(status) ?? NOTHING;
  }
}

/** Characters of texts that are worth remembering, from and up to. */
const [LONG, LONGEST] = [48, 512];
/** Long texts that are remembered. */
const TEXTS = 1_024;

/** All that is sought in one field at one kind of place. */
class TextView implements View {
  readonly #texts: Texts;
  readonly #field: string;
  readonly #ignoreCase: boolean;
  /** Sign of the first text; the others follow. */
  readonly #first: number;
  readonly #found: number[] = [];
  /** What was found in long texts lately: many clients name themselves alike, and at length. */
  readonly #known = new Map<string, readonly number[]>();

  constructor(
    texts: Texts,
    { field, ignoreCase, first }: { field: string; ignoreCase: boolean; first: number },
  ) {
    this.#texts = texts;
    this.#field = field;
    this.#ignoreCase = ignoreCase;
    this.#first = first;
  }

  look(event: Subject): readonly number[] {
    const text = textOf(event, this.#field);
    if (text === null) return NOTHING;
    if (text.length < LONG || text === event.message) return this.#seek(text);
    return this.#known.get(text) ?? this.#remember(text);
  }

  #remember(text: string): readonly number[] {
    const found = [...new Set(this.#seek(text))];
    if (this.#known.size >= TEXTS) this.#known.clear();
    if (text.length <= LONGEST) this.#known.set(detached(text), found);
    return found;
  }

  #seek(text: string): readonly number[] {
    const found = this.#found;
    found.length = 0;
    this.#texts.find(this.#ignoreCase ? text.toLowerCase() : text, found);
    for (let i = 0; i < found.length; i++) found[i]! += this.#first;
    return found;
  }
}
