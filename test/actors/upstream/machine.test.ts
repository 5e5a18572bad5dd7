import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { chartOf } from '#actors/chart.ts';
import { compile } from '#actors/compile/compile.ts';
import { type UpstreamEvent, upstreamMachine } from '#actors/upstream/machine.ts';
import { opinionOf } from '#actors/upstream/opinion.ts';
import { SAMPLE_EJECTION } from '#test/support/sample-checks.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const machine = compile(upstreamMachine);

/** An upstream whose checks and requests are what the test says. */
function scene({ isChecked = true } = {}) {
  const clock = new VirtualClock();
  const states: string[] = [];
  const actor = machine.createActor({
    input: { ejection: SAMPLE_EJECTION, isChecked },
    clock,
    onDone: () => {},
    onError: (error) => {
      throw error;
    },
    onTransition: (_, to) => states.push(to),
  });
  actor.start();
  const send = (...events: UpstreamEvent[]) => {
    for (const event of events) actor.send(event);
    return actor.state;
  };
  const opinion = () => opinionOf(actor.state, actor.context);
  return { actor, clock, states, send, opinion };
}

const passed: UpstreamEvent = { type: 'check.passed' };
const wavered: UpstreamEvent = { type: 'check.wavered', reason: 'timeout' };
const failed: UpstreamEvent = { type: 'check.failed', reason: 'timeout' };
const ended: UpstreamEvent = { type: 'check.ended' };
const requestsFailed = (mayEject = true): UpstreamEvent => ({
  type: 'requests.failed',
  reason: '5 answers from 500 on in a row',
  mayEject,
});
const ready: UpstreamEvent = { type: 'ready.asked' };
const drain: UpstreamEvent = { type: 'drain.asked' };
const maintenance: UpstreamEvent = { type: 'maintenance.asked' };

const removed: UpstreamEvent = { type: 'upstream.removed' };

const anyEvent = fc.constantFrom(
  ...[passed, wavered, failed, ended, requestsFailed(), requestsFailed(false)],
  ...[ready, drain, maintenance, removed],
);
/** An event, or so many milliseconds. */
const anyStep = fc.oneof(anyEvent, fc.constantFrom(1_000, 30_000, 300_000));

describe('the upstream machine', () => {
  it('has no opinion of a new upstream before its first check', () => {
    const { actor, send, opinion } = scene();
    assert.equal(actor.state, 'ready.probing');
    assert.deepEqual(opinion(), { verdict: 'unknown', reason: '' });
    assert.equal(send(passed), 'ready.admitted');
    assert.deepEqual(opinion(), { verdict: 'up', reason: '' });
  });

  it('admits at once what nobody checks', () => {
    assert.equal(scene({ isChecked: false }).actor.state, 'ready.admitted');
  });

  it('lets an upstream serve while it is suspect, and ejects it when its checks have failed', () => {
    const { send, opinion } = scene();
    assert.equal(send(passed, wavered), 'ready.suspect');
    assert.equal(opinion().verdict, 'up');
    assert.equal(send(passed), 'ready.admitted');
    assert.equal(send(wavered, failed), 'ready.ejected.failing');
    assert.deepEqual(opinion(), { verdict: 'down', reason: 'timeout' });
    assert.equal(send(passed), 'ready.admitted');
  });

  it('has no opinion any more of what others check', () => {
    for (const before of [[passed], [passed, wavered], [failed]]) {
      const { send } = scene();
      assert.equal(send(...before, ended), 'ready.probing');
    }
  });
});

