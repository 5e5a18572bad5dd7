import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as xstate from 'xstate';
import { compile } from '#actors/compile/compile.ts';

const nothing = () => {};
const step = xstate.fromCallback(nothing);

/** Each in a state named `odd`, which the error has to name. */
const REJECTED: Record<string, { odd: object; says: RegExp }> = {
  'a parallel state': { odd: { type: 'parallel', states: { a: {}, b: {} } }, says: /is a parallel state/ },
  'a state that only says it is atomic': {
    odd: { type: 'atomic', states: { a: {} } },
    says: /says that it is atomic/,
  },
  'onDone of a nested state': {
    odd: { initial: 'a', states: { a: {} }, onDone: 'even' },
    says: /has `onDone`/,
  },
  'a key that means nothing here': { odd: { colour: 'red' }, says: /has `colour`/ },
  'a route': { odd: { id: 'odd', route: {} }, says: /state odd has `route`/ },
  'output of a state that is not final': { odd: { output: 1 }, says: /has `output`/ },
  'events of a final state': { odd: { type: 'final', on: { go: 'even' } }, says: /has `on`/ },
  'several targets': {
    odd: { on: { go: { target: ['even', 'more'] } } },
    says: /several states at once on `go`/,
  },
  'the machine itself as a target': { odd: { on: { go: '#m' } }, says: /the machine itself on `go`/ },
  'a key of a transition that means nothing': { odd: { on: { go: { in: 'even' } } }, says: /has `in`.*`go`/ },
  'a wildcard for some events': { odd: { on: { 'go.*': 'even' } }, says: /`go\.\*`: only `\*` alone/ },
  "an event of XState's own": {
    odd: { on: { 'xstate.init': 'even' } },
    says: /`xstate\.init`, an event of XState/,
  },
  'the same delay twice': { odd: { after: { 1000: 'even', '1e3': 'even' } }, says: /the same delay twice/ },
  'a delay that is not there': { odd: { after: { SOON: 'even' } }, says: /has no delay `SOON`/ },
  'a guard that is not there': { odd: { on: { go: { guard: 'isGone' } } }, says: /has no guard `isGone`/ },
  'an action that is not there': { odd: { entry: 'vanish' }, says: /has no action `vanish`/ },
  'an actor that is not there': { odd: { invoke: { src: 'nobody' } }, says: /has no actor `nobody`/ },

  'the guard and': { odd: { on: { go: { guard: xstate.and([]) } } }, says: /guard `and` made of others/ },
  'the guard or': { odd: { on: { go: { guard: xstate.or([]) } } }, says: /guard `or` made of others/ },
  'the guard not': {
    odd: { on: { go: { guard: xstate.not('isFine') } } },
    says: /guard `not` made of others/,
  },
  'the guard stateIn': {
    odd: { always: { guard: xstate.stateIn('a') } },
    says: /guard `stateIn` made of others/,
  },

  'the action raise': { odd: { entry: xstate.raise({ type: 'go' }) }, says: /action `xstate\.raise`/ },
  'the action sendTo': { odd: { exit: xstate.sendTo('a', { type: 'go' }) }, says: /action `xstate\.sendTo`/ },
  'the action sendParent': {
    odd: { exit: xstate.sendParent({ type: 'go' }) },
    says: /action `xstate\.sendTo`/,
  },
  'the action forwardTo': { odd: { entry: xstate.forwardTo('a') }, says: /action `xstate\.sendTo`/ },
  'the action emit': { odd: { entry: xstate.emit({ type: 'go' }) }, says: /action `xstate\.emit`/ },
  'the action cancel': { odd: { entry: xstate.cancel('a') }, says: /action `xstate\.cancel`/ },
  'the action log': { odd: { entry: xstate.log('a') }, says: /action `xstate\.log`/ },
  'the action enqueueActions': {
    odd: { on: { go: { actions: xstate.enqueueActions(nothing) } } },
    says: /action `xstate\.enqueueActions`/,
  },
  'the action spawnChild': { odd: { entry: xstate.spawnChild(step) }, says: /action `xstate\.spawnChild`/ },
  'the action stopChild': { odd: { entry: xstate.stopChild('a') }, says: /action `xstate\.stopChild`/ },
  'such an action among those of initial': {
    odd: { initial: { target: 'a', actions: xstate.cancel('a') }, states: { a: {} } },
    says: /action `xstate\.cancel`/,
  },

  'a promise': {
    odd: { invoke: { src: xstate.fromPromise(async () => {}) } },
    says: /an inline actor, which is not made by/,
  },
  'an observable': {
    odd: { invoke: { src: xstate.fromObservable(nothing as never) } },
    says: /not made by `fromCallback`/,
  },
  'an observable of events': {
    odd: { invoke: { src: xstate.fromEventObservable(nothing as never) } },
    says: /not made by `fromCallback`/,
  },
  'a reducer': {
    odd: { invoke: { src: xstate.fromTransition(nothing, undefined) } },
    says: /not made by `fromCallback`/,
  },
  'a machine': { odd: { invoke: { src: xstate.createMachine({}) } }, says: /not made by `fromCallback`/ },
  'onDone of a step, which never is done': {
    odd: { invoke: { src: step, onDone: 'even' } },
    says: /has `onDone` in `invoke`/,
  },
  'onSnapshot of a step': {
    odd: { invoke: { src: step, onSnapshot: 'even' } },
    says: /has `onSnapshot` in `invoke`/,
  },
  'a step with a name in the system': {
    odd: { invoke: { src: step, systemId: 'a' } },
    says: /has `systemId` in `invoke`/,
  },
  'two steps with one id': {
    odd: {
      invoke: [
        { id: 'a', src: step },
        { id: 'a', src: step },
      ],
    },
    says: /`a`, which runs already/,
  },
  'a step whose id is a number': {
    odd: { invoke: { id: '7', src: step } },
    says: /`7`: an id must not be a number/,
  },
};

