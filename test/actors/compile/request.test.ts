import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { requestActors } from '#actors/request/actors.ts';
import type { Answer } from '#actors/request/answer.ts';
import { requestMachine } from '#actors/request/machine.ts';
import type { RequestEvent, RequestSteps } from '#actors/request/steps.ts';
import type { Listener } from '#actors/step.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { compiled, interpreted, type Journal, type Runtime } from './runtimes.ts';

const RUNS = 3000;

const answer = { status: 200 } as Answer;

const anyOutcome: Record<keyof RequestSteps, fc.Arbitrary<RequestEvent>> = {
  authenticate: fc.constantFrom<RequestEvent>(
    { type: 'identity.proven', identity: null },
    { type: 'identity.proven', identity: { key: 'u', user: 'u', apiKeyDigest: null } },
    { type: 'request.refused', refusal: { cause: 'rate_limited', retryAfterSeconds: 1 } },
  ),
  limit: fc.constantFrom<RequestEvent>(
    { type: 'limit.passed' },
    { type: 'limit.passed' },
    { type: 'request.refused', refusal: { cause: 'rate_limited', retryAfterSeconds: 1 } },
  ),
  receive: fc.constantFrom<RequestEvent>(
    { type: 'body.received' },
    { type: 'request.refused', refusal: { cause: 'request_timeout' } },
  ),
  select: fc.constantFrom<RequestEvent>(
    { type: 'upstream.selected', upstream: sampleUpstream({ name: 'red' }) },
    { type: 'upstream.selected', upstream: sampleUpstream({ name: 'blue' }) },
    { type: 'upstreams.exhausted' },
  ),
  forward: fc.oneof(
    fc.constantFrom(200, 503).map((status): RequestEvent => ({ type: 'attempt.answered', status, answer })),
    fc.boolean().map((written): RequestEvent => {
      const cause = written ? 'upstream_closed' : 'upstream_unreachable';
      return { type: 'attempt.failed', failure: { upstream: 'red', cause, written } };
    }),
  ),
  weigh: fc
    .record({ replayable: fc.boolean(), affordable: fc.boolean(), another: fc.boolean() })
    .map((facts): RequestEvent => ({ type: 'failover.weighed', facts })),
  respond: fc.constantFrom<RequestEvent>({ type: 'response.finished' }, { type: 'response.broken' }),
  refuse: fc.constantFrom<RequestEvent>({ type: 'response.finished' }, { type: 'response.broken' }),
};

/** How one run of a step goes. */
type Behaviour = {
  readonly outcome: RequestEvent;
  readonly manner: 'at once' | 'later' | 'never' | 'throws' | 'tells and throws' | 'throws when stopped';
  readonly ms: number;
  /** Whether an attempt waits for a connection, and gets one. */
  readonly waits: readonly ('attempt.queued' | 'attempt.started')[];
};

const anyManner = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Behaviour['manner']>('at once') },
  { weight: 6, arbitrary: fc.constant<Behaviour['manner']>('later') },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Behaviour['manner']>(
      'never',
      'throws',
      'tells and throws',
      'throws when stopped',
    ),
  },
);

const names = Object.keys(anyOutcome) as (keyof RequestSteps)[];

/** What each step does when it runs for the first, second … time. */
type Script = Readonly<Record<keyof RequestSteps, readonly Behaviour[]>>;

const anyScript = fc.record(
  Object.fromEntries(
    names.map((name) => [
      name,
      fc.array(
        fc.record({
          outcome: anyOutcome[name],
          manner: anyManner,
          ms: fc.constantFrom(1, 400, 999, 1000, 3000),
          waits: fc.constantFrom<Behaviour['waits']>(
            [],
            ['attempt.queued'],
            ['attempt.queued', 'attempt.started'],
          ),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    ]),
  ),
) as fc.Arbitrary<Script>;

const anyPlan = fc.record({
  attemptsMax: fc.integer({ min: 1, max: 4 }),
  resendable: fc.boolean(),
  retryOnStatus: fc.constantFrom([], [503]),
  attemptMs: fc.constantFrom(1000, Number.POSITIVE_INFINITY),
  requestMs: fc.constantFrom(5000, Number.POSITIVE_INFINITY),
});

/** From outside: an event, mostly one that does not belong there, or time that passes. */
const anyStimuli = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(1, 500, 1000, 4000) },
    { weight: 1, arbitrary: fc.constant<RequestEvent>({ type: 'client.left' }) },
    { weight: 1, arbitrary: fc.oneof(...Object.values(anyOutcome)) },
  ),
  { maxLength: 12 },
);

describe('the request machine', () => {
  it('does the same compiled as interpreted', () => {
    const property = fc.property(anyPlan, anyScript, anyStimuli, (plan, script, stimuli) => {
      assert.deepEqual(live(compiled, plan, script, stimuli), live(interpreted, plan, script, stimuli));
    });
    fc.assert(property, { numRuns: RUNS });
  });
});

function live(run: Runtime, plan: object, script: Script, stimuli: readonly (RequestEvent | number)[]) {
  const clock = new VirtualClock();
  const journal: Journal = [];
  const machine = requestMachine.provide({ actors: requestActors(scriptedSteps(script, clock, journal)) });
  const actor = run(machine, { exchange: { plan } }, clock, journal);
  const states: string[] = [];
  const observe = () => states.push(JSON.stringify([actor.status, actor.state, actor.context, clock.timers]));
  actor.start();
  observe();
  for (const stimulus of stimuli) {
    if (typeof stimulus === 'number') clock.advance(stimulus);
    else actor.send(stimulus);
    observe();
  }
  return { journal, states, end: actor.end };
}

function scriptedSteps(script: Script, clock: VirtualClock, journal: Journal): RequestSteps {
  const steps = names.map((name) => {
    let runs = 0;
    const step = (input: object, machine: Listener<RequestEvent>) => {
      journal.push(`start ${name} with ${JSON.stringify(input)}`);
      const behaviour = script[name][runs++];
      if (behaviour === undefined) return undefined;
      const { outcome, manner, ms } = behaviour;
      for (const type of waitsOf(name, behaviour)) machine.tell({ type });
      if (manner === 'at once' || manner === 'tells and throws') machine.tell(outcome);
      if (manner === 'throws' || manner === 'tells and throws') throw new Error(`${name} threw`);
      // Not cancelled by a stop: what a step tells then has to be ignored.
      if (manner === 'later') clock.after(ms, () => machine.tell(outcome));
      const stop = () => {
        journal.push(`stop ${name}`);
        if (manner === 'throws when stopped') throw new Error(`${name} threw when stopped`);
      };
      return { stop };
    };
    return [name, step];
  });
  return Object.fromEntries(steps) as RequestSteps;
}

/** Attempts alone wait for connections. */
function waitsOf(name: keyof RequestSteps, { waits }: Behaviour): Behaviour['waits'] {
  return name === 'forward' ? waits : [];
}
