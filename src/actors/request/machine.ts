/**
 * The life of a request.
 *
 *     seeking ┌───────────────────────────────────────────────────────────────────────────────────┐
 *             │ authenticating ─► limiting ─► receiving ─► selecting ─► forwarding                │
 *             │                       │                     ▲   ▲          │ failed, or answered  │
 *             │                       └─── without body ────┘   │          ▼ with a retry status  │
 *             │                                                 └────── weighing ─► concluding    │
 *             └──┬───────────────────────┬───────────────────────┬────────────────────────────────┘
 *     answered   ▼            refused    ▼         client left   ▼
 *           responding               refusing                abandoned
 *            │      │                 │     │
 *            ▼      ▼                 ▼     ▼
 *      responded  truncated       refused  abandoned
 *
 * What its shape guarantees: `responding` is where the first byte goes to the client, and no edge leads
 * from there back to `selecting`; so nothing is retried once the client has seen a byte.
 */
import { assign, setup } from 'xstate';
import type { Refusal } from '#core/refusals.ts';
import type { Upstream } from '#core/table.ts';
import { requestActors, unprovidedSteps } from './actors.ts';
import type { Answer } from './answer.ts';
import type { Exchange } from './exchange.ts';
import {
  type AttemptFailure,
  costNothing,
  type FailoverFacts,
  type Identity,
  type LastAttempt,
  type RequestEvent,
} from './steps.ts';

export type RequestContext = {
  readonly exchange: Exchange;
  readonly identity: Identity | null;
  /** The upstreams that were tried, in order; the last one is being tried. */
  readonly tried: readonly Upstream[];
  readonly last: LastAttempt;
  readonly refusal: Refusal;
};

const INTERNAL: Refusal = { cause: 'internal' };

const NOBODY: readonly Upstream[] = [];
const NONE: LastAttempt = { kind: 'none' };
const QUEUED: LastAttempt = { kind: 'queued' };
const STARTED: LastAttempt = { kind: 'started' };

