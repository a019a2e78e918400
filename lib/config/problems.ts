import type { z } from "zod";
import { type Module, UserError } from "../types.ts";
import type { Document, Path, Problem } from "./document.ts";
import { nearest } from "./suggest.ts";

type Issue = z.core.$ZodIssue;

/** At most this many problems are told at once. */
const MOST = 10;

/** @throws {UserError} code 78: a sentence for each of the first ten `problems`, one a line, in the text's order */
export function refuse(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const sorted = problems.toSorted((a, b) => a.offset - b.offset);
  const sentences = [...new Set(sorted.map((problem) => problem.sentence))];
  throw new UserError(sentences.slice(0, MOST).join("\n"), 78);
}

/** What the schema objects to, told where it stands in `document`. */
export function schemaProblems(document: Document, issues: readonly Issue[]): Problem[] {
  return issues.flatMap((issue) => problemsOf(document, issue, []));
}

function problemsOf(document: Document, issue: Issue, outer: Path): Problem[] {
  const path = [...outer, ...issue.path] as Path;
  if (issue.code === "unrecognized_keys") {
    const complaints = issue.message.split("\n");
    return issue.keys.map((key, i) => document.badKey([...path, key], complaints[i]!));
  }
  const meant = issue.code === "invalid_union" ? issue.errors.find(fitsInKind) : undefined;
  if (meant) return meant.flatMap((inner) => problemsOf(document, inner, path));
  return [document.badValue(path, issue.message)];
}

/** Whether a union's member was of the right kind and wrong only inside: then that is what was meant. */
function fitsInKind(issues: readonly Issue[]): boolean {
  return issues.length > 0 &&
    issues.every((issue) =>
      issue.path.length > 0 || !["invalid_type", "invalid_union", "invalid_value"].includes(issue.code)
    );
}

/** Modules that nobody knows, or none at all, and names that two rules of a module share. */
export function moduleProblems(document: Document, known: readonly Module[]): Problem[] {
  const modules = document.at(["modules"]);
  if (typeof modules !== "object" || modules === null || Array.isArray(modules)) return [];
  const given = Object.keys(modules);
  if (given.length === 0) return [document.badValue(["modules"], "must name at least one module")];
  const names = known.map((module) => module.name);
  return given.flatMap((name) =>
    names.includes(name)
      ? repeatedNames(document, ["modules", name, "rules"])
      : [document.badKey(["modules", name], unknownModule(name, names))]
  );
}

function unknownModule(name: string, names: readonly string[]): string {
  const meant = nearest(name, names);
  return meant
    ? `is an unknown module, did you mean "${meant}"?`
    : `is an unknown module: known are ${names.join(", ")}`;
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
