import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { buildMachine, type World } from './build-machine.ts';
import { anyMachine, anyStimuli, type MachineSpec, type Stimulus } from './random-machine.ts';
import { compiled, interpreted, type Runtime } from './runtimes.ts';

const RUNS = 2000;

describe('random machines', () => {
  it('do the same compiled as interpreted', () => {
    const property = fc.property(anyMachine, anyStimuli, (spec, stimuli) => {
      const expected = live(interpreted, spec, stimuli);
      const actual = live(compiled, spec, stimuli);
      assert.deepEqual(actual.states, expected.states);
      assert.deepEqual(actual.end, expected.end);
      assert.deepEqual(actual.journal.slice(0, expected.journal.length), expected.journal);
      // A machine that fails by itself leaves its steps running in XState, and stops them when compiled.
      const stops = hasFailedItself(expected.end) ? [...expected.running].map((id) => `stop ${id}`) : [];
      assert.deepEqual(actual.journal.slice(expected.journal.length).sort(), stops.sort());
    });
    fc.assert(property, { numRuns: RUNS });
  });
});

function live(run: Runtime, spec: MachineSpec, stimuli: readonly Stimulus[]) {
  const clock = new VirtualClock();
  const world: World = { clock, journal: [], running: new Set() };
  const actor = run(buildMachine(spec, world), 'input', clock, world.journal);
  const states: string[] = [];
  const observe = () => states.push(JSON.stringify([actor.status, actor.state, actor.context]));
  actor.start();
  observe();
  for (const stimulus of stimuli) {
    if (actor.status === 'error') break;
    if ('ms' in stimulus) clock.advance(stimulus.ms);
    else actor.send(stimulus);
    observe();
  }
  return { journal: world.journal, running: world.running, states, end: endOf(actor.end) };
}

/** XState puts the text of what a guard throws into another one. */
function endOf(end: { output?: unknown; error?: unknown } | null): string {
  if (end === null || !('error' in end)) return JSON.stringify(end);
  const { message } = end.error as Error;
  return /boom in an? \w+/.exec(message)?.[0] ?? message;
}

function hasFailedItself(end: string): boolean {
  return end === 'boom in a guard' || end === 'boom in an action';
}
