import type * as z from "zod/mini";
import type { ModuleKind } from "../reading/module.ts";
import { UserError } from "../core/error.ts";
import type { Document, Mistake, Path } from "./document.ts";
import { nearest } from "./suggest.ts";

type Issue = z.core.$ZodIssue;

/** Throws `UserError` (78) with a sentence for each mistake in the text's order, if any. */
export function refuse(mistakes: readonly Mistake[]): void {
  if (mistakes.length === 0) return;
  const sorted = mistakes.toSorted((a, b) => a.offset - b.offset);
  const sentences = [...new Set(sorted.map((mistake) => mistake.sentence))];
  throw new UserError(sentences, 78);
}

/** Turns an issue of the schema into mistakes with positions in `document`. */
export function schemaMistakes(document: Document, issue: Issue, outer: Path = []): Mistake[] {
  const path = [...outer, ...issue.path] as Path;
  if (issue.code === "unrecognized_keys") {
    const complaints = issue.message.split("\n");
    return issue.keys.map((key, i) => document.badKey([...path, key], complaints[i]!));
  }
  const meant = issue.code === "invalid_union" ? issue.errors.find(fitsInKind) : undefined;
  if (meant) return meant.flatMap((inner) => schemaMistakes(document, inner, path));
  return [document.badValue(path, issue.message)];
}

/** Reports whether a member of a union was meant: its type is right, and it is wrong inside. */
function fitsInKind(issues: readonly Issue[]): boolean {
  return issues.length > 0 &&
    issues.every((issue) =>
      issue.path.length > 0 || !["invalid_type", "invalid_union", "invalid_value"].includes(issue.code)
    );
}

/** Returns mistakes for modules missing, unknown or incomplete, and for rule names used twice. */
export function* moduleMistakes(document: Document, known: readonly ModuleKind[]): Generator<Mistake> {
  const modules = document.at(["modules"]);
  if (typeof modules !== "object" || modules === null || Array.isArray(modules)) return;
  const given = Object.keys(modules);
  if (given.length === 0) yield document.badValue(["modules"], "must name at least one module");
  const names = known.map((kind) => kind.name).filter((name) => name !== "");
  for (const name of given) {
    const at = ["modules", name];
    const own = !names.includes(name);
    if (own && document.at([...at, "pattern"]) === undefined) {
      yield document.badKey(at, unknownModule(name, names));
      continue;
    }
    yield* own ? ownModuleMistakes(document, at) : conditionMistakes(document, at);
    yield* repeatedNames(document, [...at, "rules"]);
  }
}

/** Returns mistakes for a firewall and commands that exclude each other. */
export function* firewallMistakes(document: Document): Generator<Mistake> {
  const firewall = document.at(["firewall"]);
  const has = (key: string) => document.at([key]) !== undefined;
  if (firewall === "command" && !has("ban_command")) {
    yield document.badValue(["firewall"], "needs a ban_command");
  } else if (firewall === "nftables") {
    for (const key of ["ban_command", "unban_command"].filter(has)) {
      yield document.badKey([key], 'has no use with "firewall": "nftables": leave one of them out');
    }
  }
  yield* moduleFirewallMistakes(document);
}

/** Returns mistakes for modules' keys without use beside, or without, a `ban_command` of theirs. */
function* moduleFirewallMistakes(document: Document): Generator<Mistake> {
  for (const name of Object.keys(Object(document.at(["modules"])))) {
    const has = (key: string) => document.at(["modules", name, key]) !== undefined;
    const [useless, complaint] = has("ban_command")
      ? [
        ["ports", "protocol"],
        "has no use beside the module's own ban_command, which gets the address alone",
      ]
      : [["unban_command", "ban_timeout", "ban_concurrency"], "needs a ban_command in this module"];
    for (const key of useless.filter(has)) yield document.badKey(["modules", name, key], complaint);
  }
}

/** Returns a mistake for shared bans without a database. */
export function* fleetMistakes(document: Document): Generator<Mistake> {
  const isShared = document.at(["fleet", "share_bans"]) === true;
  if (!isShared || document.at(["DB"]) !== undefined) return;
  yield document.badValue(["fleet", "share_bans"], "needs DB, the database that the servers share");
}

/** Returns mistakes for a wrong name, or missing keys, of a module of the user's own. */
function* ownModuleMistakes(document: Document, at: Path): Generator<Mistake> {
  const name = String(at.at(-1));
  const match = document.at([...at, "match"]);
  const isEmpty = typeof match === "object" && match !== null && Object.keys(match).length === 0;
  if (!/^[\w.-]{1,64}$/.test(name)) {
    yield document.badKey(at, "must be made of at most 64 letters, digits, ., - and _");
  }
  if (match === undefined || isEmpty) {
    yield document.badKey(at, "must say by match where its lines are found: identifier, unit or file");
  }
  if (document.at([...at, "rules"]) === undefined) yield document.badValue([...at, "rules"], "");
}

/**
 * Returns mistakes for rules without `str` and `status`, which every line would hit. Only modules
 * with a `pattern` may have them.
 */
function* conditionMistakes(document: Document, at: Path): Generator<Mistake> {
  const rules = document.at([...at, "rules"]);
  if (!Array.isArray(rules)) return;
  for (const [i, rule] of rules.entries()) {
    const isRule = typeof rule === "object" && rule !== null && !Array.isArray(rule);
    if (isRule && !("str" in rule) && !("status" in rule)) {
      yield document.badValue([...at, "rules", i, "str"], "");
    }
  }
}

function unknownModule(name: string, names: readonly string[]): string {
  const meant = nearest(name, names);
  return meant
    ? `is an unknown module, did you mean "${meant}"?`
    : `is an unknown module: known are ${names.join(", ")}, and any other needs a pattern`;
}

function* repeatedNames(document: Document, rules: Path): Generator<Mistake> {
  const seen = new Map<unknown, number>();
  const list = document.at(rules);
  if (!Array.isArray(list)) return;
  for (const [i, rule] of list.entries()) {
    const name = rule?.name;
    if (typeof name !== "string") continue;
    const before = seen.get(name);
    if (before === undefined) seen.set(name, i);
    else {
      const complaint = `must be unique in its module, yet rules[${before}] has it`;
      yield document.badValue([...rules, i, "name"], complaint);
    }
  }
}
