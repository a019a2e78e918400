/** Rules that are made up to try everything that a configuration can ask for. */
import type { Condition, Mode, Rule } from "../../lib/rules/rule.ts";
import { rule } from "../support/helpers.ts";
import type { Random } from "../support/random.ts";
import type { ModuleName } from "./messages.ts";

const MINUTE = 60_000_000;

/** Fields that rules of a module may name. */
const FIELDS: Readonly<Record<ModuleName, readonly string[]>> = {
  SSHD: ["message", "message", "user", "port", "method", "login", "logout"],
  NGINX: [
    ..."message message path path query raw_path raw_query target request method protocol referer user_agent"
      .split(" "),
    ..."user host forwarded_for bytes level text server upstream".split(" "),
  ],
  OWN: ["message", "message", "user", "reason", "policy"],
};
const WORDS = [
  ..."Failed Invalid|Failed password for |Connection |Disconnected from |from| port |ssh2|[preauth]|root|admin|test|user "
    .split("|"),
  ..."invalid user |error: |Accepted|publickey|Received disconnect|: |a|e|é|\u{1f600}|k|s|i|FAIL|login|denied|oracle|bob"
    .split("|"),
  ..."GET|POST|/|//|/.env|wp-login|..|etc/passwd|%2e|<d|'|\"|\\|curl|sqlmap|zgrab|Mozilla/5.0|HTTP/1.1|404|-|client: |open()"
    .split("|"),
  ..."password mismatch|limiting requests|203.0.113.|2001:db8|\0|\t|  |Ünal|password|none|code for|22|x"
    .split("|"),
];
const EXPRESSIONS = [
  "Failed (?:password|none) for",
  "^Invalid user .* from",
  "port \\d+$",
  "(?:root|admin) from",
  "\\w\\.php",
  "/\\.\\w+",
  "^/$",
  "k",
  "\\bssh2?\\b",
  "\\d{1,3}\\.\\d{1,3}",
  "a.b",
  "(?:é|Ü)",
  "user [^ ]+ ",
  "^$",
  "x+",
  "mismatch|not found",
  "from .* from ",
  "%[0-9a-f]",
  "preauth]$",
  "\\x00",
];

/** Makes `count` rules of a module. */
export function madeUpRules(module: ModuleName, count: number, random: Random): Rule[] {
  const condition = (): Condition => {
    const mode = random.pick<Mode>(["start", "anywhere", "anywhere", "regex"]);
    const ignoreCase = random.below(3) === 0;
    const texts = random.times(1 + random.below(3), () => {
      const text = random.pick(mode === "regex" ? EXPRESSIONS : WORDS);
      return ignoreCase && mode !== "regex" ? text.toLowerCase() : text;
    });
    const fields = [...new Set(random.times(1 + random.below(2), () => random.pick(FIELDS[module])))];
    return { fields, mode, texts, ignoreCase };
  };
  return Array.from({ length: count }, (_, i) =>
    rule({
      name: `rule ${i}`,
      condition: random.below(30) === 0 ? null : condition(),
      except: random.times(random.below(4) === 0 ? 2 : random.below(2), condition),
      status: module === "NGINX" && random.below(4) === 0
        ? new Set(random.pick([[404], [401, 403], [200, 99]]))
        : null,
      distinct: random.below(5) === 0 ? random.pick(FIELDS[module]) : null,
      limit: 1 + random.below(random.pick([3, 10, 300])),
      window: random.pick([MINUTE, 10 * MINUTE, 60 * MINUTE, 1_440 * MINUTE, null]),
      banTime: random.pick([MINUTE, 60 * MINUTE, 1_440 * MINUTE, null]),
      growth: random.pick([
        { factor: 1, most: null, forgetAfter: null },
        { factor: 2, most: 20_160 * MINUTE, forgetAfter: 2_880 * MINUTE },
      ]),
    }));
}
