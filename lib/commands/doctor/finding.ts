import { messageOf, UserError } from "../../core/error.ts";
import { complaintOf } from "../common/words.ts";

/** Remedy for what only root or the monitor's user may do. */
export const AS_ROOT = "ask as root: sudo strongmonitor doctor";

/** Subjects that `doctor` examines, in order. */
export type DoctorSubject =
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

/** Result of one check. */
export interface Finding {
  readonly subject: DoctorSubject;
  readonly result: "ok" | "warning" | "failure";
  /** One sentence without its full stop. */
  readonly text: string;
  /** Remedy; null: nothing needs to be done. */
  readonly remedy: string | null;
}

/** Makes a finding without a problem. */
export function ok(subject: DoctorSubject, text: string): Finding {
  return { subject, result: "ok", text, remedy: null };
}

/** Makes a finding of something that may be intended. */
export function warning(subject: DoctorSubject, text: string, remedy: string | null = null): Finding {
  return { subject, result: "warning", text, remedy };
}

/** Makes a finding of something that prevents work. */
export function failure(subject: DoctorSubject, text: string, remedy: string | null = null): Finding {
  return { subject, result: "failure", text, remedy };
}

/** Makes a failure of a sentence, with its own remedies or, if it has none, `remedy`. */
export function failureOf(subject: DoctorSubject, sentence: string, remedy: string | null = null): Finding {
  const { complaint, remedies } = complaintOf(sentence);
  return failure(subject, complaint, remedies.length > 0 ? remedies.join("; ") : remedy);
}

/** Makes a failure of each sentence of a thrown error, as `failureOf()` does. */
export function failuresOf(subject: DoctorSubject, error: unknown, remedy: string | null = null): Finding[] {
  const sentences = error instanceof UserError ? error.sentences : [messageOf(error)];
  return sentences.map((sentence) => failureOf(subject, sentence, remedy));
}
