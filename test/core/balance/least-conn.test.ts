import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LeastConn } from '#core/balance/least-conn.ts';
import { candidates, countNames, FixedLoad, pickNames, request, upstreams } from './pool.ts';

describe('least_conn', () => {
  it('picks the upstream with the fewest requests in flight', () => {
    const load = new FixedLoad();
    load.requests.set(0, 3).set(1, 1).set(2, 2);
    assert.equal(new LeastConn(load).pick(candidates(upstreams(1, 1, 1)), request())?.name, 'b');
  });

  it('lets a heavier upstream have more', () => {
    const load = new FixedLoad();
    load.requests.set(0, 5).set(1, 2);
    assert.equal(new LeastConn(load).pick(candidates(upstreams(3, 1)), request())?.name, 'a');
  });

  it('picks a minimum of (in flight + 1) ÷ weight, whatever the pool', () => {
    const peer = fc.record({ weight: fc.integer({ min: 1, max: 256 }), busy: fc.nat(1000) });
    fc.assert(
      fc.property(fc.array(peer, { minLength: 1, maxLength: 20 }), (peers) => {
        const load = new FixedLoad();
        for (const [slot, { busy }] of peers.entries()) load.requests.set(slot, busy);
        const from = candidates(upstreams(...peers.map(({ weight }) => weight)));
        const picked = new LeastConn(load).pick(from, request());
        assert.ok(picked !== undefined);
        const least = Math.min(...peers.map(({ weight, busy }) => (busy + 1) / weight));
        assert.equal((load.inFlight(picked.slot) + 1) / picked.weight, least);
      }),
    );
  });

  it('fills a pool in proportion to the weights', () => {
    const load = new FixedLoad();
    const strategy = new LeastConn(load);
    const from = candidates(upstreams(4, 2, 1));
    for (let begun = 0; begun < 700; begun++) {
      const slot = strategy.pick(from, request())?.slot ?? -1;
      load.requests.set(slot, load.inFlight(slot) + 1);
    }
    assert.deepEqual([...load.requests].sort(), [
      [0, 400],
      [1, 200],
      [2, 100],
    ]);
  });

  it('spreads an idle pool evenly', () => {
    const picked = pickNames(new LeastConn(new FixedLoad()), candidates(upstreams(1, 1, 1)), 300);
    assert.deepEqual(countNames(picked), { a: 100, b: 100, c: 100 });
  });

  it("does not give a busy upstream's turns to its neighbour alone", () => {
    const load = new FixedLoad();
    load.requests.set(1, 1);
    const picked = pickNames(new LeastConn(load), candidates(upstreams(1, 1, 1, 1)), 300);
    assert.deepEqual(countNames(picked), { a: 100, c: 100, d: 100 });
  });

  it('uses a large idle pool evenly', () => {
    const weights = Array.from({ length: 100 }, () => 1);
    const picked = pickNames(new LeastConn(new FixedLoad()), candidates(upstreams(...weights)), 1000);
    assert.deepEqual(new Set(Object.values(countNames(picked))), new Set([10]));
  });

  it('leaves out what is busy in a large pool', () => {
    const load = new FixedLoad();
    const strategy = new LeastConn(load);
    const from = candidates(upstreams(...Array.from({ length: 200 }, () => 1)));
    for (let slot = 0; slot < 200; slot += 2) load.requests.set(slot, 5);
    for (let begun = 0; begun < 500; begun++) {
      const slot = strategy.pick(from, request())?.slot ?? -1;
      load.requests.set(slot, load.inFlight(slot) + 1);
    }
    // The idle half came up to the busy one, more or less: nobody looks at all of them.
    const loads = [...load.requests.values()];
    assert.equal(loads.length, 200);
    for (const requests of loads) assert.ok(requests >= 3 && requests <= 6, `${requests} in flight`);
  });

  it('finds the last untried one of a large pool', () => {
    const from = candidates(upstreams(...Array.from({ length: 200 }, () => 1)));
    const [untried, ...tried] = from.upstreams;
    const strategy = new LeastConn(new FixedLoad());
    for (let pick = 0; pick < 200; pick++) assert.equal(strategy.pick(from, request(tried)), untried);
    assert.equal(strategy.pick(from, request(from.upstreams)), undefined);
  });
});
