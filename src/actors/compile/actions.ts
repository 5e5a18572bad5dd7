import type { AnyStateNode } from 'xstate';
import type { Assignment, Call, Params } from './acts.ts';
import type { Part } from './parts.ts';
import { unsupported } from './subset.ts';

type Assign = Call | Readonly<Record<string, unknown>>;

export function readAction(node: AnyStateNode, action: unknown): Part {
  const name = nameOf(action);
  const { actions } = node.machine.implementations as { actions: Record<string, unknown> };
  const implementation = typeof action === 'function' ? action : actions[name];
  if (typeof implementation !== 'function') throw unsupported(node, `has no action \`${name}\``);
  const params = paramsOf(action);
  if (isAssign(implementation)) return assigning(implementation.assignment, params);
  if ('resolve' in implementation) {
    throw unsupported(node, `has the action \`${name}\`: of XState's own actions only \`assign\` is there`);
  }
  return { act: { kind: 'perform', action: implementation as Call, params }, changes: false };
}

/** The params of a guard or action as the chart names it; null where it has none. */
export function paramsOf(named: unknown): Params | null {
  if (typeof named !== 'object' || named === null || !('params' in named)) return null;
  const { params } = named;
  return typeof params === 'function' ? (params as Params) : () => params;
}

function assigning(assign: Assign, params: Params | null): Part {
  if (typeof assign === 'function')
    return { act: { kind: 'assignAll', assigner: assign, params }, changes: true };
  const assignments = Object.entries(assign).map(
    ([key, value]): Assignment =>
      typeof value === 'function'
        ? { key, assigner: value as Call, value: undefined }
        : { key, assigner: null, value },
  );
  return { act: { kind: 'assign', assignments, params }, changes: true };
}

function isAssign(implementation: object): implementation is { assignment: Assign } {
  return 'type' in implementation && implementation.type === 'xstate.assign';
}

function nameOf(action: unknown): string {
  if (typeof action === 'string') return action;
  if (typeof action !== 'function') return String((action as { type: unknown }).type);
  return 'type' in action ? String(action.type) : action.name || '(inline)';
}
