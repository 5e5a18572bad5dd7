import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isObserver } from '#core/agreement/observers.ts';

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
const observersOf = (upstream: string, members: readonly string[], count: number) =>
  members.filter((member) => isObserver(member, upstream, members, count));

describe('observers', () => {
  it('are all members while there are no more than are wanted', () => {
    const members = names('instance', 5);
    for (const upstream of names('pool/red', 20)) assert.equal(observersOf(upstream, members, 5).length, 5);
  });

  it('are exactly as many as are wanted in a larger cluster', () => {
    const members = names('instance', 40);
    for (const upstream of names('pool/red', 50)) assert.equal(observersOf(upstream, members, 3).length, 3);
  });

  it('share the upstreams evenly', () => {
    const members = names('instance', 10);
    const shares = new Map<string, number>();
    for (const upstream of names('pool/red', 2000)) {
      for (const member of observersOf(upstream, members, 3)) {
        shares.set(member, (shares.get(member) ?? 0) + 1);
      }
    }
    for (const share of shares.values()) assert.ok(share > 500 && share < 700, `${share} of 600`);
  });

  it('change only where the member that left was one', () => {
    const members = names('instance', 10);
    const [gone] = members;
    const rest = members.slice(1);
    for (const upstream of names('pool/red', 200)) {
      const before = observersOf(upstream, members, 3);
      const after = observersOf(upstream, rest, 3);
      const stayed = before.filter((member) => member !== gone);
      assert.deepEqual(
        stayed.filter((member) => !after.includes(member)),
        [],
      );
    }
  });

  it('include an instance that hears nobody', () => {
    assert.ok(isObserver('alone', 'pool/red', [], 1));
  });
});
