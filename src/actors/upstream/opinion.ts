import { NO_OPINION, type Opinion } from '#core/agreement/opinion.ts';
import type { UpstreamContext } from './machine.ts';

/** What an instance says of an upstream to others, from the state of its machine (`ready.admitted`). */
export function opinionOf(state: string, { standing, reason }: UpstreamContext): Opinion {
  switch (state) {
    case 'ready.probing':
      return NO_OPINION;
    case 'ready.admitted':
    case 'ready.suspect':
      return { verdict: 'up', reason: '' };
    case 'ready.ejected.failing':
    case 'ready.ejected.banned':
      return { verdict: 'down', reason };
    default:
      // Out of service by an operator's word; checks may still say what they find.
      return { verdict: standing, reason: standing === 'down' ? reason : '' };
  }
}
