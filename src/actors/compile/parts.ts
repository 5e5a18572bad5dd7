import type { AnyStateNode } from 'xstate';
import { readAction } from './actions.ts';
import type { Act } from './acts.ts';
import { readDelays, readInvokes } from './holdings.ts';

/** An act, and whether it changes context or steps; whoever writes a transition adds these up. */
export type Part = { readonly act: Act; readonly changes: boolean };

/** What happens when a state is entered and left, in this order. */
export type StateParts = {
  readonly entering: readonly Part[];
  /** The actions of its `initial`. */
  readonly initial: readonly Part[];
  readonly leaving: readonly Part[];
};

export function readParts(node: AnyStateNode): StateParts {
  const { entry, exit } = node.config as { entry: unknown; exit: unknown };
  const firstSlot = slotsAround(node);
  const delays = readDelays(node, firstSlot);
  const steps = readInvokes(node, firstSlot + delays.length);
  return {
    entering: [...readActions(node, entry), ...plain(delays), ...changing(steps)],
    initial: readActions(node, node.initial.actions),
    leaving: [...readActions(node, exit), ...plain(delays.map(leaving)), ...changing(steps.map(leaving))],
  };
}

/** `actions` as in a config: none, one or many. */
export function readActions(node: AnyStateNode, actions: unknown = []): Part[] {
  return (Array.isArray(actions) ? actions : [actions]).map((action) => readAction(node, action));
}

/** States that are never active together share their slots. */
function slotsAround({ parent }: AnyStateNode): number {
  return parent === undefined ? 0 : slotsOf(parent);
}

/** Slots that are taken while this state is active, by it and those around it. */
export function slotsOf(node: AnyStateNode): number {
  return slotsAround(node) + Object.keys(node.config.after ?? {}).length + node.invoke.length;
}

function leaving({ slot }: { readonly slot: number }): Act {
  return { kind: 'leave', slot };
}

function plain(acts: readonly Act[]): Part[] {
  return acts.map((act) => ({ act, changes: false }));
}

function changing(acts: readonly Act[]): Part[] {
  return acts.map((act) => ({ act, changes: true }));
}
