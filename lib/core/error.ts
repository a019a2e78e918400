/** An error that is the user's to mend, told in one sentence and without a stack trace. */
export class UserError extends Error {
  override readonly name = "UserError";
  /** @param code exit code: 64 usage, 69 service unavailable, 78 configuration (sysexits.h), 1 otherwise */
  constructor(message: string, readonly code: 1 | 64 | 69 | 78) {
    super(message);
  }
}

/** What a thrown value says about itself. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * What is to be shown of a thrown value: the sentence of a `UserError`, which is the user's to mend, and the stack of
 * anything else, which is a fault of the program.
 */
export function stackOf(error: unknown): string {
  if (error instanceof UserError || !(error instanceof Error)) return messageOf(error);
  const stack = error.stack ?? error.message;
  return error.cause === undefined ? stack : `${stack}\nCaused by: ${stackOf(error.cause)}`;
}
