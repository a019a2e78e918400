/** An error that the user can mend. Shown as one or more sentences, without a stack. */
export class UserError extends Error {
  override readonly name = "UserError";
  /** Sentences, one for each mistake; each is shown on its own line. */
  readonly sentences: readonly string[];
  /** What helps against all of the mistakes, as the end of a sentence that is shown last; null: nothing that is known. */
  readonly advice: string | null;
  /** The sentences, and the advice as the last one. */
  readonly lines: readonly string[];

  /**
   * @param code exit code: 64 usage, 69 service unavailable, 78 configuration (sysexits.h), 1
   * otherwise
   */
  constructor(
    message: string | readonly string[],
    readonly code: 1 | 64 | 69 | 78,
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

/** EAGAIN, ENOMEM, ENFILE and EMFILE. */
const SHORTAGE = /\(os error (?:11|12|23|24)\)/;

/** Reports whether an error says that no process, memory or file descriptor is left for now: nobody has to mend that by hand. */
export function isShortage(error: unknown): boolean {
  return SHORTAGE.test(messageOf(error));
}

/** Returns the lines that are shown of a thrown value: what a sentence quotes begins no line. */
export function linesOf(error: unknown): readonly string[] {
  return error instanceof UserError ? error.lines : stackOf(error).split("\n");
}

/**
 * Returns the text that is shown of a thrown value: the sentence of a `UserError`, and message,
 * stack and causes of any other error, which is a fault of the program.
 */
export function stackOf(error: unknown): string {
  if (error instanceof UserError || !(error instanceof Error)) return messageOf(error);
  const stack = error.stack ?? error.message;
  return error.cause === undefined ? stack : `${stack}\nCaused by: ${stackOf(error.cause)}`;
}