describe('compiling', () => {
  for (const [what, { odd, says }] of Object.entries(REJECTED)) {
    it(`rejects ${what}`, () => {
      const machine = machineOf({ initial: 'even', states: { even: {}, more: {}, odd } });
      assert.throws(() => compile(machine), says);
      assert.throws(() => compile(machine), { code: 'machine_unsupported', message: /state (m\.)?odd / });
    });
  }

  it('rejects history', () => {
    const nested = { initial: 'a', states: { a: {}, before: { type: 'history' } } };
    const machine = machineOf({ initial: 'odd', states: { odd: nested } });
    assert.throws(() => compile(machine), /state m\.odd\.before is a history state/);
  });

  it('rejects a final state below the top level', () => {
    const nested = { initial: 'a', states: { a: { type: 'final' } } };
    const machine = machineOf({ initial: 'odd', states: { odd: nested } });
    assert.throws(() => compile(machine), /state m\.odd\.a is final below the top level/);
  });

  it('rejects a step whose id is taken by a step around it', () => {
    const invoke = { id: 'a', src: step };
    const machine = machineOf({ invoke, initial: 'odd', states: { odd: { invoke } } });
    assert.throws(() => compile(machine), /state m\.odd invokes `a`, which runs already/);
  });

  it("rejects the machine's own options", () => {
    const machine = machineOf({ options: { maxIterations: 5 } });
    assert.throws(() => compile(machine), /state m has `options`/);
  });

  it('takes what means nothing to the run of a machine', () => {
    const noted = { description: 'What it is for', tags: ['busy'], meta: { since: 1 } };
    const machine = machineOf({ ...noted, version: '1', initial: 'a', states: { a: noted } });
    assert.doesNotThrow(() => compile(machine));
  });
});

/** What TypeScript would not let pass is what is tried here. */
function machineOf(config: object): xstate.AnyStateMachine {
  return xstate.createMachine({ id: 'm', ...config } as never);
}
