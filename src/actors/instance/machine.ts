/**
 * The life of an instance.
 *
 *     starting ─► ready ─► lame ─► draining ─► stopped
 *         │                  │         │          ▲
 *         └──────────────────┴─────────┴──────────┘
 *
 * What its shape guarantees: `ready` is the only state in which the instance calls itself ready, and once
 * it has left there is no way back; so a load balancer that asks never finds a draining instance ready.
 */
import { assign, setup } from 'xstate';
import { actorOf, type Step, unprovided } from '../step.ts';

export type InstanceEvent =
  | { readonly type: 'instance.started' }
  | { readonly type: 'instance.failed'; readonly error: unknown }
  | { readonly type: 'stop.requested' }
  | { readonly type: 'workers.drained' };

export type InstanceSteps = {
  /** Everything up to accepting connections. */
  readonly start: Step<undefined, InstanceEvent>;
  /** Closes the listeners and waits for what is under way. */
  readonly drain: Step<undefined, InstanceEvent>;
};

export type InstancePlan = {
  /** Unready, but still accepting: the time that load balancers take to notice. */
  readonly lameDuckMs: number;
  /** After that, what is still under way is cut. */
  readonly graceMs: number;
};

export type InstanceContext = {
  readonly plan: InstancePlan;
  /** Why the instance did not start, or null. */
  readonly error: unknown;
  /** Whether everything under way was finished before the end. */
  readonly isClean: boolean;
};

export function instanceActors(steps: InstanceSteps) {
  return { start: actorOf(steps.start), drain: actorOf(steps.drain) };
}

export const instanceMachine = setup({
  types: {
    context: {} as InstanceContext,
    events: {} as InstanceEvent,
    input: {} as InstancePlan,
    output: {} as { isClean: boolean; error: unknown },
  },
  actors: instanceActors({ start: unprovided, drain: unprovided }),
  actions: {
    rememberError: assign({ error: (_, params: { error: unknown }) => params.error }),
    rememberUnclean: assign({ isClean: false }),
  },
  delays: {
    LAME_DUCK: ({ context }) => context.plan.lameDuckMs,
    GRACE: ({ context }) => context.plan.graceMs,
  },
}).createMachine({
  id: 'instance',
  context: ({ input }) => ({ plan: input, error: null, isClean: true }),
  output: ({ context }) => ({ isClean: context.isClean, error: context.error }),
  initial: 'starting',
  states: {
    starting: {
      description: 'Claims ports and starts workers; not ready yet.',
      invoke: {
        id: 'start',
        src: 'start',
        onError: { target: 'stopped', actions: { type: 'rememberError', params: ({ event }) => event } },
      },
      on: {
        'instance.started': { target: 'ready' },
        'instance.failed': {
          target: 'stopped',
          actions: { type: 'rememberError', params: ({ event }) => event },
        },
        'stop.requested': { target: 'stopped' },
      },
    },
    ready: {
      description: 'Serves, and says so.',
      on: { 'stop.requested': { target: 'lame' } },
    },
    lame: {
      description: 'Serves, but says that it will not for long.',
      on: { 'stop.requested': { target: 'stopped', actions: 'rememberUnclean' } },
      after: { LAME_DUCK: { target: 'draining' } },
    },
    draining: {
      description: 'Accepts no more, and finishes what is under way.',
      invoke: { id: 'drain', src: 'drain', onError: { target: 'stopped', actions: 'rememberUnclean' } },
      on: {
        'workers.drained': { target: 'stopped' },
        'stop.requested': { target: 'stopped', actions: 'rememberUnclean' },
      },
      after: { GRACE: { target: 'stopped', actions: 'rememberUnclean' } },
    },
    stopped: { type: 'final', description: 'Nothing is accepted or under way.' },
  },
});
