/**
 * Who fills an empty registry. A bucket is empty when a cluster begins, and again when NATS has lost its
 * storage. Then every instance could fill it, each with what it serves, and one has to win: the one that knows
 * most. What an instance knows is its claim; whoever fills the registry leaves its claim there, under a key of
 * its own, which also says that a registry without upstreams is meant to be so.
 */

/** Higher claims win: by generation, then by revision. */
export type Claim = {
  /** How often the registry was filled: 1 from a configuration file, one more each time that it was lost. */
  readonly generation: number;
  /** Of the lost registry, as far as it was known; 0 from a file. */
  readonly revision: number;
};

export type Seed = Claim & {
  /** While it is `filling`, nobody serves from the registry what is not all there. */
  readonly phase: 'filling' | 'filled';
};

/** The registry as a watch has told of it. */
export type Found = {
  readonly seed: { readonly value: Seed; readonly revision: number } | null;
  readonly isEmpty: boolean;
  /** Of the latest change, deletions included. */
  readonly revision: number;
  /** Whether this is not the registry that the instance serves from. */
  readonly isNew: boolean;
};

export const CLAIM_OF_FILE: Claim = { generation: 1, revision: 0 };

/** Far more often than a registry is ever lost; a forged claim goes no further. */
export const GENERATION_MAX = 1_000_000;

/** Of an instance that has served this revision of a registry that is lost now. */
export function claimAfter(seed: Claim | null, revision: number): Claim {
  return { generation: Math.min(GENERATION_MAX, (seed?.generation ?? 1) + 1), revision };
}

/**
 * `serve` it; `wait` until whoever fills it has done so; or `fill` it with what the instance serves. A
 * registry that somebody has edited since it was filled is never replaced, whatever was known before.
 */
export function decide({ seed, isEmpty, revision, isNew }: Found, claim: Claim): 'serve' | 'wait' | 'fill' {
  if (seed === null) return isEmpty ? 'fill' : 'serve';
  const isBehind = isNew && isHigher(claim, seed.value);
  if (seed.value.phase === 'filling') return isBehind ? 'fill' : 'wait';
  const isEdited = revision !== seed.revision;
  return isBehind && !isEdited ? 'fill' : 'serve';
}

function isHigher(a: Claim, b: Claim): boolean {
  return a.generation === b.generation ? a.revision > b.revision : a.generation > b.generation;
}