export const requestMachine = setup({
  types: {
    context: {} as RequestContext,
    events: {} as RequestEvent,
    input: {} as { exchange: Exchange },
  },
  actors: requestActors(unprovidedSteps),
  actions: {
    rememberIdentity: assign({ identity: (_, params: { identity: Identity | null }) => params.identity }),
    rememberUpstream: assign({
      tried: ({ context }, params: { upstream: Upstream }) => withOneMore(context.tried, params.upstream),
      last: STARTED,
    }),
    rememberQueue: assign({ last: QUEUED }),
    rememberStart: assign({ last: STARTED }),
    rememberFailure: assign({
      last: (_, { failure }: { failure: AttemptFailure }): LastAttempt => ({ kind: 'failed', failure }),
    }),
    rememberAnswer: assign({
      last: (_, { answer }: { answer: Answer }): LastAttempt => ({ kind: 'answered', answer }),
    }),
    rememberTimeout: assign({
      last: ({ context }): LastAttempt => ({ kind: 'failed', failure: timeoutOf(context) }),
    }),
    rememberRefusal: assign({ refusal: (_, params: { refusal: Refusal }) => params.refusal }),
    blameFailure: assign({
      refusal: ({ context: { last } }): Refusal => ({
        cause: last.kind === 'failed' ? last.failure.cause : 'no_upstream',
      }),
    }),
    blameTime: assign({
      refusal: ({ context }): Refusal => ({
        cause: hasAskedNobody(context) ? 'request_timeout' : 'upstream_timeout',
      }),
    }),
  },
  guards: {
    isBodyAwaited: ({ context }) => context.exchange.plan.receivesFirst,
    isRetryStatus: ({ context }, params: { status: number }) =>
      context.exchange.plan.retryOnStatus.includes(params.status),
    noAttemptIsLeft: ({ context }) => context.tried.length >= context.exchange.plan.attemptsMax,
    mustNotBeSentTwice: ({ context }) => wasWritten(context.last) && !context.exchange.plan.resendable,
    bodyIsGone: (_, facts: FailoverFacts) => !facts.replayable,
    budgetIsSpent: ({ context }, facts: FailoverFacts) => !facts.affordable && !costNothing(context.last),
    /** A failure may be mended by asking the same upstream again; an answer is as good as the next one. */
    nobodyElseIsLeft: ({ context }, facts: FailoverFacts) => hasAnswer(context) && !facts.another,
    hasAnswer: ({ context }) => hasAnswer(context),
  },
  delays: {
    ATTEMPT: ({ context }) => context.exchange.plan.attemptMs,
    REQUEST: ({ context }) => context.exchange.plan.requestMs,
  },
}).createMachine({
  id: 'request',
  context: ({ input }) => ({
    exchange: input.exchange,
    identity: null,
    tried: NOBODY,
    last: NONE,
    refusal: INTERNAL,
  }),
  initial: 'seeking',
  states: {
    seeking: {
      description: 'Nothing has been sent to the client yet.',
      initial: 'authenticating',
      on: {
        'request.refused': {
          target: 'refusing',
          actions: { type: 'rememberRefusal', params: ({ event }) => event },
        },
        'client.left': { target: 'abandoned' },
      },
      after: { REQUEST: { target: 'refusing', actions: 'blameTime' } },
      states: {
        authenticating: {
          description: 'Who is asking?',
          invoke: {
            id: 'authenticate',
            src: 'authenticate',
            input: ({ context }) => context,
            onError: { target: '#request.refusing' },
          },
          on: {
            'identity.proven': {
              target: 'limiting',
              actions: { type: 'rememberIdentity', params: ({ event }) => event },
            },
          },
        },
        limiting: {
          description: 'May this client ask again already?',
          invoke: {
            id: 'limit',
            src: 'limit',
            input: ({ context }) => context,
            onError: { target: '#request.refusing' },
          },
          on: { 'limit.passed': [{ guard: 'isBodyAwaited', target: 'receiving' }, { target: 'selecting' }] },
        },
        receiving: {
          description: 'A first part of the body comes, so that a slow client holds no upstream.',
          invoke: {
            id: 'receive',
            src: 'receive',
            input: ({ context }) => context,
            onError: { target: '#request.refusing' },
          },
          on: { 'body.received': { target: 'selecting' } },
        },
        selecting: {
          description: 'Which admitted upstream, not tried yet, gets it, as soon as one has room?',
          invoke: {
            id: 'select',
            src: 'select',
            input: ({ context }) => context,
            onError: { target: '#request.refusing' },
          },
          on: {
            'upstream.selected': {
              target: 'forwarding',
              actions: { type: 'rememberUpstream', params: ({ event }) => event },
            },
            'upstreams.exhausted': { target: 'concluding' },
          },
        },
        forwarding: {
          description: 'One attempt at one upstream, up to the head of its answer.',
          invoke: {
            id: 'forward',
            src: 'forward',
            input: ({ context }) => ({
              exchange: context.exchange,
              identity: context.identity,
              upstream: context.tried.at(-1) as Upstream,
            }),
            onError: { target: '#request.refusing' },
          },
          on: {
            'attempt.queued': { actions: 'rememberQueue' },
            'attempt.started': { actions: 'rememberStart' },
            'attempt.answered': [
              {
                guard: { type: 'isRetryStatus', params: ({ event }) => event },
                target: 'weighing',
                actions: { type: 'rememberAnswer', params: ({ event }) => event },
              },
              {
                target: '#request.responding',
                actions: { type: 'rememberAnswer', params: ({ event }) => event },
              },
            ],
            'attempt.failed': {
              target: 'weighing',
              actions: { type: 'rememberFailure', params: ({ event }) => event },
            },
          },
          after: { ATTEMPT: { target: 'weighing', actions: 'rememberTimeout' } },
        },
        weighing: {
          description: 'Is another attempt allowed, and could it be paid for?',
          invoke: {
            id: 'weigh',
            src: 'weigh',
            input: ({ context }) => context,
            onError: { target: '#request.refusing' },
          },
          on: {
            'failover.weighed': [
              { guard: 'noAttemptIsLeft', target: 'concluding' },
              { guard: 'mustNotBeSentTwice', target: 'concluding' },
              { guard: { type: 'bodyIsGone', params: ({ event }) => event.facts }, target: 'concluding' },
              { guard: { type: 'budgetIsSpent', params: ({ event }) => event.facts }, target: 'concluding' },
              {
                guard: { type: 'nobodyElseIsLeft', params: ({ event }) => event.facts },
                target: 'concluding',
              },
              { target: 'selecting' },
            ],
          },
        },
        concluding: {
          description: 'There is no other attempt: what did the last one end with?',
          always: [
            { guard: 'hasAnswer', target: '#request.responding' },
            { target: '#request.refusing', actions: 'blameFailure' },
          ],
        },
      },
    },
    responding: {
      description: 'The answer goes to the client; from here on there is no way back.',
      invoke: {
        id: 'respond',
        src: 'respond',
        input: ({ context }) => ({ exchange: context.exchange, answer: answerOf(context) }),
        onError: { target: 'truncated' },
      },
      on: {
        'response.finished': { target: 'responded' },
        'response.broken': { target: 'truncated' },
        'client.left': { target: 'truncated' },
      },
    },
    refusing: {
      description: 'Signalbox answers by itself.',
      invoke: {
        id: 'refuse',
        src: 'refuse',
        input: ({ context }) => context,
        onError: { target: 'abandoned' },
      },
      on: {
        'response.finished': { target: 'refused' },
        'response.broken': { target: 'abandoned' },
        'client.left': { target: 'abandoned' },
      },
    },
    responded: { type: 'final', description: 'Every byte of the answer was sent.' },
    refused: { type: 'final', description: 'The refusal was sent.' },
    truncated: { type: 'final', description: 'The answer broke off, visibly for the client.' },
    abandoned: { type: 'final', description: 'The client left before it was answered.' },
  },
});

/** The time went to a body that had to come first. */
function hasAskedNobody({ tried, exchange }: RequestContext): boolean {
  return tried.length === 0 && exchange.plan.receivesFirst;
}

/** To spread an empty list costs 250 instructions, and mostly there is no other. */
function withOneMore(tried: readonly Upstream[], upstream: Upstream): readonly Upstream[] {
  return tried.length === 0 ? [upstream] : [...tried, upstream];
}

function hasAnswer({ last }: RequestContext): boolean {
  return last.kind === 'answered';
}

function answerOf({ last }: RequestContext): Answer {
  if (last.kind !== 'answered') throw new Error('There is no answer to respond with.');
  return last.answer;
}

function wasWritten(last: LastAttempt): boolean {
  return last.kind === 'failed' ? last.failure.written : last.kind === 'started' || last.kind === 'answered';
}

function timeoutOf({ tried, last }: RequestContext): AttemptFailure {
  return { upstream: tried.at(-1)?.name ?? '', cause: 'upstream_timeout', written: wasWritten(last) };
}
