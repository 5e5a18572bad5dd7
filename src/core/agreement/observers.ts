/**
 * Who probes an upstream, in a cluster with more instances than it takes: rendezvous hashing (Thaler and
 * Ravishankar, "A Name-Based Mapping Scheme for Rendezvous", 1996). Each instance works it out by itself, all
 * come to the same, and an instance that comes or goes changes no more than its own share.
 */
import { type HashKey, hash32 } from '../hash.ts';

/** The same in every instance; nobody gains by names that collide. */
const KEY: HashKey = [0x5349474e, 0x414c424f];

/** Whether `instance` is among the `count` members that observe the upstream. It need not be a member yet. */
export function isObserver(
  instance: string,
  upstream: string,
  members: Iterable<string>,
  count: number,
): boolean {
  const own = rank(instance, upstream);
  let before = 0;
  for (const member of members) {
    if (member === instance) continue;
    const other = rank(member, upstream);
    if (other > own || (other === own && member > instance)) before++;
    if (before >= count) return false;
  }
  return true;
}

function rank(instance: string, upstream: string): number {
  return hash32(KEY, `${instance}\n${upstream}`) >>> 0;
}
