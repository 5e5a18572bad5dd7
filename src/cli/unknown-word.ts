import { printable } from '#config/diagnostics.ts';
import { didYouMean } from '#config/suggest.ts';
import type { SignalboxError } from '#core/errors.ts';
import { usageError } from './exit.ts';

/** For a word that is none of `known`: names the nearest one, or else says what `otherwise` says. */
export function unknownWord(
  kind: string,
  typed: string,
  known: readonly string[],
  otherwise: string,
): SignalboxError {
  const hint = didYouMean(typed, known) || `; ${otherwise}`;
  return usageError(`there is no ${kind} \`${printable(typed)}\`${hint}`);
}
