import { strict as assert } from "node:assert";
import { SSHD_TEMPLATES } from "../../modules/sshd.ts";
import { inZone } from "../support/helpers.ts";
import { Random } from "../support/random.ts";
import { allRules, explain, IPV6_PREFIX, isSame, makeBoth, MODULES } from "./comparison.ts";
import { LineMaker } from "./lines.ts";
import type { ModuleName } from "./messages.ts";
import { countedAs } from "./rules_model.ts";

/** Lines of each module: 10,000, or what `MODEL_LINES` says for a long run. */
const LINES = Number(Deno.env.get("MODEL_LINES") ?? 10_000);
const SEED = Number(Deno.env.get("MODEL_SEED") ?? 20_261_128);
/** So many lines of one address are kept to explain a difference by. */
const KEPT = 2_000;

/** Compares the verdicts on each line; returns how often there was something to compare. */
function compare(module: ModuleName) {
  const rules = allRules(SEED);
  const templates = SSHD_TEMPLATES.map(({ text }) => text);
  const maker = new LineMaker(new Random(SEED), { module, templates });
  const { model, product } = makeBoth(rules);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const sums = { hits: 0, trips: 0, bans: 0, understood: 0 };
  /** By what their addresses are counted as. */
  const linesOf = new Map<string, string[]>();
  for (let i = 0; i < LINES; i++) {
    // As a source hands it over: valid UTF-8 without the line's end.
    const line = decoder.decode(maker.next()).replace(/\r+$/, "");
    const verdict = model.judge(line);
    const counted = verdict.address === null ? "" : countedAs(verdict.address, IPV6_PREFIX);
    const lines = linesOf.get(counted) ?? [];
    linesOf.set(counted, lines);
    if (lines.push(line) > KEPT) lines.shift();
    if (!isSame(verdict, product.judge(line))) {
      assert.fail(`line ${i} of ${module}:\n${explain(lines, rules)}`);
    }
    sums.hits += verdict.hits.length;
    sums.trips += verdict.trips.length;
    sums.bans += verdict.bans.length;
    sums.understood += verdict.isUnderstood ? 1 : 0;
  }
  return sums;
}

for (const { name } of MODULES) {
  Deno.test(`\`Reader\` and \`Engine\` judge ${LINES} lines of ${name} as a plain model does`, () => {
    inZone("UTC", () => {
      const { hits, trips, bans, understood } = compare(name);
      // Lines that nobody understands would prove nothing.
      assert(understood > LINES / 2, `only ${understood} lines were understood`);
      assert(hits > LINES && trips > 0 && bans > 0, `${hits} hits, ${trips} trips, ${bans} bans`);
    });
  });
}
