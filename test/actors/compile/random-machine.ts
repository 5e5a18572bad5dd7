/** Machines within the subset, as plain data, which fast-check makes up and shrinks. */
import fc from 'fast-check';

export type Form = 'inline' | 'named' | 'params' | 'params function';

export type GuardSpec = {
  readonly asks: 'below' | 'even' | 'event' | 'payload' | 'throws';
  readonly limit: number;
  readonly form: Form;
};

export type ActionSpec = {
  readonly does: 'note' | 'assign keys' | 'assign function' | 'throws';
  readonly amount: number;
  readonly form: Form;
};

export type TransitionSpec = {
  /** Which of all states, in the order of the document; null: actions only. */
  readonly target: number | null;
  readonly reenter: boolean;
  readonly guard: GuardSpec | null;
  readonly actions: readonly ActionSpec[];
};

export type StepSpec = {
  readonly input: 'none' | 'constant' | 'function';
  /** Events that it tells before it returns. */
  readonly tells: readonly string[];
  readonly throws: boolean;
  /** An event that it tells later, and whether it still does when it was stopped. */
  readonly later: { readonly event: string; readonly ms: number; readonly isCancelled: boolean } | null;
  readonly stop: 'none' | 'quiet' | 'tells' | 'throws';
  readonly onError: readonly TransitionSpec[] | null;
};

export type DelaySpec = {
  readonly ms: number;
  readonly form: 'number' | 'named number' | 'named function';
  readonly transitions: readonly TransitionSpec[];
};

export type StateSpec = {
  readonly entry: readonly ActionSpec[];
  readonly exit: readonly ActionSpec[];
  readonly on: readonly { readonly event: string; readonly transitions: readonly TransitionSpec[] }[];
  readonly always: readonly TransitionSpec[];
  readonly after: readonly DelaySpec[];
  readonly steps: readonly StepSpec[];
  readonly initialActions: readonly ActionSpec[];
  readonly states: readonly StateSpec[];
};

export type FinalSpec = {
  readonly entry: readonly ActionSpec[];
  readonly exit: readonly ActionSpec[];
  readonly hasOutput: boolean;
};

export type MachineSpec = {
  readonly root: StateSpec;
  readonly finals: readonly FinalSpec[];
  readonly hasOutput: boolean;
  readonly context: 'constant' | 'function';
};

export const EVENTS = ['a', 'b', 'c'];
const DEPTH_MAX = 3;

const anyForm = fc.constantFrom<Form>('inline', 'named', 'params', 'params function');

function mostly<T>(usual: readonly T[], rare: T): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 500, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.constant(rare) },
  );
}

const anyGuard: fc.Arbitrary<GuardSpec> = fc.record({
  asks: mostly<GuardSpec['asks']>(['below', 'even', 'event', 'payload'], 'throws'),
  limit: fc.integer({ min: 0, max: 8 }),
  form: anyForm,
});

const anyActions: fc.Arbitrary<ActionSpec[]> = fc.array(
  fc.record({
    does: mostly<ActionSpec['does']>(['note', 'assign keys', 'assign function'], 'throws'),
    amount: fc.integer({ min: 1, max: 5 }),
    form: anyForm,
  }),
  { maxLength: 2 },
);

const anyTransition: fc.Arbitrary<TransitionSpec> = fc.record({
  target: fc.oneof({ weight: 5, arbitrary: fc.nat(60) }, { weight: 1, arbitrary: fc.constant(null) }),
  reenter: fc.boolean(),
  guard: fc.option(anyGuard),
  actions: anyActions,
});
const anyTransitions = fc.array(anyTransition, { minLength: 1, maxLength: 3 });

/** Few and guarded, so that machines come to rest. */
const anyAlways = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc.array(
      fc.record({
        target: fc.option(fc.nat(60)),
        reenter: fc.boolean(),
        guard: anyGuard,
        actions: anyActions,
      }),
      { minLength: 1, maxLength: 2 },
    ),
  },
);

const anyDelay: fc.Arbitrary<DelaySpec> = fc.record({
  ms: fc.constantFrom(5, 10, 25, 25.5, 100, 2 ** 31, Number.POSITIVE_INFINITY),
  form: fc.constantFrom<DelaySpec['form']>('number', 'named number', 'named function'),
  transitions: anyTransitions,
});

const anyStep: fc.Arbitrary<StepSpec> = fc.record({
  input: fc.constantFrom<StepSpec['input']>('none', 'constant', 'function'),
  tells: fc.array(fc.constantFrom(...EVENTS), { maxLength: 2 }),
  throws: fc.oneof(
    { weight: 30, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  later: fc.option(
    fc.record({
      event: fc.constantFrom(...EVENTS),
      ms: fc.constantFrom(0, 5, 10, 30),
      isCancelled: fc.boolean(),
    }),
  ),
  stop: mostly<StepSpec['stop']>(['none', 'quiet', 'tells'], 'throws'),
  onError: fc.option(anyTransitions),
});

function anyState(depth: number): fc.Arbitrary<StateSpec> {
  const children =
    depth === DEPTH_MAX
      ? fc.constant([])
      : fc.array(anyState(depth + 1), { minLength: depth === 0 ? 1 : 0, maxLength: 2 });
  return fc.record({
    entry: anyActions,
    exit: anyActions,
    on: fc.uniqueArray(
      fc.record({
        event: fc.constantFrom(...EVENTS, '*'),
        transitions: fc.array(anyTransition, { maxLength: 3 }),
      }),
      { selector: ({ event }) => event, maxLength: 3 },
    ),
    always: anyAlways,
    after: fc.uniqueArray(anyDelay, { selector: ({ ms }) => ms, maxLength: 2 }),
    steps: fc.array(anyStep, { maxLength: 2 }),
    initialActions: anyActions,
    states: children,
  });
}

const anyFinal: fc.Arbitrary<FinalSpec> = fc.record({
  entry: anyActions,
  exit: anyActions,
  hasOutput: fc.boolean(),
});

export const anyMachine: fc.Arbitrary<MachineSpec> = fc.record({
  root: anyState(0),
  finals: fc.array(anyFinal, { maxLength: 2 }),
  hasOutput: fc.boolean(),
  context: fc.constantFrom('constant', 'function'),
});

/** What happens to a machine from outside: an event, or time that passes. */
export type Stimulus = { readonly type: string; readonly n: number } | { readonly ms: number };

export const anyStimuli: fc.Arbitrary<Stimulus[]> = fc.array(
  fc.oneof(
    fc.record({ type: fc.constantFrom(...EVENTS, 'unknown'), n: fc.integer({ min: 0, max: 8 }) }),
    fc.record({ ms: fc.constantFrom(1, 5, 20, 100) }),
  ),
  { maxLength: 12 },
);
