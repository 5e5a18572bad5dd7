import { SignalboxError } from '#core/errors.ts';

/** Exit codes; those above 1 as in sysexits.h. */
export const EXIT = {
  ok: 0,
  /** The instance ended before what was under way had finished. */
  unclean: 1,
  /** The command line makes no sense. */
  usage: 64,
  /** Something that is needed is not to be had: a port, a running instance. */
  unavailable: 69,
  /** A mistake in Signalbox. */
  software: 70,
  /** A configuration that cannot be used. */
  config: 78,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command line that makes no sense. */
export function usageError(message: string): SignalboxError {
  return new SignalboxError('usage', 'operator', message);
}

/** Something that a command needs and does not find. */
export function unavailableError(message: string, cause?: unknown): SignalboxError {
  return new SignalboxError('unavailable', 'operator', message, { cause });
}

export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof SignalboxError)) return EXIT.software;
  if (error.code === 'usage') return EXIT.usage;
  if (error.blame === 'signalbox') return EXIT.software;
  return error.code === 'config_invalid' ? EXIT.config : EXIT.unavailable;
}
