import type { Clock } from '#core/clock.ts';
import type { Local, LocalAnswer } from './local.ts';

/** How long a page is shown that may have changed: far less than clients keep it. */
export const KEEP_MS = 1_000;

/** A page that is the same for everybody: however many ask for it, it is asked for once a second. */
export function keptPage(page: Local, clock: Clock): Local {
  let kept: { readonly answer: LocalAnswer; readonly untilMs: number } | null = null;
  let waiting: ((answer: LocalAnswer) => void)[] = [];
  return {
    ...page,
    answer(request, tell) {
      if (kept !== null && clock.monotonicMs() < kept.untilMs) return tell(kept.answer);
      waiting.push(tell);
      if (waiting.length > 1) return;
      page.answer(request, (answer) => {
        // A refusal is for those who have waited; the next one asks anew.
        const isPage = typeof answer !== 'string' && 'status' in answer;
        kept = isPage ? { answer, untilMs: clock.monotonicMs() + KEEP_MS } : null;
        const told = waiting;
        waiting = [];
        for (const tellOne of told) tellOne(answer);
      });
    },
  };
}
