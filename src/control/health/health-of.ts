import type { Agreement } from '#core/agreement/agreement.ts';
import type { Opinion } from '#core/agreement/opinion.ts';
import type { OpinionView, UpstreamHealth } from '#core/health-view.ts';

/** What `instance` knows of an upstream: the verdict, and the opinions that it follows from, its own first. */
export function healthOf(
  agreement: Agreement,
  instance: string,
  upstream: string,
  nowMs: number,
): UpstreamHealth {
  const own = agreement.own(upstream);
  const opinions = [
    ...(own === undefined ? [] : viewOf(instance, own, 0)),
    ...agreement
      .votes(upstream)
      .flatMap(({ instance, opinion, heardMs }) => viewOf(instance, opinion, nowMs - heardMs)),
  ];
  return { verdict: agreement.verdict(upstream), opinions };
}

/** Who has no opinion is not shown. */
function viewOf(instance: string, { verdict, reason }: Opinion, ageMs: number): OpinionView[] {
  return verdict === 'unknown' ? [] : [{ instance, verdict, reason, ageMs }];
}
