/** The statecharts that can be compiled. Whatever a machine has beyond them is an error, never left out. */
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { SignalboxError } from '#core/errors.ts';

const NODE_KEYS = [
  'id',
  'type',
  'initial',
  'states',
  'entry',
  'exit',
  'on',
  'always',
  'after',
  'invoke',
  'description',
  'meta',
  'tags',
];
const FINAL_KEYS = ['id', 'type', 'entry', 'exit', 'output', 'description', 'meta', 'tags'];
const ROOT_KEYS = [...NODE_KEYS, 'context', 'output', 'version', 'types', 'schemas'];
const INITIAL_KEYS = ['target', 'actions', 'description', 'meta'];
const INVOKE_KEYS = ['id', 'src', 'input', 'onError'];
/** Those that a config may have, and those that XState adds when it reads it. */
const TRANSITION_KEYS = [
  ...['target', 'actions', 'guard', 'reenter', 'description', 'meta'],
  ...['source', 'eventType', 'toJSON', 'event', 'delay'],
];

export function unsupported(node: AnyStateNode, what: string): SignalboxError {
  return new SignalboxError(
    'machine_unsupported',
    'signalbox',
    `The machine cannot be compiled: state ${node.id} ${what}`,
  );
}

/** Throws for the first thing in the machine's structure that is not in the subset. */
export function checkStructure(machine: AnyStateMachine): void {
  const ids = new Set<string>();
  checkNode(machine.root, ids);
}

function checkNode(node: AnyStateNode, idsAround: ReadonlySet<string>): void {
  checkKind(node);
  checkKeys(node, node.config, keysFor(node), '');
  if (typeof node.config.initial === 'object') {
    checkKeys(node, node.config.initial, INITIAL_KEYS, ' in `initial`');
  }
  const ids = checkInvokes(node, idsAround);
  for (const [event, transitions] of node.transitions) {
    checkEvent(node, event);
    for (const transition of transitions) checkTransition(node, transition, event);
  }
  for (const transition of node.always ?? []) checkTransition(node, transition, 'always');
  for (const child of Object.values(node.states)) checkNode(child, ids);
}

function checkKind(node: AnyStateNode): void {
  const { type, parent, machine } = node;
  if (type === 'parallel' || type === 'history') throw unsupported(node, `is a ${type} state`);
  if (type === 'final' && parent === undefined) throw unsupported(node, 'is the machine itself, and final');
  if (type === 'final' && parent !== machine.root) {
    throw unsupported(node, 'is final below the top level: only states of the machine itself may be');
  }
  if (type === 'atomic' && Object.keys(node.states).length > 0) {
    throw unsupported(node, 'has states, but says that it is atomic');
  }
}

function keysFor({ type, parent }: AnyStateNode): readonly string[] {
  if (parent === undefined) return ROOT_KEYS;
  return type === 'final' ? FINAL_KEYS : NODE_KEYS;
}

function checkKeys(node: AnyStateNode, config: object, known: readonly string[], where: string): void {
  for (const [key, value] of Object.entries(config)) {
    if (value !== undefined && !known.includes(key)) throw unsupported(node, `has \`${key}\`${where}`);
  }
}

/** An event of XState's own may come from a key of the config only by way of `after` and `onError`. */
function checkEvent(node: AnyStateNode, event: string): void {
  if (event !== '*' && event.includes('*')) {
    throw unsupported(node, `has a transition for \`${event}\`: only \`*\` alone can stand for any event`);
  }
  if (event.startsWith('xstate.') && Object.hasOwn(node.config.on ?? {}, event)) {
    throw unsupported(node, `has a transition for \`${event}\`, an event of XState's own`);
  }
}

function checkTransition(
  node: AnyStateNode,
  transition: { readonly target: readonly AnyStateNode[] | undefined },
  event: string,
): void {
  checkKeys(node, transition, TRANSITION_KEYS, ` in a transition for \`${event}\``);
  const targets = transition.target ?? [];
  if (targets.length > 1) throw unsupported(node, `goes to several states at once on \`${event}\``);
  if (targets[0] === node.machine.root) throw unsupported(node, `goes to the machine itself on \`${event}\``);
}

/** The ids of the steps that run in this state, those of the states around it included. */
function checkInvokes(node: AnyStateNode, idsAround: ReadonlySet<string>): ReadonlySet<string> {
  const ids = new Set(idsAround);
  for (const invoke of configuredInvokes(node)) checkKeys(node, invoke, INVOKE_KEYS, ' in `invoke`');
  for (const { id } of node.invoke) {
    if (ids.has(id)) throw unsupported(node, `invokes \`${id}\`, which runs already`);
    // XState lists its actors by id, and JavaScript lists such keys by their number, before all others.
    if (/^\d+$/.test(id)) throw unsupported(node, `invokes \`${id}\`: an id must not be a number`);
    ids.add(id);
  }
  return ids;
}

/** `invoke` as it stands in the config, as a list. */
export function configuredInvokes(node: AnyStateNode): readonly Record<string, unknown>[] {
  const { invoke = [] } = node.config;
  return (Array.isArray(invoke) ? invoke : [invoke]) as Record<string, unknown>[];
}
