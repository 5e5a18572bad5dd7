/**
 * Which states a transition leaves and enters: the algorithm of SCXML as XState has it, without what only
 * parallel and history states need. All of it is known before the machine runs.
 */
import type { AnyStateNode } from 'xstate';

export type Move = {
  readonly source: AnyStateNode;
  /** Null: actions only. */
  readonly target: AnyStateNode | null;
  /** Whether a transition to the source or into it leaves the source first. */
  readonly reenter: boolean;
};

export type Entry = {
  readonly node: AnyStateNode;
  /** Whether the actions of its `initial` run: not in states that are passed on the way to the target. */
  readonly isInitial: boolean;
};

/** Active states from the machine down to `node`. */
export function chainOf(node: AnyStateNode): AnyStateNode[] {
  return node.parent === undefined ? [node] : [...chainOf(node.parent), node];
}

/** States that are left when the move is made in `leaf`, innermost first. */
export function exitsOf(move: Move, leaf: AnyStateNode): AnyStateNode[] {
  if (move.target === null) return [];
  const domain = domainOf(move, move.target);
  return chainOf(leaf)
    .filter((node) => domain === null || isBelow(node, domain))
    .reverse();
}

/** States that are entered, outermost first; the last one is where the machine then is. */
export function entriesOf(move: Move): Entry[] {
  const { source, target } = move;
  if (target === null) return [];
  const domain = domainOf(move, target);
  const passed = chainOf(target).filter(
    (node) => node !== target && (domain === null || isBelow(node, domain)),
  );
  const stays = target === source && target === domain;
  return [
    ...passed.map((node) => ({ node, isInitial: false })),
    ...descent(target)
      .slice(stays ? 1 : 0)
      .map((node) => ({ node, isInitial: true })),
  ];
}

/** From `node` down its initial states. */
export function descent(node: AnyStateNode): AnyStateNode[] {
  const [first] = node.type === 'compound' ? node.initial.target : [];
  return first === undefined ? [node] : [node, ...descent(first)];
}

/** The innermost state that stays active throughout; null where even the machine is left and entered again. */
function domainOf({ source, reenter }: Move, target: AnyStateNode): AnyStateNode | null {
  if (!reenter && (target === source || isBelow(target, source))) return source;
  const around = chainOf(target).reverse().slice(1);
  return around.find((node) => isBelow(source, node)) ?? null;
}

function isBelow(node: AnyStateNode, ancestor: AnyStateNode): boolean {
  return node !== ancestor && chainOf(node).includes(ancestor);
}
