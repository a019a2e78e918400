import type { Config, RuleTests } from "../config/types.ts";
import { LineMatcher, recordOf } from "./dry_run.ts";
import type { ModuleRules } from "../rules/rule.ts";

/** Result of a configuration's rule tests. */
export interface TestResult {
  /** Number of lines tried. */
  readonly tried: number;
  /** A sentence for each line that a rule judged wrongly. */
  readonly failures: readonly string[];
}

/** Runs the tests of the rules of `config`. */
export function runRuleTests({ modules, tests }: Config): TestResult {
  const results = tests.map((test) => {
    const rules = modules.find(({ module }) => module.name === test.module)!;
    return { ...test, hits: hitsOf(rules) };
  });
  return {
    tried: tests.reduce((sum, { match, noMatch }) => sum + match.length + noMatch.length, 0),
    failures: results.flatMap((test) => [
      ...test.match.flatMap((line) => failure(test, line, true) ?? []),
      ...test.noMatch.flatMap((line) => failure(test, line, false) ?? []),
    ]),
  };
}

/** Returns the rules that a line hits, and why it names nobody; empty: it names somebody. */
type Hits = (line: string) => { readonly hits: readonly string[]; readonly whyNobody: string };

function hitsOf(rules: ModuleRules): Hits {
  const matcher = new LineMatcher(rules);
  return (line) => {
    const { address, hits, isUnderstood } = matcher.match(recordOf(line), 0);
    if (address !== null) return { hits, whyNobody: "" };
    const whyNobody = isUnderstood
      ? "it has no address that is whole and certain to be the service's own text"
      : "no pattern or known message fits it";
    return { hits, whyNobody };
  };
}

function failure(
  { module, rule, hits: hitsIn }: RuleTests & { hits: Hits },
  line: string,
  wanted: boolean,
): string | null {
  const { hits, whyNobody } = hitsIn(line);
  if (hits.includes(rule) === wanted) return null;
  const why = whyNobody && `, as ${whyNobody}`;
  const verdict = wanted ? `should be a hit and is none${why}` : "should be no hit and is one";
  return `[${module}] ${rule}: this line ${verdict}: ${line}`;
}
