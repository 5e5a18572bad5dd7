/** Reads a machine's own definition into a program. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import type { Act, Candidate } from './acts.ts';
import { emitBegin, emitSlots, emitTake, emitTakeAny } from './emit.ts';
import { readGuard } from './guards.ts';
import { finishing } from './output.ts';
import { type Part, readActions, readParts, type StateParts, slotsOf } from './parts.ts';
import { chainOf, descent, type Entry, entriesOf, exitsOf } from './paths.ts';
import type { Context, Leaf, Program, Take, TakeAny } from './program.ts';
import { checkStructure } from './subset.ts';

/** Throws for anything outside of the subset, naming the state. */
export function readProgram(machine: AnyStateMachine): Program {
  checkStructure(machine);
  const { root } = machine;
  const nodes = nodesOf(root);
  const reader = new Reader(root, nodes);
  const beginning = descent(root).map((node) => ({ node, isInitial: true }));
  const context: unknown = machine.config.context;
  const acts = actsOf(reader.entering(beginning));
  const beginsAtRest = !mayGoOn(beginning.at(-1)?.node ?? root) && acts.every(mayBeDoneAtOnce);
  return {
    begin: emitBegin(acts, beginsAtRest),
    beginsAtRest,
    initialLeaf: reader.leafAfter(beginning, root),
    staticContext: typeof context === 'function' ? {} : ((context ?? {}) as Context),
    makeContext: typeof context === 'function' ? (context as Program['makeContext']) : null,
    makeSlots: emitSlots(Math.max(...nodes.map(slotsOf))),
  };
}

function nodesOf(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(nodesOf)];
}

/** A leaf that is still being read: transitions lead to leaves, so these have to be there first. */
type Draft = Leaf & { take: TakeAny; always: Take | null };

class Reader {
  readonly #root: AnyStateNode;
  readonly #parts: ReadonlyMap<AnyStateNode, StateParts>;
  readonly #leaves: ReadonlyMap<AnyStateNode, Draft>;

  constructor(root: AnyStateNode, nodes: readonly AnyStateNode[]) {
    this.#root = root;
    this.#parts = new Map(nodes.map((node) => [node, readParts(node)]));
    this.#leaves = new Map(
      nodes
        .filter(({ type }) => type !== 'compound')
        .map((node, number) => [
          node,
          { path: node.path.join('.'), number, take: () => null, always: null } satisfies Draft,
        ]),
    );
    for (const [node, leaf] of this.#leaves) this.#readTransitions(node, leaf);
  }

  /** Where the machine is after these entries; `node` if there are none. */
  leafAfter(entries: readonly Entry[], node: AnyStateNode): Leaf {
    const last = entries.at(-1)?.node ?? node;
    const leaf = this.#leaves.get(last);
    if (leaf === undefined) throw new Error(`State ${last.id} is not a leaf`);
    return leaf;
  }

  entering(entries: readonly Entry[]): Part[] {
    const parts = entries.flatMap(({ node, isInitial }) => {
      const { entering, initial } = this.#of(node);
      return isInitial ? [...entering, ...initial] : entering;
    });
    const last = entries.at(-1)?.node;
    return last?.type === 'final' ? [...parts, ...this.#ending(last)] : parts;
  }

  /** A machine that ends leaves all its states. */
  #ending(final: AnyStateNode): Part[] {
    const finish = { act: finishing(this.#root, final), changes: true };
    return [finish, ...this.#of(final).leaving, ...this.#of(this.#root).leaving];
  }

  #readTransitions(node: AnyStateNode, leaf: Draft): void {
    if (node.type === 'final') return;
    const around = chainOf(node).reverse();
    const read = (event: string, candidatesOf: (source: AnyStateNode) => AnyTransitionDefinition[]) =>
      around.flatMap(candidatesOf).map((transition) => this.#read(transition, event, node, leaf));
    const emit = (event: string, candidates: readonly Candidate[]) =>
      emitTake(`${leaf.path} on ${event}`, candidates);
    const forAny = ({ transitions }: AnyStateNode) => transitions.get('*') ?? [];

    const takes = new Map<string, Take>();
    for (const event of new Set(around.flatMap(({ transitions }) => [...transitions.keys()]))) {
      if (event === '*') continue;
      const candidates = read(event, (source) => [
        ...(source.transitions.get(event) ?? []),
        ...forAny(source),
      ]);
      takes.set(event, emit(event, candidates));
    }
    const otherwise = read('*', forAny);
    leaf.take = emitTakeAny(leaf.path, takes, otherwise.length > 0 ? emit('any', otherwise) : null);
    const always = read('always', alwaysOf).map((candidate) => ({ ...candidate, rests: false }));
    if (always.length > 0) leaf.always = emit('always', always);
  }

  #read(transition: AnyTransitionDefinition, event: string, node: AnyStateNode, leaf: Leaf): Candidate {
    const { source, target, reenter, guard, actions } = transition;
    const move = { source, target: target?.[0] ?? null, reenter };
    const entries = entriesOf(move);
    const parts = [
      ...exitsOf(move, node).flatMap((left) => this.#of(left).leaving),
      ...readActions(source, actions),
      ...this.entering(entries),
    ];
    const to = this.leafAfter(entries, node);
    return {
      guard: readGuard(source, guard, event),
      acts: actsOf(parts),
      transition: { to, changes: to !== leaf || parts.some(({ changes }) => changes) },
      rests: !mayGoOn(entries.at(-1)?.node ?? node),
    };
  }

  #of(node: AnyStateNode): StateParts {
    const parts = this.#parts.get(node);
    if (parts === undefined) throw new Error(`State ${node.id} is not of this machine`);
    return parts;
  }
}

function alwaysOf({ always }: AnyStateNode): AnyTransitionDefinition[] {
  return always ?? [];
}

/** Whether a transition may be taken in this leaf as soon as the machine is there. */
function mayGoOn(leaf: AnyStateNode): boolean {
  return leaf.type !== 'final' && chainOf(leaf).some((node) => alwaysOf(node).length > 0);
}

/** When the machine begins: actions wait until its steps have started, and what ends at once starts none. */
function mayBeDoneAtOnce({ kind }: Act): boolean {
  return kind !== 'perform' && kind !== 'finish';
}

function actsOf(parts: readonly Part[]): Act[] {
  return parts.map(({ act }) => act);
}
