/** What a state has for as long as it is active: its delays and its steps. */
import { type AnyStateNode, fromCallback } from 'xstate';
import { SignalboxError } from '#core/errors.ts';
import type { Step, Work } from '../step.ts';
import type { Act } from './acts.ts';
import { type Args, confine } from './args.ts';
import type { Invocation, MachineEvent } from './program.ts';
import { configuredInvokes, unsupported } from './subset.ts';

/** What begins with a failed step's event. */
export const STEP_ERROR = 'xstate.error.actor.';

/** A state's `after`; its delays are in the slots from `firstSlot` on. */
export function readDelays(node: AnyStateNode, firstSlot: number): Extract<Act, { kind: 'wait' }>[] {
  const delays = Object.keys(node.config.after ?? {}).map(numberIfNumeric);
  if (new Set(delays).size < delays.length) throw unsupported(node, 'has the same delay twice in `after`');
  return delays.map((delay, index) => {
    const event = { type: `xstate.after.${delay}.${node.id}` };
    const waiting = { event, msFor: readDelay(node, delay) };
    return { kind: 'wait', slot: firstSlot + index, waiting };
  });
}

/** A state's `invoke`; its steps are in the slots from `firstSlot` on. */
export function readInvokes(node: AnyStateNode, firstSlot: number): Extract<Act, { kind: 'invoke' }>[] {
  const configured = configuredInvokes(node);
  return node.invoke.map(({ id }, index) => {
    const { src, input } = configured[index] ?? {};
    const inputFor = typeof input === 'function' ? (input as (args: Args) => unknown) : null;
    const run = readStep(node, src);
    const invocation: Invocation = { id, errorType: `${STEP_ERROR}${id}`, inputFor, input, run };
    return { kind: 'invoke', slot: firstSlot + index, invocation };
  });
}

/** The keys `1000` and `1e3` are the same delay; others are names. */
function numberIfNumeric(key: string): string | number {
  return Number.isNaN(Number(key)) ? key : Number(key);
}

function readDelay(node: AnyStateNode, delay: string | number): (args: Args) => number {
  if (typeof delay === 'number') return () => delay;
  const { delays } = node.machine.implementations as { delays: Record<string, unknown> };
  const implementation = delays[delay];
  if (typeof implementation === 'number') return () => implementation;
  if (typeof implementation !== 'function') throw unsupported(node, `has no delay \`${delay}\``);
  return (args) => {
    const ms: unknown = implementation(args);
    if (typeof ms !== 'number') {
      const text = `Delay ${delay} of state ${node.id} gave ${String(ms)} in place of milliseconds`;
      throw new SignalboxError('machine_failed', 'signalbox', text);
    }
    return ms;
  };
}

/** What a callback is called with that is no step of ours. */
class CallbackArgs {
  readonly input: unknown;
  readonly sendBack: (event: MachineEvent) => void;

  constructor(input: unknown, sendBack: (event: MachineEvent) => void) {
    this.input = input;
    this.sendBack = sendBack;
  }
}

confine(CallbackArgs.prototype);

type CallbackLogic = {
  readonly config: (args: CallbackArgs) => unknown;
  readonly step?: Step<unknown, MachineEvent>;
};

function readStep(node: AnyStateNode, src: unknown): Invocation['run'] {
  const { actors } = node.machine.implementations as { actors: Record<string, unknown> };
  const logic = typeof src === 'string' ? actors[src] : src;
  const name = typeof src === 'string' ? `\`${src}\`` : 'an inline actor';
  if (logic === undefined) throw unsupported(node, `has no actor ${name}`);
  if (!isCallbackLogic(logic)) {
    throw unsupported(node, `invokes ${name}, which is not made by \`fromCallback\``);
  }
  const { config, step } = logic;
  return (
    step ?? ((input, machine) => workOf(config(new CallbackArgs(input, (event) => machine.tell(event)))))
  );
}

/** What a callback returns, if anything, is what stops it. */
function workOf(stop: unknown): Work | undefined {
  return stop === undefined || stop === null ? undefined : { stop: stop as () => void };
}

const REFERENCE = String(fromCallback(() => {}).start);

/** XState does not say of what kind its actors are. Those made by `fromCallback` share the source of `start`. */
function isCallbackLogic(logic: unknown): logic is CallbackLogic {
  return typeof logic === 'object' && logic !== null && 'start' in logic && String(logic.start) === REFERENCE;
}
