import type { AnyStateNode } from 'xstate';
import { messageOf, SignalboxError } from '#core/errors.ts';
import { paramsOf } from './actions.ts';
import type { Call, Guard } from './acts.ts';
import { unsupported } from './subset.ts';

/** `event` is what the guard is asked on. */
export function readGuard(node: AnyStateNode, guard: unknown, event: string): Guard | null {
  if (guard === undefined) return null;
  const name = nameOf(guard);
  const { guards } = node.machine.implementations as { guards: Record<string, unknown> };
  const implementation = typeof guard === 'function' ? guard : guards[name];
  if (typeof implementation !== 'function') throw unsupported(node, `has no guard \`${name}\``);
  if ('check' in implementation) {
    throw unsupported(node, `has the guard \`${name}\` made of others (and, or, not, stateIn)`);
  }
  return {
    ask: implementation as Call,
    params: paramsOf(guard),
    failed: (cause) => {
      const text = `Guard ${name} of state ${node.id} threw on ${event}: ${messageOf(cause)}`;
      return new SignalboxError('machine_failed', 'signalbox', text, { cause });
    },
  };
}

function nameOf(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'function') return guard.name || '(inline)';
  return String((guard as { type: unknown }).type);
}
