import type { Rule } from "./rule.ts";
import type { CompiledRule, Sought } from "./compiled_rule.ts";
import { Texts } from "./texts.ts";
import { StatusView, type Subject, TextView, type View } from "./views.ts";

/** Combinations of signs that are remembered, and how many signs each may be of: only hostile events show many. */
const [REMEMBERED, FEW] = [4_096, 8];

/** Signs that an event shows: a node of an automaton that grows as combinations come up. */
export class Signs<R extends Rule> {
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
export class SignIndex<R extends Rule> {
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
    let known: Meaning | null = null;
    return this.#meanings.push(() => known ??= meaning()) - 1;
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
