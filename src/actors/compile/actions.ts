import type { AnyStateNode } from 'xstate';
import type { Action, Args } from './args.ts';
import { type Params, paramsOf } from './params.ts';
import type { Part } from './parts.ts';
import type { Act, Context } from './program.ts';
import { unsupported } from './subset.ts';

type Assigner = (args: Args, params: unknown) => unknown;
type Assignment = Assigner | Readonly<Record<string, unknown>>;

export function readAction(node: AnyStateNode, action: unknown): Part {
  const name = nameOf(action);
  const { actions } = node.machine.implementations as { actions: Record<string, unknown> };
  const implementation = typeof action === 'function' ? action : actions[name];
  if (typeof implementation !== 'function') throw unsupported(node, `has no action \`${name}\``);
  const params = paramsOf(action);
  if (isAssign(implementation)) return { act: assigning(implementation.assignment, params), changes: true };
  if ('resolve' in implementation) {
    throw unsupported(node, `has the action \`${name}\`: of XState's own actions only \`assign\` is there`);
  }
  return { act: performing(implementation as Action, params), changes: false };
}

function performing(action: Action, params: Params | null): Act {
  if (params === null) return (actor) => actor.perform(action, undefined);
  return (actor) => actor.perform(action, params(actor.args));
}

function assigning(assignment: Assignment, params: Params | null): Act {
  const update = typeof assignment === 'function' ? updating(assignment) : updatingKeys(assignment);
  if (params === null) return (actor) => actor.assign(update(actor.args, undefined));
  return (actor) => actor.assign(update(actor.args, params(actor.args)));
}

type Update = (args: Args, params: unknown) => Context;

function updating(assigner: Assigner): Update {
  return (args, params) => Object.assign({}, args.context, assigner(args, params));
}

function updatingKeys(assignment: Readonly<Record<string, unknown>>): Update {
  const assigners = Object.entries(assignment).map(([key, value]): [string, Assigner] => [
    key,
    typeof value === 'function' ? (value as Assigner) : () => value,
  ]);
  return (args, params) => {
    const updated: Record<string, unknown> = { ...args.context };
    for (const [key, assigner] of assigners) updated[key] = assigner(args, params);
    return updated;
  };
}

function isAssign(implementation: object): implementation is { assignment: Assignment } {
  return 'type' in implementation && implementation.type === 'xstate.assign';
}

function nameOf(action: unknown): string {
  if (typeof action === 'string') return action;
  if (typeof action !== 'function') return String((action as { type: unknown }).type);
  return 'type' in action ? String(action.type) : action.name || '(inline)';
}
