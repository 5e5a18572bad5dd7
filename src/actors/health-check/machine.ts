/**
 * The checks of one upstream by one instance.
 *
 *     resting ◄─► onDuty ┌────────────────────────────────────────────────────────┐
 *                        │ checking ┌───────────────────┐ ─► waiting ┌──────────┐ │
 *                        │          │ queued ─► probing │            │ settling │ │
 *                        │          │                   │ ◄── WAIT ──│ heedful  │ │
 *                        │          └───────────────────┘ ◄── hurry ─│ hurried  │ │
 *                        │                                           └──────────┘ │
 *                        └────────────────────────────────────────────────────────┘
 *
 * What its shape guarantees: the edges to `checking` come from `waiting`, which a probe has to end before; so
 * an upstream never has two probes of one instance at once, nor one right after the other, however many
 * requests fail.
 */
import { assign, setup } from 'xstate';
import type { HealthCheck } from '#core/health/check.ts';
import { waitMs } from '#core/health/pace.ts';
import { count, NEW_TALLY, type Outcome, type Tally } from '#core/health/tally.ts';
import type { Upstream } from '#core/table.ts';
import { actorOf, type Step, unprovided } from '../step.ts';

/** Between two probes of an upstream, unless the interval itself is shorter. */
export const SETTLE_MS = 50;

export type ProbeEvent =
  /** It was its turn among the probes that may be under way at once. */
  | { readonly type: 'probe.begun' }
  | { readonly type: 'probe.ended'; readonly outcome: Outcome; readonly tookMs: number }
  /** It could not be made, for a reason that says nothing of the upstream. */
  | { readonly type: 'probe.voided' };

export type HealthCheckEvent =
  | ProbeEvent
  /** From now on it is this instance that checks the upstream, or it is not any more. */
  | { readonly type: 'duty.given' }
  | { readonly type: 'duty.taken' }
  /** A request could not connect. */
  | { readonly type: 'connect.failed' };

export type CheckTarget = { readonly upstream: Upstream; readonly check: HealthCheck };

export type HealthCheckSteps = { readonly probe: Step<CheckTarget, ProbeEvent> };

export type HealthCheckInput = {
  readonly target: CheckTarget;
  /** 0…1: this check's place in the jitter. */
  readonly phase: number;
};

export type HealthCheckContext = HealthCheckInput & {
  readonly tally: Tally;
  /** Of the last probe. */
  readonly tookMs: number;
};

export function healthCheckActors(steps: HealthCheckSteps) {
  return { probe: actorOf(steps.probe) };
}

const tallied = (context: HealthCheckContext, outcome: Outcome) =>
  count(context.tally, outcome, context.target.check.thresholds);

export const healthCheckMachine = setup({
  types: {
    context: {} as HealthCheckContext,
    events: {} as HealthCheckEvent,
    input: {} as HealthCheckInput,
  },
  actors: healthCheckActors({ probe: unprovided }),
  actions: {
    countOutcome: assign(({ context }, { outcome, tookMs }: { outcome: Outcome; tookMs: number }) => ({
      tally: tallied(context, outcome),
      tookMs,
    })),
    countTimeout: assign(({ context }) => ({
      tally: tallied(context, { passed: false, reason: 'timeout' }),
      tookMs: context.target.check.pace.timeoutMs,
    })),
    forget: assign({ tally: NEW_TALLY }),
  },
  delays: {
    SETTLE: SETTLE_MS,
    TIMEOUT: ({ context }) => context.target.check.pace.timeoutMs,
    WAIT: ({ context: { tally, target, phase, tookMs } }) =>
      waitMs(tally, target.check.pace, target.check.thresholds, phase, tookMs),
  },
}).createMachine({
  id: 'healthCheck',
  context: ({ input }) => ({ ...input, tally: NEW_TALLY, tookMs: 0 }),
  initial: 'resting',
  states: {
    resting: {
      description: 'Others check this upstream, or nobody does: it is in maintenance.',
      on: { 'duty.given': { target: 'onDuty' } },
    },
    onDuty: {
      description: 'This instance checks it.',
      on: { 'duty.taken': { target: 'resting', actions: 'forget' } },
      initial: 'checking',
      states: {
        checking: {
          description: 'One probe, from asking for its turn to its end.',
          invoke: {
            id: 'probe',
            src: 'probe',
            input: ({ context }) => context.target,
            onError: { target: 'waiting' },
          },
          on: { 'probe.voided': { target: 'waiting' } },
          initial: 'queued',
          states: {
            queued: {
              description: 'As many probes as may be are under way.',
              on: { 'probe.begun': { target: 'probing' } },
            },
            probing: {
              description: 'Does it answer, in time and as expected?',
              on: {
                'probe.ended': {
                  target: '#healthCheck.onDuty.waiting',
                  actions: { type: 'countOutcome', params: ({ event }) => event },
                },
              },
              after: { TIMEOUT: { target: '#healthCheck.onDuty.waiting', actions: 'countTimeout' } },
            },
          },
        },
        waiting: {
          description: 'Until the next probe is due.',
          after: { WAIT: { target: 'checking' } },
          initial: 'settling',
          states: {
            settling: {
              description: 'The last probe is a moment ago.',
              on: { 'connect.failed': { target: 'hurried' } },
              after: { SETTLE: { target: 'heedful' } },
            },
            heedful: {
              description: 'If a request cannot connect, there is a probe at once.',
              on: { 'connect.failed': { target: '#healthCheck.onDuty.checking' } },
            },
            hurried: {
              description: 'A request could not connect, a moment after the last probe.',
              after: { SETTLE: { target: '#healthCheck.onDuty.checking' } },
            },
          },
        },
      },
    },
  },
});
