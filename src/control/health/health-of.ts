import type { Opinion } from '#core/agreement/opinion.ts';
import type { Vote } from '#core/agreement/opinions.ts';
import { verdictOf } from '#core/agreement/verdict.ts';
import type { OpinionView, UpstreamHealth } from '#core/health-view.ts';

/** What `instance` shows of an upstream: the opinions that it knows, its own first, and what follows from them. */
export function healthOf({
  instance,
  own,
  votes,
  nowMs,
}: {
  readonly instance: string;
  readonly own: Opinion;
  readonly votes: readonly Vote[];
  readonly nowMs: number;
}): UpstreamHealth {
  const opinions = [
    ...viewOf(instance, own, 0),
    ...votes.flatMap(({ instance, opinion, heardMs }) => viewOf(instance, opinion, nowMs - heardMs)),
  ];
  return { verdict: verdictOf(opinions.map(({ verdict }) => verdict)), opinions };
}

/** Who has no opinion is not shown. */
function viewOf(instance: string, { verdict, reason }: Opinion, ageMs: number): OpinionView[] {
  return verdict === 'unknown' ? [] : [{ instance, verdict, reason, ageMs }];
}
