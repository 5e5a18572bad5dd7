/** What a state has for as long as it is active: its delays and its steps. */
import { type AnyStateNode, fromCallback } from 'xstate';
import { SignalboxError } from '#core/errors.ts';
import { DELAY_MS_MAX } from '../xstate-clock.ts';
import type { Args } from './args.ts';
import { Child, type Invocation } from './child.ts';
import { Delay } from './delay.ts';
import type { Act } from './program.ts';
import { configuredInvokes, unsupported } from './subset.ts';

type HoldingActs = {
  readonly enter: readonly Act[];
  readonly leave: readonly Act[];
};

/** A state's `after`; its delays are in the slots from `firstSlot` on. */
export function readDelays(node: AnyStateNode, firstSlot: number): HoldingActs {
  const delays = Object.keys(node.config.after ?? {}).map(numberIfNumeric);
  if (new Set(delays).size < delays.length) throw unsupported(node, 'has the same delay twice in `after`');
  return {
    enter: delays.map((delay, index): Act => {
      const event = { type: `xstate.after.${delay}.${node.id}` };
      const msFor = readDelay(node, delay);
      return (actor) => {
        const delayMs = msFor(actor.args);
        if (delayMs > DELAY_MS_MAX) return;
        actor.hold(firstSlot + index, new Delay(actor, delayMs, event));
      };
    }),
    leave: delays.map((_, index) => releasing(firstSlot + index)),
  };
}

/** A state's `invoke`; its steps are in the slots from `firstSlot` on. */
export function readInvokes(node: AnyStateNode, firstSlot: number): HoldingActs {
  const configured = configuredInvokes(node);
  return {
    enter: node.invoke.map(({ id }, index): Act => {
      const { src, input } = configured[index] ?? {};
      const invocation: Invocation = { id, callback: readCallback(node, src) };
      if (typeof input !== 'function') {
        return (actor) => actor.hold(firstSlot + index, new Child(actor, invocation, input));
      }
      const inputFor = input as (args: Args) => unknown;
      return (actor) => actor.hold(firstSlot + index, new Child(actor, invocation, inputFor(actor.args)));
    }),
    leave: node.invoke.map((_, index) => releasing(firstSlot + index)),
  };
}

function releasing(slot: number): Act {
  return (actor) => actor.release(slot);
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

function readCallback(node: AnyStateNode, src: unknown): Invocation['callback'] {
  const { actors } = node.machine.implementations as { actors: Record<string, unknown> };
  const logic = typeof src === 'string' ? actors[src] : src;
  const name = typeof src === 'string' ? `\`${src}\`` : 'an inline actor';
  if (logic === undefined) throw unsupported(node, `has no actor ${name}`);
  if (!isCallbackLogic(logic)) {
    throw unsupported(node, `invokes ${name}, which is not made by \`fromCallback\``);
  }
  return logic.config;
}

const REFERENCE = String(fromCallback(() => {}).start);

/** XState does not say of what kind its actors are. Those made by `fromCallback` share the source of `start`. */
function isCallbackLogic(logic: unknown): logic is { config: Invocation['callback'] } {
  return typeof logic === 'object' && logic !== null && 'start' in logic && String(logic.start) === REFERENCE;
}
