import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { P2cEwma } from '#core/balance/p2c-ewma.ts';
import { seededRandom } from '#core/random.ts';
import { candidates, countNames, FixedLoad, pickNames, request, upstreams } from './pool.ts';

describe('p2c_ewma', () => {
  it('prefers the faster of two', () => {
    const load = new FixedLoad();
    load.latencies.set(0, 20).set(1, 5);
    assert.deepEqual(pickNames(strategyFor(load), candidates(upstreams(1, 1)), 3), ['b', 'b', 'b']);
  });

  it('prefers the slower one when the faster one is that much busier', () => {
    const load = new FixedLoad();
    load.latencies.set(0, 20).set(1, 5);
    load.requests.set(1, 4);
    assert.deepEqual(pickNames(strategyFor(load), candidates(upstreams(1, 1)), 3), ['a', 'a', 'a']);
  });

  it('takes weight for capacity', () => {
    const load = new FixedLoad();
    load.latencies.set(0, 20).set(1, 5);
    assert.deepEqual(pickNames(strategyFor(load), candidates(upstreams(5, 1)), 3), ['a', 'a', 'a']);
  });

  it('spreads equals evenly, and never picks the worst of many', () => {
    const load = new FixedLoad();
    load.latencies.set(0, 5).set(1, 5).set(2, 5).set(3, 50);
    const counts = countNames(pickNames(strategyFor(load), candidates(upstreams(1, 1, 1, 1)), 30_000));
    assert.deepEqual(Object.keys(counts).sort(), ['a', 'b', 'c']);
    for (const count of Object.values(counts)) assert.ok(Math.abs(count - 10_000) < 500, `${count}`);
  });

  it('sends one request to an unmeasured upstream and waits for the answer', () => {
    const load = new FixedLoad();
    load.latencies.set(0, 20);
    const strategy = strategyFor(load);
    const from = candidates(upstreams(1, 1));
    assert.equal(strategy.pick(from, request())?.name, 'b');
    load.requests.set(1, 1);
    assert.deepEqual(pickNames(strategy, from, 3), ['a', 'a', 'a']);
    load.latencies.set(1, 2);
    load.requests.set(1, 0);
    assert.deepEqual(pickNames(strategy, from, 3), ['b', 'b', 'b']);
  });
});

function strategyFor(load: FixedLoad): P2cEwma {
  return new P2cEwma(load, seededRandom(1));
}
