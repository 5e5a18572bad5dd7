import type { Word } from '#core/agreement/agreement.ts';
import type { Introduction } from '#core/agreement/members.ts';
import type { Opinion } from '#core/agreement/opinion.ts';

export const UP: Opinion = { verdict: 'up', reason: '' };
export const DOWN: Opinion = { verdict: 'down', reason: 'connection refused' };
export const UNKNOWN: Opinion = { verdict: 'unknown', reason: '' };

export const INTRODUCTION: Introduction = { version: '1.0.0', revision: 1, checksum: 'abc', watchAgeMs: 0 };

/** What `from` says with its message of that number. */
export function wordOf(
  from: string,
  sequence: number,
  opinions: Readonly<Record<string, Opinion>> = {},
  changes: Partial<Omit<Word, 'stamp'>> & { readonly incarnation?: number } = {},
): Word {
  const { incarnation = 1, ...others } = changes;
  const stamp = { incarnation, sequence };
  const said = Object.entries(opinions);
  return { from, stamp, introduction: INTRODUCTION, isLeaving: false, opinions: said, ...others };
}