describe('a ban', () => {
  it('ends after its term, whatever the checks say meanwhile', () => {
    const { actor, clock, send, opinion } = scene();
    assert.equal(send(passed, requestsFailed(), passed), 'ready.ejected.banned');
    assert.deepEqual(opinion(), { verdict: 'down', reason: '5 answers from 500 on in a row' });
    clock.advance(29_999);
    assert.equal(actor.state, 'ready.ejected.banned');
    clock.advance(1);
    assert.equal(actor.state, 'ready.admitted');
    assert.equal(actor.context.reason, '');
  });

  it('gives way to checks that fail, which find the upstream again sooner', () => {
    const { send } = scene();
    assert.equal(send(passed, requestsFailed(), failed), 'ready.ejected.failing');
    assert.equal(send(passed), 'ready.admitted');
  });

  it('lasts longer each time, up to a bound', () => {
    const { actor, clock, send } = scene({ isChecked: false });
    const terms: number[] = [];
    for (let round = 1; round <= 12; round++) {
      send(requestsFailed());
      let termMs = 0;
      for (; actor.state === 'ready.ejected.banned'; termMs += 10_000) clock.advance(10_000);
      terms.push(termMs);
    }
    const expected = [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300];
    assert.deepEqual(
      terms,
      expected.map((seconds) => seconds * 1000),
    );
  });

  it('is forgotten, one for each base time in which all is well', () => {
    const { actor, clock, send } = scene({ isChecked: false });
    send(requestsFailed());
    clock.advance(30_000);
    send(requestsFailed());
    clock.advance(60_000);
    assert.equal(actor.context.bans, 2);
    clock.advance(29_999);
    assert.equal(actor.context.bans, 2);
    clock.advance(1);
    assert.equal(actor.context.bans, 1);
    clock.advance(300_000);
    assert.equal(actor.context.bans, 0);
  });

  it('is not imposed when the pool cannot spare the upstream, nor twice', () => {
    const { send, actor } = scene();
    assert.equal(send(passed, requestsFailed(false)), 'ready.admitted');
    send(requestsFailed(), requestsFailed());
    assert.equal(actor.context.bans, 1);
  });

  it('ends without an opinion where others check', () => {
    const { actor, clock, send } = scene();
    send(passed, requestsFailed(), ended);
    assert.equal(actor.state, 'ready.ejected.banned');
    clock.advance(30_000);
    assert.equal(actor.state, 'ready.probing');
  });
});

describe('an operator', () => {
  it('takes an upstream out of service, and only an operator brings it back', () => {
    for (const [ask, state] of [
      [drain, 'draining'],
      [maintenance, 'maintenance'],
    ] as const) {
      const { actor, clock, send } = scene();
      assert.equal(send(passed, ask), state);
      send(failed, passed, requestsFailed());
      clock.advance(1_000_000);
      assert.equal(actor.state, state);
      assert.equal(send(ready), 'ready.admitted');
    }
  });

  it('finds a drained upstream as its checks have left it', () => {
    const { send, opinion } = scene();
    send(passed, drain, failed);
    assert.deepEqual(opinion(), { verdict: 'down', reason: 'timeout' });
    assert.equal(send(ready), 'ready.ejected.failing');
  });

  it('has an upstream checked anew after its maintenance', () => {
    const { send, opinion } = scene();
    send(passed, maintenance, ended);
    assert.equal(opinion().verdict, 'unknown');
    assert.equal(send(ready), 'ready.probing');
  });

  it('is the only one who does, on every path', () => {
    const property = fc.property(fc.array(anyStep, { maxLength: 40 }), fc.boolean(), (steps, isChecked) => {
      const { actor, clock, send } = scene({ isChecked });
      for (const step of steps) {
        const isOut = !actor.state.startsWith('ready.');
        if (typeof step === 'number') clock.advance(step);
        else send(step);
        if (isOut && step !== ready) assert.ok(!actor.state.startsWith('ready.'), actor.state);
      }
    });
    fc.assert(property, { numRuns: 500 });
  });
});

describe('the states of an upstream', () => {
  it('can all be reached', () => {
    const reached = new Set(['ready.probing']);
    for (const steps of fc.sample(fc.array(anyStep, { maxLength: 20 }), { seed: 1, numRuns: 2000 })) {
      const { clock, states, send } = scene();
      for (const step of steps) {
        if (typeof step === 'number') clock.advance(step);
        else send(step);
      }
      for (const state of states) reached.add(state);
    }
    const atoms = chartOf(upstreamMachine).states.filter(({ kind }) => kind !== 'compound');
    assert.deepEqual([...reached].sort(), atoms.map(({ path }) => path).sort());
  });

  it('leave no timer behind when it is removed', () => {
    const { actor, clock, send } = scene();
    send(passed, requestsFailed(), removed);
    assert.deepEqual([actor.state, clock.timers], ['removed', 0]);
  });

  it('never count fewer bans than none', () => {
    const property = fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
      const { actor, clock, send } = scene();
      for (const step of steps) {
        if (typeof step === 'number') clock.advance(step);
        else send(step);
        assert.ok(actor.context.bans >= 0);
      }
    });
    fc.assert(property, { numRuns: 300 });
  });
});
