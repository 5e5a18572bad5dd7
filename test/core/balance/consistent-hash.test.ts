import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ConsistentHash, RING_POINTS_MAX, ringHash } from '#core/balance/consistent-hash.ts';
import type { Candidates } from '#core/balance/strategy.ts';
import { candidates, countNames, request, upstreams } from './pool.ts';

const KEYS = Array.from({ length: 2000 }, (_, client) => `client-${client}`);

describe('consistent_hash', () => {
  it('sends a key to the same upstream in every worker, instance and version', () => {
    // Written down once: a change here moves the users of every cluster while it is being upgraded.
    const owners = ownersOf(candidates(upstreams(1, 1, 1)), ['alice', 'bob', 'carol', 'dave', 'eve']);
    assert.equal(owners.join(' '), 'b c c a b');
  });

  it('does not depend on the order of the upstreams, nor on their addresses', () => {
    const members = upstreams(1, 3, 2, 1);
    const moved = members.toReversed().map((upstream) => ({ ...upstream, address: '10.0.0.9' }));
    assert.deepEqual(ownersOf(candidates(members)), ownersOf(candidates(moved)));
  });

  it('sends keys to the upstreams of the pool as it is now, when only an address has changed', () => {
    const members = upstreams(1, 2);
    const moved = members.map((upstream) => ({ ...upstream, address: '10.0.0.9' }));
    const strategy = new ConsistentHash();
    strategy.pick(candidates(members), request());
    assert.ok(moved.includes(strategy.pick(candidates(moved), request()) ?? assert.fail()));
    const heavier = moved.map((upstream, index) => ({ ...upstream, weight: index === 0 ? 50 : 1 }));
    const from = candidates(heavier);
    const names = KEYS.map((key) => strategy.pick(from, request([], ringHash(key)))?.name ?? '');
    assert.ok((countNames(names)['a'] ?? 0) > KEYS.length * 0.9);
  });

  it('moves the keys of a removed upstream only, about 1/n of all', () => {
    const pool = fc
      .integer({ min: 2, max: 20 })
      .chain((count) => fc.tuple(fc.constant(count), fc.nat(count - 1)));
    fc.assert(
      fc.property(pool, fc.integer({ min: 1, max: 256 }), ([count, removed], weight) => {
        const members = upstreams(...new Array<number>(count).fill(weight));
        const gone = members[removed];
        const before = ownersOf(candidates(members));
        const after = ownersOf(candidates(members.filter((upstream) => upstream !== gone)));
        let moved = 0;
        for (const [index, owner] of before.entries()) {
          if (owner === gone?.name) moved++;
          else assert.equal(after[index], owner);
        }
        assert.ok(moved / KEYS.length < 1.6 / count, `${moved} of ${KEYS.length} with ${count} upstreams`);
        assert.ok(moved / KEYS.length > 0.5 / count, `${moved} of ${KEYS.length} with ${count} upstreams`);
      }),
      { numRuns: 30 },
    );
  });

  it('moves the keys of an avoided upstream only, whatever the weights, to several others', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(weights, fc.nat(), (weights, nth) => {
        const members = upstreams(...weights);
        const avoided = members[nth % members.length];
        const before = ownersOf(candidates(members));
        const after = ownersOf(
          candidates(
            members,
            members.filter((upstream) => upstream !== avoided),
          ),
        );
        for (const [index, owner] of before.entries()) {
          if (owner === avoided?.name) assert.notEqual(after[index], owner);
          else assert.equal(after[index], owner);
        }
      }),
      { numRuns: 30 },
    );
    const members = upstreams(1, 1, 1, 1, 1);
    const without = ownersOf(candidates(members, members.slice(1)));
    const heirs = ownersOf(candidates(members)).map((owner, index) => (owner === 'a' ? without[index] : 'a'));
    assert.deepEqual(new Set(heirs), new Set(['a', 'b', 'c', 'd', 'e']));
  });

  it('asks on a failover the upstream that would own the key without the tried one', () => {
    const members = upstreams(1, 2, 3);
    const strategy = new ConsistentHash();
    for (const key of KEYS.slice(0, 200)) {
      const keyHash = ringHash(key);
      const first = strategy.pick(candidates(members), request([], keyHash));
      assert.ok(first !== undefined);
      const next = strategy.pick(candidates(members), request([first], keyHash));
      const left = members.filter((upstream) => upstream !== first);
      assert.equal(next?.name, strategy.pick(candidates(members, left), request([], keyHash))?.name);
    }
  });

  it('spreads keys by weight, within four standard deviations of its points', () => {
    const members = upstreams(4, 4, 2, 4, 2);
    const keys = Array.from({ length: 50_000 }, (_, client) => `10.1.${client >> 8}.${client & 255}`);
    const counts = countNames(ownersOf(candidates(members), keys));
    for (const { name, weight } of members) {
      const due = weight / 16;
      const bound = (4 * due) / Math.sqrt((RING_POINTS_MAX * weight) / 4);
      const had = (counts[name] ?? 0) / keys.length;
      assert.ok(Math.abs(had - due) < bound, `${name} had ${had}, due ${due} ± ${bound}`);
    }
  });
});

function ownersOf(from: Candidates, keys: readonly string[] = KEYS): string[] {
  const strategy = new ConsistentHash();
  return keys.map((key) => strategy.pick(from, request([], ringHash(key)))?.name ?? 'none');
}
