/**
 * One upstream, as one instance sees it.
 *
 *     ready ┌──────────────────────────────────────────────────────────────────┐
 *           │ probing ─► admitted ◄─► suspect ─► ejected ┌───────────────────┐ │
 *           │    ▲          ▲                            │ failing ◄─ banned │ │
 *           │    │          └──── checks pass ───────────│            │      │ │
 *           │    └──────────────────────────────── after │ TERM ──────┘      │ │
 *           │                                            └───────────────────┘ │
 *           └──────┬────────────────────────────────────────────────────────▲──┘
 *                  └── an operator asks ──► draining ◄─► maintenance ── ready.asked
 *     removed, from anywhere
 *
 * What its shape guarantees: `ready.asked` is the only edge from `draining` and `maintenance` back to `ready`;
 * so no check, request or time brings an upstream back that an operator took out.
 */
import { assign, setup } from 'xstate';
import type { Ejection } from '#core/health/check.ts';

export type UpstreamEvent =
  | { readonly type: 'check.passed' }
  /** A probe failed, fewer in a row than it takes. */
  | { readonly type: 'check.wavered'; readonly reason: string }
  | { readonly type: 'check.failed'; readonly reason: string }
  /** This instance does not check it any more, and what it knew grows old. */
  | { readonly type: 'check.ended' }
  /** As many requests in a row have failed as the pool takes; `mayEject` says whether it can spare one more. */
  | { readonly type: 'requests.failed'; readonly reason: string; readonly mayEject: boolean }
  | { readonly type: 'ready.asked' }
  | { readonly type: 'drain.asked' }
  | { readonly type: 'maintenance.asked' }
  /** It is no longer among the instance's upstreams. */
  | { readonly type: 'upstream.removed' };

/** What checks say; without checks it is `up` for ever. */
export type UpstreamStanding = 'unknown' | 'up' | 'down';

export type UpstreamInput = { readonly ejection: Ejection; readonly isChecked: boolean };

export type UpstreamContext = {
  readonly ejection: Ejection;
  readonly standing: UpstreamStanding;
  /** Why it is not in order; empty while it is. */
  readonly reason: string;
  /** Bans that are not forgotten yet: the next one is longer by as many. */
  readonly bans: number;
};

export const upstreamMachine = setup({
  types: {
    context: {} as UpstreamContext,
    events: {} as UpstreamEvent,
    input: {} as UpstreamInput,
  },
  actions: {
    notePass: assign({ standing: 'up', reason: '' }),
    noteWaver: assign({ reason: (_, params: { reason: string }) => params.reason }),
    noteFailure: assign({ standing: 'down', reason: (_, params: { reason: string }) => params.reason }),
    /** Leaves the reason of a ban as it is. */
    noteStanding: assign((_, params: { standing: UpstreamStanding }) => params),
    noteIgnorance: assign({ standing: 'unknown', reason: '' }),
    noteBan: assign({
      bans: ({ context }) => context.bans + 1,
      reason: (_, params: { reason: string }) => params.reason,
    }),
    forgetReason: assign({ reason: '' }),
    forgetBan: assign({ bans: ({ context }) => context.bans - 1 }),
  },
  guards: {
    isPassing: ({ context }) => context.standing === 'up',
    isFailing: ({ context }) => context.standing === 'down',
    mayEject: (_, params: { mayEject: boolean }) => params.mayEject,
    hasBans: ({ context }) => context.bans > 0,
  },
  delays: {
    TERM: ({ context: { ejection, bans } }) => Math.min(ejection.maxMs, ejection.baseMs * bans),
    PROBATION: ({ context }) => context.ejection.baseMs,
  },
}).createMachine({
  id: 'upstream',
  context: ({ input: { ejection, isChecked } }) => ({
    ejection,
    standing: isChecked ? 'unknown' : 'up',
    reason: '',
    bans: 0,
  }),
  initial: 'ready',
  on: {
    'check.passed': { actions: 'notePass' },
    'check.failed': { actions: { type: 'noteFailure', params: ({ event }) => event } },
    'check.ended': { actions: 'noteIgnorance' },
  },
  states: {
    ready: {
      description: 'It may serve, if it is in order.',
      on: {
        'check.ended': { target: '.probing', actions: 'noteIgnorance' },
        'requests.failed': {
          guard: { type: 'mayEject', params: ({ event }) => event },
          target: '.ejected.banned',
          actions: { type: 'noteBan', params: ({ event }) => event },
        },
        'drain.asked': { target: 'draining' },
        'maintenance.asked': { target: 'maintenance' },
        'upstream.removed': { target: 'removed' },
      },
      initial: 'probing',
      states: {
        probing: {
          description: 'This instance has no opinion of it; it serves if others say so.',
          always: [
            { guard: 'isPassing', target: 'admitted' },
            { guard: 'isFailing', target: 'ejected' },
          ],
        },
        admitted: {
          description: 'All is well.',
          on: {
            'check.wavered': {
              target: 'suspect',
              actions: { type: 'noteWaver', params: ({ event }) => event },
            },
            'check.failed': {
              target: 'ejected',
              actions: { type: 'noteFailure', params: ({ event }) => event },
            },
          },
          after: {
            PROBATION: { guard: 'hasBans', target: 'admitted', reenter: true, actions: 'forgetBan' },
          },
        },
        suspect: {
          description: 'Probes fail, but fewer in a row than it takes; it serves.',
          on: {
            'check.passed': { target: 'admitted', actions: 'notePass' },
            'check.failed': {
              target: 'ejected',
              actions: { type: 'noteFailure', params: ({ event }) => event },
            },
          },
        },
        ejected: {
          description: 'It does not serve.',
          on: { 'requests.failed': {} },
          initial: 'failing',
          states: {
            failing: {
              description: 'Probes fail; it is back when they pass.',
              on: { 'check.passed': { target: '#upstream.ready.admitted', actions: 'notePass' } },
            },
            banned: {
              description:
                'Requests failed too often in a row; it is back after a time that grows with each ban.',
              on: {
                'check.failed': {
                  target: 'failing',
                  actions: { type: 'noteFailure', params: ({ event }) => event },
                },
                'check.passed': { actions: { type: 'noteStanding', params: { standing: 'up' } } },
                'check.ended': { actions: { type: 'noteStanding', params: { standing: 'unknown' } } },
              },
              after: { TERM: { target: '#upstream.ready.probing', actions: 'forgetReason' } },
            },
          },
        },
      },
    },
    draining: {
      description: 'An operator asked that it gets no new requests; it is still checked.',
      on: {
        'ready.asked': { target: 'ready' },
        'maintenance.asked': { target: 'maintenance' },
        'upstream.removed': { target: 'removed' },
      },
    },
    maintenance: {
      description: 'An operator took it out of service; it is not checked.',
      on: {
        'ready.asked': { target: 'ready' },
        'drain.asked': { target: 'draining' },
        'upstream.removed': { target: 'removed' },
      },
    },
    removed: { type: 'final', description: 'It is no longer among the upstreams.' },
  },
});
