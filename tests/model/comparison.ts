/** Model and product side by side, and the shortest lines that they judge differently. */
import { loadConfig } from "../../lib/config/load.ts";
import type { Rule } from "../../lib/rules/rule.ts";
import { modules as known } from "../../modules/mod.ts";
import { nginx } from "../../modules/nginx/nginx.ts";
import { pattern } from "../../modules/pattern/pattern.ts";
import { sshd, SSHD_TEMPLATES } from "../../modules/sshd.ts";
import { NO_OPTIONS } from "../support/messages.ts";
import { Random } from "../support/random.ts";
import { OWN_PATTERNS } from "./messages.ts";
import { patternService, type Service, templateService } from "./message_model.ts";
import { Model, type Verdict } from "./model.ts";
import { nginxService } from "./nginx_model.ts";
import { Product } from "./product.ts";
import { madeUpRules } from "./rules.ts";

/** When all lines are read: later than the time of any. */
const NOW = Date.UTC(2026, 11, 31, 12) * 1_000;
/** Addresses of IPv6 are counted as networks of so many bits. */
export const IPV6_PREFIX = 64;
/** Made-up rules of each module, with some 300 texts. */
const RULES = 100;

/** The modules that lines are made for. Readers are made anew, as some remember what they have read. */
export const MODULES = [
  {
    name: "SSHD",
    identifiers: sshd.match.identifiers,
    kind: sshd,
    open: () => templateService(SSHD_TEMPLATES),
    isTextual: true,
  },
  {
    name: "NGINX",
    identifiers: nginx.match.identifiers,
    kind: nginx,
    open: () => nginxService,
    isTextual: false,
  },
  {
    name: "OWN",
    identifiers: ["own"],
    kind: pattern,
    open: () => patternService(OWN_PATTERNS),
    isTextual: true,
  },
] as const;

/** Rules by the module's name. */
export type Rules = ReadonlyMap<string, readonly Rule[]>;

/** The shipped rules, and made-up ones behind them. */
export function allRules(seed: number): Rules {
  const path = new URL("../../config.jsonc", import.meta.url).pathname;
  const { modules } = loadConfig(path, { known });
  const random = new Random(seed);
  return new Map(MODULES.map(({ name }) => {
    const shipped = modules.find(({ module }) => module.name === name)?.rules ?? [];
    return [name, [...shipped, ...madeUpRules(name, RULES, random)]];
  }));
}

/** The model and the product, which know the same modules and rules and have seen no line. */
export function makeBoth(rules: Rules): { model: Model; product: Product } {
  const options = { now: NOW, ipv6Prefix: IPV6_PREFIX };
  const patterns = OWN_PATTERNS.map((source) => source.replace(/[«»]/g, ""));
  const all = MODULES.map(({ name, identifiers, kind, open, isTextual }) => ({
    name: name as string,
    identifiers,
    isTextual,
    read: open() as Service,
    form: kind.form({ ...NO_OPTIONS, trustedProxies: null, patterns }),
    rules: rules.get(name) ?? [],
  }));
  return { model: new Model(all, options), product: new Product(all, options) };
}

/** Reports whether two verdicts say the same. */
export function isSame(a: Verdict, b: Verdict): boolean {
  return textOf(a) === textOf(b);
}

function textOf({ fields, ...verdict }: Verdict): string {
  const sorted = Object.entries(fields).sort(([a], [b]) => a < b ? -1 : 1);
  return JSON.stringify({ ...verdict, fields: Object.fromEntries(sorted) }, null, 1);
}

/** Returns both verdicts on the last of some lines. */
function judgeLast(lines: readonly string[], rules: Rules): readonly [Verdict, Verdict] | null {
  const { model, product } = makeBoth(rules);
  return lines.map((line) => [model.judge(line), product.judge(line)] as const).at(-1) ?? null;
}

/**
 * Finds the shortest lines that model and product judge differently, and tells both verdicts on the last one.
 *
 * @param lines all lines that may matter, the last of which is judged differently
 */
export function explain(lines: readonly string[], rules: Rules): string {
  const isWrong = (lines: readonly string[]) => {
    const verdicts = judgeLast(lines, rules);
    return verdicts !== null && !isSame(...verdicts);
  };
  if (!isWrong(lines)) return `Only after all lines before: ${JSON.stringify(lines.at(-1))}`;
  // A line that differs by itself needs none before it.
  let fewest = isWrong(lines.slice(-1)) ? lines.slice(-1) : shrink(lines, isWrong);
  fewest = fewest.map((line, i) =>
    shrink([...line], (letters) => isWrong(fewest.with(i, letters.join("")))).join("")
  );
  const [model, product] = judgeLast(fewest, rules)!;
  const texts = fewest.map((line) => JSON.stringify(line)).join("\n");
  return `${texts}\nmodel: ${textOf(model)}\nproduct: ${textOf(product)}`;
}

/** The fewest of `items` for which `isWrong` holds, found by leaving out ever smaller pieces. */
function shrink<T>(items: readonly T[], isWrong: (items: readonly T[]) => boolean): readonly T[] {
  for (let size = items.length >> 1; size > 0; size >>= 1) {
    for (let at = items.length - size; at >= 0; at -= size) {
      const fewer = items.toSpliced(at, size);
      if (isWrong(fewer)) items = fewer;
    }
  }
  return items;
}
