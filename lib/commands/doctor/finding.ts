import { messageOf, UserError } from "../../core/error.ts";

/** What `doctor` looks at, in this order. */
export type Subject =
  | "user"
  | "config"
  | "sandbox"
  | "files"
  | "journal"
  | "logs"
  | "service"
  | "firewall"
  | "unit"
  | "database"
  | "clock"
  | "state"
  | "monitor";

/** What one look found. */
export interface Finding {
  readonly subject: Subject;
  readonly result: "ok" | "warning" | "failure";
  /** One sentence without its full stop. */
  readonly text: string;
  /** What to do; null where nothing is to be done. */
  readonly remedy: string | null;
}

/** Makes a finding that asks for nothing. */
export function ok(subject: Subject, text: string): Finding {
  return { subject, result: "ok", text, remedy: null };
}

/** Makes a finding of what may be meant as it is. */
export function warning(subject: Subject, text: string, remedy: string | null = null): Finding {
  return { subject, result: "warning", text, remedy };
}

/** Makes a finding of what keeps something from working. */
export function failure(subject: Subject, text: string, remedy: string | null = null): Finding {
  return { subject, result: "failure", text, remedy };
}

/** What stands between a complaint and its remedies: a semicolon outside of quotes. */
const BEFORE_REMEDY = /; (?=(?:[^"\\]|\\.|"(?:[^"\\]|\\.)*")*$)/;

/** Divides a sentence into its complaint and the remedies that follow, each behind a semicolon. */
export function complaintOf(sentence: string): { complaint: string; remedies: readonly string[] } {
  const [complaint, ...remedies] = sentence.split(BEFORE_REMEDY);
  return { complaint: complaint!, remedies };
}

/** Makes a failure of a sentence with its remedies, where it has some. */
export function failureOf(subject: Subject, sentence: string): Finding {
  const { complaint, remedies } = complaintOf(sentence);
  return failure(subject, complaint, remedies.length > 0 ? remedies.join("; ") : null);
}

/** Makes a failure of each sentence of a thrown value. */
export function failuresOf(subject: Subject, error: unknown): Finding[] {
  const sentences = error instanceof UserError ? error.sentences : [messageOf(error)];
  return sentences.map((sentence) => failureOf(subject, sentence));
}
