/** An error that the user can mend. It is shown as one or more sentences, without a stack. */
export class UserError extends Error {
  override readonly name = "UserError";
  /** Sentences, one for each mistake; each is shown on its own line. */
  readonly sentences: readonly string[];
  /** Remedy for all mistakes: the end of a sentence, which is shown last; null: none known. */
  readonly advice: string | null;
  /** The sentences, and the advice as the last one. */
  readonly lines: readonly string[];

  /**
   * @param code exit code: 64 usage, 66 file of the arguments unreadable, 69 service unavailable,
   * 77 not permitted to this program, 78 configuration (sysexits.h), 1 otherwise
   */
  constructor(
    message: string | readonly string[],
    readonly code: 1 | 64 | 66 | 69 | 77 | 78,
    { advice = null }: { advice?: string | null } = {},
  ) {
    const sentences = typeof message === "string" ? [message] : message;
    const lines = advice === null ? sentences : [...sentences, `Or ${advice}`];
    super(lines.join("\n"));
    this.sentences = sentences;
    this.advice = advice;
    this.lines = lines;
  }
}

/** Returns the message of a thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Returns the first line of the message of a thrown value. */
export function firstLineOf(error: unknown): string {
  return messageOf(error).split("\n", 1)[0]!;
}

/** Returns the result of `work`; null: it threw an error, which nobody needs to know. */
export function tried<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}

/** EAGAIN, ENOMEM, ENFILE and EMFILE. */
const SHORTAGE = /\(os error (?:11|12|23|24)\)/;

/** Reports whether processes, memory or file descriptors have run out for now. */
export function isShortage(error: unknown): boolean {
  return SHORTAGE.test(messageOf(error));
}

/** Returns the lines to show for a thrown value; line breaks within a sentence begin no line. */
export function linesOf(error: unknown): readonly string[] {
  return error instanceof UserError ? error.lines : stackOf(error).split("\n");
}

/**
 * Returns the text to show for a thrown value: the sentence of a `UserError`; message, stack and
 * causes of any other error, which is a fault of the program.
 */
export function stackOf(error: unknown): string {
  if (error instanceof UserError || !(error instanceof Error)) return messageOf(error);
  const stack = error.stack ?? error.message;
  return error.cause === undefined ? stack : `${stack}\nCaused by: ${stackOf(error.cause)}`;
}
