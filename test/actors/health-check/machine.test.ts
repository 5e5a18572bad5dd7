import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { chartOf } from '#actors/chart.ts';
import { compile } from '#actors/compile/compile.ts';
import {
  type HealthCheckEvent,
  healthCheckActors,
  healthCheckMachine,
  type ProbeEvent,
  SETTLE_MS,
} from '#actors/health-check/machine.ts';
import type { Outcome } from '#core/health/tally.ts';
import { sampleCheck } from '#test/support/sample-checks.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const PASS: Outcome = { passed: true };
const FAIL: Outcome = { passed: false, reason: 'connection refused' };

/** Checks once a second whose probes the test ends. */
function scene({ isQueued = false } = {}) {
  const clock = new VirtualClock();
  const states: string[] = [];
  const startedMs: number[] = [];
  let underWay = 0;
  let underWayMost = 0;
  let tell: (event: ProbeEvent) => void = () => {};
  const machine = compile(
    healthCheckMachine.provide({
      actors: healthCheckActors({
        probe(_, machine) {
          tell = (event) => machine.tell(event);
          startedMs.push(clock.monotonicMs());
          underWay++;
          underWayMost = Math.max(underWayMost, underWay);
          if (!isQueued) tell({ type: 'probe.begun' });
          return {
            stop() {
              underWay--;
            },
          };
        },
      }),
    }),
  );
  const target = { upstream: sampleUpstream(), check: sampleCheck() };
  const actor = machine.createActor({
    input: { target, phase: 0 },
    clock,
    onDone: () => {},
    onError: (error) => {
      throw error;
    },
    onTransition: (_, to) => states.push(to),
  });
  actor.start();
  return {
    actor,
    clock,
    states,
    startedMs,
    mostAtOnce: () => underWayMost,
    send: (event: HealthCheckEvent) => actor.send(event),
    begin: () => tell({ type: 'probe.begun' }),
    void: () => tell({ type: 'probe.voided' }),
    end: (outcome: Outcome, tookMs = 0) => tell({ type: 'probe.ended', outcome, tookMs }),
  };
}

describe('the healthCheck machine', () => {
  it('probes as soon as it is on duty, and not before', () => {
    const { actor, clock, startedMs, send } = scene();
    clock.advance(5000);
    assert.deepEqual([actor.state, startedMs.length], ['resting', 0]);
    send({ type: 'duty.given' });
    assert.deepEqual([actor.state, startedMs.length], ['onDuty.checking.probing', 1]);
  });

  it('probes once an interval, from start to start', () => {
    const { clock, startedMs, send, end } = scene();
    send({ type: 'duty.given' });
    for (let i = 0; i < 3; i++) {
      clock.advance(200);
      end(PASS, 200);
      clock.advance(800);
    }
    const [firstMs = 0] = startedMs;
    assert.deepEqual(
      startedMs.map((ms) => ms - firstMs),
      [0, 1000, 2000, 3000],
    );
  });

  it('takes a probe without an answer for a failure when its time is over', () => {
    const { actor, clock, send } = scene();
    send({ type: 'duty.given' });
    clock.advance(499);
    assert.equal(actor.context.tally.standing, 'unknown');
    clock.advance(1);
    assert.deepEqual(actor.context.tally, { standing: 'down', against: 0, reason: 'timeout' });
  });

  it('gives a probe that waits for its turn all of its time', () => {
    const { actor, clock, send, begin } = scene({ isQueued: true });
    send({ type: 'duty.given' });
    clock.advance(10_000);
    assert.equal(actor.state, 'onDuty.checking.queued');
    begin();
    clock.advance(499);
    assert.equal(actor.state, 'onDuty.checking.probing');
  });

  it('probes sooner when an upstream begins to fail', () => {
    const { actor, clock, startedMs, send, end } = scene();
    send({ type: 'duty.given' });
    end(PASS);
    clock.advance(1000);
    end(FAIL);
    assert.deepEqual(actor.context.tally, { standing: 'up', against: 1, reason: 'connection refused' });
    clock.advance(500);
    assert.equal(startedMs.length, 3);
    end(FAIL);
    assert.equal(actor.context.tally.standing, 'down');
  });

  it('probes at once when a request cannot connect', () => {
    const { clock, startedMs, send, end } = scene();
    send({ type: 'duty.given' });
    end(PASS);
    clock.advance(400);
    send({ type: 'connect.failed' });
    assert.equal(startedMs.length, 2);
  });

  it('probes no more often for any number of them than once in a moment', () => {
    const { clock, startedMs, send, end } = scene();
    send({ type: 'duty.given' });
    end(PASS);
    for (let ms = 0; ms < 1000; ms++) {
      send({ type: 'connect.failed' });
      clock.advance(1);
      end(PASS, 0);
    }
    assert.ok(startedMs.length <= 1 + 1000 / SETTLE_MS, `${startedMs.length} probes`);
    assert.ok(startedMs.length >= 10, `${startedMs.length} probes`);
  });

  it('says nothing of an upstream when the probe could not be made', () => {
    const { actor, clock, startedMs, send, void: voidProbe } = scene();
    send({ type: 'duty.given' });
    voidProbe();
    assert.equal(actor.context.tally.standing, 'unknown');
    clock.advance(1000);
    assert.equal(startedMs.length, 2);
  });

  it('forgets what it found when it is off duty, and ends its probe', () => {
    const { actor, clock, startedMs, send, end } = scene();
    send({ type: 'duty.given' });
    end(PASS);
    clock.advance(1000);
    send({ type: 'duty.taken' });
    end(FAIL);
    clock.advance(10_000);
    assert.deepEqual([actor.state, startedMs.length], ['resting', 2]);
    assert.equal(actor.context.tally.standing, 'unknown');
  });
});

// -- every path --------------------------------------------------------------------------------------

const anyStep = fc.oneof(
  fc.constantFrom<HealthCheckEvent>(
    { type: 'duty.given' },
    { type: 'duty.taken' },
    { type: 'connect.failed' },
    { type: 'probe.begun' },
    { type: 'probe.voided' },
    { type: 'probe.ended', outcome: PASS, tookMs: 1 },
    { type: 'probe.ended', outcome: FAIL, tookMs: 1 },
  ),
  fc.constantFrom(10, 60, 1000),
);

describe('the states of a check', () => {
  it('never have two probes under way', () => {
    const property = fc.property(fc.array(anyStep, { maxLength: 60 }), fc.boolean(), (steps, isQueued) => {
      const { clock, mostAtOnce, send } = scene({ isQueued });
      for (const step of steps) {
        if (typeof step === 'number') clock.advance(step);
        else send(step);
      }
      assert.ok(mostAtOnce() <= 1);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('can all be reached', () => {
    const reached = new Set(['resting']);
    const samples = fc.sample(fc.tuple(fc.array(anyStep, { maxLength: 30 }), fc.boolean()), {
      seed: 1,
      numRuns: 500,
    });
    for (const [steps, isQueued] of samples) {
      const { clock, states, send } = scene({ isQueued });
      for (const step of steps) {
        if (typeof step === 'number') clock.advance(step);
        else send(step);
      }
      for (const state of states) reached.add(state);
    }
    const atoms = chartOf(healthCheckMachine).states.filter(({ kind }) => kind === 'atomic');
    assert.deepEqual([...reached].sort(), atoms.map(({ path }) => path).sort());
  });

  it('have an edge for a step that throws', () => {
    const throws = chartOf(healthCheckMachine).edges.filter(({ event }) => event === 'step threw');
    assert.deepEqual(
      throws.map(({ from }) => from),
      ['onDuty.checking'],
    );
  });
});
