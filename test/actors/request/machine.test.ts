import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { initialTransition, transition } from 'xstate';
import { chartOf } from '#actors/chart.ts';
import type { Answer } from '#actors/request/answer.ts';
import type { Exchange } from '#actors/request/exchange.ts';
import { requestMachine } from '#actors/request/machine.ts';
import type { RequestEvent } from '#actors/request/steps.ts';
import type { Plan } from '#core/plan.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';

// Transitions are computed, not run: what the machine decides, without the steps that do the work.

const upstreams = ['red', 'blue', 'green'].map((name, slot) => sampleUpstream({ name, slot }));
const answer = { status: 200 } as Answer;

const PLAN: Plan = {
  receivesFirst: false,
  attemptsMax: 2,
  resendable: true,
  retryOnStatus: [503],
  attemptMs: 1000,
  requestMs: 5000,
};

type Path = { states: string[]; last: ReturnType<typeof start> };

function start(plan: Plan) {
  const [snapshot] = initialTransition(requestMachine, { exchange: { plan } as Exchange });
  return snapshot;
}

function walk(plan: Plan, events: readonly RequestEvent[]): Path {
  let last = start(plan);
  const states = [nameOf(last)];
  for (const event of events) {
    const before = last;
    [last] = transition(requestMachine, last, event);
    if (last !== before) states.push(nameOf(last));
  }
  return { states, last };
}

function nameOf({ value }: { value: unknown }): string {
  return typeof value === 'string'
    ? value
    : Object.entries(value as object)
        .flat()
        .join('.');
}

const proven: RequestEvent = { type: 'identity.proven', identity: null };
const passed: RequestEvent = { type: 'limit.passed' };
const received: RequestEvent = { type: 'body.received' };
const selected = (index: number): RequestEvent => ({
  type: 'upstream.selected',
  upstream: upstreams[index] ?? sampleUpstream(),
});
const failed = (written: boolean): RequestEvent => ({
  type: 'attempt.failed',
  failure: { upstream: 'red', cause: written ? 'upstream_closed' : 'upstream_unreachable', written },
});
const timedOut: RequestEvent = {
  type: 'attempt.failed',
  failure: { upstream: 'red', cause: 'upstream_timeout', written: true },
};
const queued: RequestEvent = { type: 'attempt.queued' };
const started: RequestEvent = { type: 'attempt.started' };
const requestTimeout = { type: 'xstate.after.REQUEST.request.seeking' } as unknown as RequestEvent;
const attemptTimeout = { type: 'xstate.after.ATTEMPT.request.seeking.forwarding' } as unknown as RequestEvent;
const answered = (status: number): RequestEvent => ({ type: 'attempt.answered', status, answer });
const weighed = (
  facts: { replayable?: boolean; affordable?: boolean; another?: boolean } = {},
): RequestEvent => ({
  type: 'failover.weighed',
  facts: { replayable: true, affordable: true, another: true, ...facts },
});
const toForwarding = [proven, passed, selected(0)];

const anyEvent: fc.Arbitrary<RequestEvent> = fc.oneof(
  fc.constant(proven),
  fc.constantFrom(passed, received),
  fc.nat(2).map(selected),
  fc.boolean().map(failed),
  fc.constantFrom(queued, started, timedOut, attemptTimeout),
  fc.constantFrom(200, 503).map(answered),
  fc.record({ replayable: fc.boolean(), affordable: fc.boolean(), another: fc.boolean() }).map(weighed),
  fc.constantFrom<RequestEvent>(
    { type: 'upstreams.exhausted' },
    { type: 'request.refused', refusal: { cause: 'rate_limited', retryAfterSeconds: 1 } },
    { type: 'response.finished' },
    { type: 'response.broken' },
    { type: 'client.left' },
  ),
);
const anyPlan = fc.record({
  receivesFirst: fc.boolean(),
  attemptsMax: fc.integer({ min: 1, max: 4 }),
  resendable: fc.boolean(),
  retryOnStatus: fc.constantFrom([], [503]),
  attemptMs: fc.constant(1000),
  requestMs: fc.constant(5000),
});

