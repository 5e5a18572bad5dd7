import { closestMatch } from 'leven';

/** Longer texts are no typing mistakes. */
const TYPED_LENGTH_MAX = 64;

/** `; did you mean `x`?`, or nothing when no candidate is near what was typed. */
export function didYouMean(typed: string, candidates: readonly string[]): string {
  const meant = nearest(typed, candidates);
  return meant === undefined ? '' : `; did you mean \`${meant}\`?`;
}

function nearest(typed: string, candidates: readonly string[]): string | undefined {
  if (typed.length > TYPED_LENGTH_MAX) return undefined;
  const plain = fold(typed);
  const swapped = candidates.find((candidate) => sorted(fold(candidate)) === sorted(plain));
  if (swapped !== undefined) return swapped;
  // One slip for every three characters: nearer than that is likely meant, farther is likely not.
  const maxDistance = Math.max(1, Math.floor(plain.length / 3));
  const meant = closestMatch(plain, candidates.map(fold), { maxDistance });
  return candidates.find((candidate) => fold(candidate) === meant);
}

/** Equal for words whose letters are only in another order, such as `prot` and `port`. */
function sorted(word: string): string {
  return [...word].sort().join('');
}

/** `Least-Conn`, `leastConn` and `least_conn` are one word. */
function fold(text: string): string {
  return text.replaceAll(/[-_ ]/g, '').toLowerCase();
}
