import type { AnyStateNode } from 'xstate';
import { messageOf, SignalboxError } from '#core/errors.ts';
import { paramsOf } from './params.ts';
import type { Guard } from './program.ts';
import { unsupported } from './subset.ts';

type GuardFunction = (args: unknown, params: unknown) => unknown;

/** `event` is what the guard is asked on, for the message when it throws. */
export function readGuard(node: AnyStateNode, guard: unknown, event: string): Guard | null {
  if (guard === undefined) return null;
  const name = nameOf(guard);
  const { guards } = node.machine.implementations as { guards: Record<string, unknown> };
  const implementation = typeof guard === 'function' ? guard : guards[name];
  if (typeof implementation !== 'function') throw unsupported(node, `has no guard \`${name}\``);
  if ('check' in implementation) {
    throw unsupported(node, `has the guard \`${name}\` made of others (and, or, not, stateIn)`);
  }
  const ask = implementation as GuardFunction;
  const params = paramsOf(guard);

  return (args) => {
    try {
      return Boolean(params === null ? ask(args, undefined) : ask(args, params(args)));
    } catch (error) {
      const text = `Guard ${name} of state ${node.id} threw on ${event}: ${messageOf(error)}`;
      throw new SignalboxError('machine_failed', 'signalbox', text, { cause: error });
    }
  };
}

function nameOf(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'function') return guard.name || '(inline)';
  return String((guard as { type: unknown }).type);
}
