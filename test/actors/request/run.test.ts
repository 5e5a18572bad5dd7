import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Exchange } from '#actors/request/exchange.ts';
import { type ObserveTransition, type Outcome, RUNNERS } from '#actors/request/run.ts';
import { REQUEST_STATES } from '#actors/request/states.ts';
import type { RequestEvent, RequestSteps } from '#actors/request/steps.ts';
import type { Listener } from '#actors/step.ts';
import type { Plan } from '#core/plan.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const PLAN: Plan = {
  receivesFirst: false,
  attemptsMax: 2,
  resendable: true,
  retryOnStatus: [],
  attemptMs: 1000,
  requestMs: 5000,
};

/** What each step tells at once; one that is left out never tells. */
type Outcomes = Partial<Record<keyof RequestSteps, RequestEvent | Error>>;

const SELECTED: Outcomes = {
  authenticate: { type: 'identity.proven', identity: null },
  limit: { type: 'limit.passed' },
  select: { type: 'upstream.selected', upstream: sampleUpstream() },
};

for (const [name, createRunner] of Object.entries(RUNNERS)) {
  /** Runs one exchange and says what became of it. */
  function run(outcomes: Outcomes, plan: Plan = PLAN) {
    const seen = {
      ends: [] as Outcome[],
      cuts: 0,
      releases: 0,
      stops: [] as string[],
      states: [] as string[],
      problems: [] as unknown[],
    };
    const clock = new VirtualClock();
    const answer = { status: 200, release: () => seen.releases++ };
    const steps = Object.fromEntries(
      ['authenticate', 'limit', 'receive', 'select', 'forward', 'weigh', 'respond', 'refuse'].map((step) => {
        const outcome = outcomes[step as keyof RequestSteps];
        return [
          step,
          (_: unknown, machine: Listener<RequestEvent>) => {
            if (outcome instanceof Error) throw outcome;
            if (outcome !== undefined)
              machine.tell(
                outcome.type === 'attempt.answered' ? { ...outcome, answer: answer as never } : outcome,
              );
            return { stop: () => seen.stops.push(step) };
          },
        ];
      }),
    ) as unknown as RequestSteps;
    let leave = () => {};
    const reply = {
      onLeft: (listener: () => void) => {
        leave = listener;
      },
      cut: () => seen.cuts++,
    };
    const exchange = { plan, reply } as unknown as Exchange;
    const report = (error: unknown) => seen.problems.push(error);
    const observe: ObserveTransition = (observed, state, event) => {
      assert.equal(observed, exchange);
      seen.states.push(`${REQUEST_STATES[state]} ${event.type}`);
    };
    createRunner(steps, clock, report, observe)(exchange, { ended: (outcome) => seen.ends.push(outcome) });
    return { seen, clock, leave: () => leave() };
  }

  const answered = { type: 'attempt.answered', status: 200 } as RequestEvent;

  describe(`the ${name} runner`, () => {
    it('serves a request before it returns when every step answers at once', () => {
      const { seen, clock } = run({ ...SELECTED, forward: answered, respond: { type: 'response.finished' } });
      assert.deepEqual(seen.ends, ['responded']);
      assert.equal(clock.timers, 0);
    });

    it('shows every state that a request comes to, and what led there', () => {
      const facts = { replayable: true, affordable: true, another: true };
      const failure = { upstream: 'red', cause: 'upstream_closed', written: true } as const;
      const { seen, clock } = run({
        ...SELECTED,
        forward: { type: 'attempt.failed', failure },
        weigh: { type: 'failover.weighed', facts },
        refuse: { type: 'response.finished' },
      });
      const attempt = ['seeking.forwarding upstream.selected', 'seeking.weighing attempt.failed'];
      assert.deepEqual(seen.states, [
        'seeking.authenticating xstate.init',
        'seeking.limiting identity.proven',
        'seeking.selecting limit.passed',
        ...attempt,
        'seeking.selecting failover.weighed',
        ...attempt,
        'seeking.concluding failover.weighed',
        'refusing failover.weighed',
        'refused response.finished',
      ]);
      assert.equal(clock.timers, 0);
    });

    it('shows the deadline that led to a state', () => {
      const { seen, clock } = run(SELECTED);
      clock.advance(1000);
      assert.match(seen.states.at(-1) ?? '', /^seeking\.weighing xstate\.after/);
    });

    it('abandons the request of a client that left, and stops the step at work', () => {
      const { seen, leave } = run(SELECTED);
      leave();
      assert.deepEqual(seen.ends, ['abandoned']);
      assert.deepEqual(seen.stops.at(-1), 'forward');
      leave();
      assert.equal(seen.ends.length, 1);
    });

    it('refuses when the time for an attempt and for its refusal has come', () => {
      const facts = { replayable: false, affordable: true, another: true };
      const { seen, clock } = run({
        ...SELECTED,
        weigh: { type: 'failover.weighed', facts },
        refuse: { type: 'response.finished' },
      });
      clock.advance(1000);
      assert.deepEqual(seen.ends, ['refused']);
    });

    it('lets go of an answer at the end', () => {
      const { seen, leave } = run({ ...SELECTED, forward: answered });
      leave();
      assert.deepEqual(seen.ends, ['truncated']);
      assert.equal(seen.releases, 1);
    });

    it('cuts the connection when the machine fails itself', () => {
      const { seen } = run({ ...SELECTED, forward: answered }, { ...PLAN, retryOnStatus: null as never });
      assert.deepEqual(seen.ends, ['crashed']);
      assert.equal(seen.cuts, 1);
      assert.equal(seen.problems.length, 1);
    });

    it('reports what a step throws, and refuses', () => {
      const mistake = new Error('a mistake');
      const { seen } = run({ ...SELECTED, select: mistake, refuse: { type: 'response.finished' } });
      assert.deepEqual(seen.ends, ['refused']);
      assert.deepEqual(seen.problems, [mistake]);
    });
  });
}
