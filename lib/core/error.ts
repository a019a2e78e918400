/** An error that the user can mend. It is shown as one sentence, without a stack. */
export class UserError extends Error {
  override readonly name = "UserError";
  /**
   * @param code exit code: 64 usage, 69 service unavailable, 78 configuration (sysexits.h), 1
   * otherwise
   */
  constructor(message: string, readonly code: 1 | 64 | 69 | 78) {
    super(message);
  }
}

/** Returns the message of a thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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
