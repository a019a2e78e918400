import type * as z from "zod";
import type { ModuleKind } from "../reading/module.ts";
import { UserError } from "../core/error.ts";
import type { Document, Path, Problem } from "./document.ts";
import { nearest } from "./suggest.ts";

type Issue = z.core.$ZodIssue;

/** Throws `UserError` (78) with a sentence for each problem in the text's order, if any. */
export function refuse(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const sorted = problems.toSorted((a, b) => a.offset - b.offset);
  const sentences = [...new Set(sorted.map((problem) => problem.sentence))];
  throw new UserError(sentences, 78);
}

/** Turns an issue of the schema into problems with positions in `document`. */
export function schemaProblems(document: Document, issue: Issue, outer: Path = []): Problem[] {
  const path = [...outer, ...issue.path] as Path;
  if (issue.code === "unrecognized_keys") {
    const complaints = issue.message.split("\n");
    return issue.keys.map((key, i) => document.badKey([...path, key], complaints[i]!));
  }
  const meant = issue.code === "invalid_union" ? issue.errors.find(fitsInKind) : undefined;
  if (meant) return meant.flatMap((inner) => schemaProblems(document, inner, path));
  return [document.badValue(path, issue.message)];
}

/**
 * Reports whether a member of a union was meant: it has the right type and is wrong only inside.
 */
function fitsInKind(issues: readonly Issue[]): boolean {
  return issues.length > 0 &&
    issues.every((issue) =>
      issue.path.length > 0 || !["invalid_type", "invalid_union", "invalid_value"].includes(issue.code)
    );
}

/**
 * Returns problems for unknown modules, missing keys of modules, rule names used twice, and a
 * configuration without modules.
 */
export function moduleProblems(document: Document, known: readonly ModuleKind[]): Problem[] {
  const modules = document.at(["modules"]);
  if (typeof modules !== "object" || modules === null || Array.isArray(modules)) return [];
  const given = Object.keys(modules);
  if (given.length === 0) return [document.badValue(["modules"], "must name at least one module")];
  const names = known.map((kind) => kind.name).filter((name) => name !== "");
  return given.flatMap((name) => {
    const at = ["modules", name];
    const own = !names.includes(name);
    if (own && document.at([...at, "pattern"]) === undefined) {
      return [document.badKey(at, unknownModule(name, names))];
    }
    return [
      ...(own ? ownModuleProblems(document, at) : conditionProblems(document, at)),
      ...repeatedNames(document, [...at, "rules"]),
    ];
  });
}

/** Returns problems for a firewall and commands that exclude each other. */
export function firewallProblems(document: Document): Problem[] {
  return [...outerFirewallProblems(document), ...moduleFirewallProblems(document)];
}

function outerFirewallProblems(document: Document): Problem[] {
  const firewall = document.at(["firewall"]);
  const hasCommand = document.at(["ban_command"]) !== undefined;
  if (firewall === "command" && !hasCommand) return [document.badValue(["firewall"], "needs a ban_command")];
  if (firewall !== "nftables") return [];
  return ["ban_command", "unban_command"].filter((key) => document.at([key]) !== undefined).map((key) =>
    document.badKey([key], 'has no use with "firewall": "nftables": leave one of them out')
  );
}

/** Returns problems for modules' keys without use beside, or without, a `ban_command` of theirs. */
function moduleFirewallProblems(document: Document): Problem[] {
  return Object.keys(Object(document.at(["modules"]))).flatMap((name) => {
    const has = (key: string) => document.at(["modules", name, key]) !== undefined;
    const complain = (key: string, complaint: string) =>
      has(key) ? [document.badKey(["modules", name, key], complaint)] : [];
    if (!has("ban_command")) {
      return ["unban_command", "ban_timeout", "ban_concurrency"].flatMap((key) =>
        complain(key, "needs a ban_command in this module")
      );
    }
    return ["ports", "protocol"].flatMap((key) =>
      complain(key, "has no use beside the module's own ban_command, which gets the address alone")
    );
  });
}

/** Returns a problem for shared bans without a database. */
export function fleetProblems(document: Document): Problem[] {
  const isShared = document.at(["fleet", "share_bans"]) === true;
  return isShared && document.at(["DB"]) === undefined
    ? [document.badValue(["fleet", "share_bans"], "needs DB, the database that the servers share")]
    : [];
}

/** Returns problems for a wrong name, or missing keys, of a module of the user's own. */
function ownModuleProblems(document: Document, at: Path): Problem[] {
  const name = String(at.at(-1));
  const match = document.at([...at, "match"]);
  const isEmpty = typeof match === "object" && match !== null && Object.keys(match).length === 0;
  return [
    ...(/^[\w.-]{1,64}$/.test(name)
      ? []
      : [document.badKey(at, "must be made of at most 64 letters, digits, ., - and _")]),
    ...(match === undefined || isEmpty
      ? [document.badKey(at, "must say by match where its lines are found: identifier, unit or file")]
      : []),
    ...(document.at([...at, "rules"]) === undefined ? [document.badValue([...at, "rules"], "")] : []),
  ];
}

/**
 * Returns problems for rules without `str` and `status`, which every line would hit. Only modules
 * with a `pattern` may have them.
 */
function conditionProblems(document: Document, at: Path): Problem[] {
  const rules = document.at([...at, "rules"]);
  if (!Array.isArray(rules)) return [];
  return rules.flatMap((rule, i) => {
    const isRule = typeof rule === "object" && rule !== null && !Array.isArray(rule);
    return !isRule || "str" in rule || "status" in rule
      ? []
      : [document.badValue([...at, "rules", i, "str"], "")];
  });
}

function unknownModule(name: string, names: readonly string[]): string {
  const meant = nearest(name, names);
  return meant
    ? `is an unknown module, did you mean "${meant}"?`
    : `is an unknown module: known are ${names.join(", ")}, and any other needs a pattern`;
}

function repeatedNames(document: Document, rules: Path): Problem[] {
  const seen = new Map<unknown, number>();
  const list = document.at(rules);
  if (!Array.isArray(list)) return [];
  return list.flatMap((rule, i) => {
    const name = rule?.name;
    if (typeof name !== "string") return [];
    const before = seen.get(name);
    seen.set(name, before ?? i);
    if (before === undefined) return [];
    return [
      document.badValue([...rules, i, "name"], `must be unique in its module, yet rules[${before}] has it`),
    ];
  });
}
