import type { Config, RuleTests } from "../../config/types.ts";
import { LineMatcher, recordOf } from "../common/dry_run.ts";

/** Result of a configuration's rule tests. */
export interface TestResult {
  readonly tried: number;
  /** A sentence for each line that a rule judged wrongly. */
  readonly failures: readonly string[];
}

/** Runs the tests of the rules of `config`. */
export function runRuleTests({ modules, tests }: Config): TestResult {
  // A matcher prepares all rules of its module: one for each rule would take a second for 40 rules.
  const matchers = new Map(modules.map((rules) => [rules.module.name, new LineMatcher(rules)]));
  return {
    tried: tests.reduce((sum, { match, noMatch }) => sum + match.length + noMatch.length, 0),
    failures: tests.flatMap((test) => failuresOf(test, matchers.get(test.module)!)),
  };
}

function failuresOf({ module, rule, match, noMatch }: RuleTests, matcher: LineMatcher): string[] {
  matcher.begin();
  const failuresIn = (lines: readonly string[], wanted: boolean) =>
    lines.flatMap((line) => {
      const { address, hits, isUnderstood } = matcher.match(recordOf(line), 0);
      if (hits.includes(rule) === wanted) return [];
      const whyNobody = isUnderstood
        ? ", as it has no address that is whole and certain to be the service's own text"
        : ", as no pattern or known message fits it";
      const verdict = wanted
        ? `should be a hit and is none${address === null ? whyNobody : ""}`
        : "should be no hit and is one";
      return [`[${module}] ${rule}: this line ${verdict}: ${line}`];
    });
  return [...failuresIn(match, true), ...failuresIn(noMatch, false)];
}
