/** Who would have to act for the problem to go away. */
export type Blame = 'client' | 'upstream' | 'signalbox' | 'operator';

/** The one base of errors that Signalbox raises itself. `code` is stable; messages are for people. */
export class SignalboxError extends Error {
  readonly code: string;
  readonly blame: Blame;

  constructor(code: string, blame: Blame, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SignalboxError';
    this.code = code;
    this.blame = blame;
  }
}

/** The `code` of a system or library error, or '' when it has none. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** What a thrown value says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