/** Whether any of the request may have been written, by what is told of its last attempt. */
function isWrittenAfter(event: RequestEvent, before: boolean): boolean {
  switch (event.type) {
    case 'attempt.queued':
      return false;
    case 'upstream.selected':
    case 'attempt.started':
    case 'attempt.answered':
      return true;
    case 'attempt.failed':
      return event.failure.written;
    default:
      return before;
  }
}

describe('the request machine', () => {
  it('serves a request that nothing stands in the way of', () => {
    const { states } = walk(PLAN, [...toForwarding, answered(200), { type: 'response.finished' }]);
    assert.deepEqual(states, [
      'seeking.authenticating',
      'seeking.limiting',
      'seeking.selecting',
      'seeking.forwarding',
      'responding',
      'responded',
    ]);
  });

  it('lets a first part of a body come before it asks for an upstream', () => {
    const plan = { ...PLAN, receivesFirst: true };
    const { states } = walk(plan, [proven, passed, received, selected(0)]);
    assert.deepEqual(states.slice(2), ['seeking.receiving', 'seeking.selecting', 'seeking.forwarding']);
  });

  it('blames the client when the time went to its body, and the upstream when one was asked', () => {
    const plan = { ...PLAN, receivesFirst: true };
    const waiting = walk(plan, [proven, passed, requestTimeout]);
    assert.equal(waiting.last.context.refusal.cause, 'request_timeout');
    const forwarding = walk(plan, [proven, passed, received, selected(0), requestTimeout]);
    assert.equal(forwarding.last.context.refusal.cause, 'upstream_timeout');
  });

  it('asks blue when red refuses the connection', () => {
    const { states, last } = walk(PLAN, [...toForwarding, failed(false), weighed(), selected(1)]);
    assert.equal(states.at(-1), 'seeking.forwarding');
    assert.deepEqual(
      last.context.tried.map(({ name }) => name),
      ['red', 'blue'],
    );
  });

  it('refuses with the last failure when no attempt is left', () => {
    const events = [...toForwarding, failed(false), weighed(), selected(1), failed(true), weighed()];
    const { states, last } = walk(PLAN, events);
    assert.equal(states.at(-1), 'refusing');
    assert.equal(last.context.refusal.cause, 'upstream_closed');
  });

  it('refuses with the failure, not with its lack of upstreams, when failover finds none', () => {
    const { last } = walk(PLAN, [...toForwarding, failed(false), weighed(), { type: 'upstreams.exhausted' }]);
    assert.equal(last.context.refusal.cause, 'upstream_unreachable');
  });

  it('refuses without an attempt when no upstream is admitted', () => {
    const { states, last } = walk(PLAN, [proven, passed, { type: 'upstreams.exhausted' }]);
    assert.equal(states.at(-1), 'refusing');
    assert.equal(last.context.refusal.cause, 'no_upstream');
  });

  it('does not send a POST again once any of it was written', () => {
    const plan = { ...PLAN, resendable: false };
    assert.equal(walk(plan, [...toForwarding, failed(true), weighed()]).states.at(-1), 'refusing');
    assert.equal(walk(plan, [...toForwarding, failed(false), weighed()]).states.at(-1), 'seeking.selecting');
    assert.equal(walk(plan, [...toForwarding, answered(503), weighed()]).states.at(-1), 'responding');
  });

  it('does not fail over when the body is gone or the budget is spent', () => {
    for (const facts of [{ replayable: false }, { affordable: false }]) {
      assert.equal(walk(PLAN, [...toForwarding, timedOut, weighed(facts)]).states.at(-1), 'refusing');
    }
  });

  it('needs no budget after attempts that cost their upstream nothing', () => {
    // A killed upstream failed more requests than a young instance had budget for, and GETs were lost.
    for (const written of [true, false]) {
      const { states } = walk(PLAN, [...toForwarding, failed(written), weighed({ affordable: false })]);
      assert.equal(states.at(-1), 'seeking.selecting');
    }
  });

  it('sends a POST elsewhere whose time was over before it had a connection', () => {
    // It was taken for written, and refused.
    const plan = { ...PLAN, resendable: false };
    const waiting = walk(plan, [...toForwarding, queued, attemptTimeout, weighed()]);
    assert.equal(waiting.states.at(-1), 'seeking.selecting');
    for (const sent of [[], [queued, started]]) {
      const { states, last } = walk(plan, [...toForwarding, ...sent, attemptTimeout, weighed()]);
      assert.equal(states.at(-1), 'refusing');
      assert.equal(last.context.refusal.cause, 'upstream_timeout');
    }
  });

  it('passes an answer on when the upstream that was to better it is gone', () => {
    const events = [...toForwarding, answered(503), weighed(), { type: 'upstreams.exhausted' } as const];
    assert.equal(walk(PLAN, events).states.at(-1), 'responding');
  });

  it('asks another upstream after a retry status, and passes the answer on where there is none', () => {
    const weighing = [...toForwarding, answered(503)];
    assert.equal(walk(PLAN, [...weighing, weighed()]).states.at(-1), 'seeking.selecting');
    assert.equal(walk(PLAN, [...weighing, weighed({ another: false })]).states.at(-1), 'responding');
    assert.equal(walk(PLAN, [...weighing, weighed({ affordable: false })]).states.at(-1), 'responding');
  });

  it('passes a retry status on when it was the last attempt', () => {
    const events = [...toForwarding, answered(503), weighed(), selected(1), answered(503), weighed()];
    assert.equal(walk(PLAN, events).states.at(-1), 'responding');
  });

  it('never selects again once it responds, whatever happens', () => {
    const property = fc.property(anyPlan, fc.array(anyEvent, { maxLength: 40 }), (plan, events) => {
      const { states } = walk(plan, events);
      const responding = states.indexOf('responding');
      assert.ok(responding === -1 || !states.slice(responding).some((name) => name.startsWith('seeking')));
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it('never tries more often than allowed, nor sends again what must not be', () => {
    const property = fc.property(anyPlan, fc.array(anyEvent, { maxLength: 40 }), (plan, events) => {
      let snapshot = start(plan);
      let wasWritten = false;
      for (const event of events) {
        const before = snapshot;
        [snapshot] = transition(requestMachine, snapshot, event);
        const isResent = snapshot.context.tried.length > before.context.tried.length;
        assert.ok(!isResent || !wasWritten || plan.resendable, 'sent again after it was written');
        if (before !== snapshot) wasWritten = isWrittenAfter(event, wasWritten);
      }
      assert.ok(snapshot.context.tried.length <= plan.attemptsMax);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it('ends when the client leaves, wherever it is', () => {
    const property = fc.property(anyPlan, fc.array(anyEvent, { maxLength: 20 }), (plan, events) => {
      const { last } = walk(plan, [...events, { type: 'client.left' }]);
      assert.equal(last.status, 'done');
    });
    fc.assert(property);
  });

  it('can be in each of its states', () => {
    const reached = new Set<string>();
    for (const events of fc.sample(fc.array(anyEvent, { minLength: 5, maxLength: 40 }), {
      seed: 1,
      numRuns: 4000,
    })) {
      for (const receivesFirst of [false, true])
        for (const name of walk({ ...PLAN, receivesFirst }, events).states) reached.add(name);
    }
    const { states, edges } = chartOf(requestMachine);
    // Nothing stays in a state that it may leave at once.
    const isPassing = (path: string) => edges.some(({ from, event }) => from === path && event === 'always');
    const atoms = states.filter(({ kind, path }) => kind !== 'compound' && !isPassing(path));
    assert.deepEqual([...reached].sort(), atoms.map(({ path }) => path).sort());
  });

  it('has an edge for every step that throws', () => {
    const { states, edges } = chartOf(requestMachine);
    for (const { path, kind } of states) {
      if (kind !== 'atomic' || path === 'seeking.concluding') continue;
      const throws = edges.filter(({ from, event }) => from === path && event === 'step threw');
      assert.equal(throws.length, 1, path);
    }
  });
});
