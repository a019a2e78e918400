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
