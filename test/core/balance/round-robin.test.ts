import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RoundRobin, smoothCycle, TURNS_MAX } from '#core/balance/round-robin.ts';
import { integerBelow, seededRandom } from '#core/random.ts';
import { candidates, countNames, FixedLoad, pickNames, request, upstreams } from './pool.ts';

describe('round robin', () => {
  it('gives the sequence that nginx documents for weights 5, 1, 1', () => {
    const picked = pickNames(new RoundRobin(new FixedLoad()), candidates(upstreams(5, 1, 1)), 14);
    assert.equal(picked.join(' '), 'a a b a c a a a a b a c a a');
  });

  it('simply goes round when weights are equal', () => {
    const picked = pickNames(new RoundRobin(new FixedLoad()), candidates(upstreams(7, 7, 7)), 7);
    assert.equal(picked.join(' '), 'a b c a b c a');
  });

  it('is exact over workers that take turns in any order', () => {
    const load = new FixedLoad();
    const workers = [new RoundRobin(load), new RoundRobin(load), new RoundRobin(load)];
    const from = candidates(upstreams(5, 1, 3));
    const random = seededRandom(1);
    const picked: string[] = [];
    for (let pick = 0; pick < 9 * 100; pick++) {
      picked.push(workers[integerBelow(random, 3)]?.pick(from, request())?.name ?? 'none');
    }
    assert.deepEqual(countNames(picked), { a: 500, b: 100, c: 300 });
  });

  it('gives the load of an upstream that always fails to the others alike', () => {
    const members = upstreams(1, 1, 1);
    const from = candidates(members);
    const strategy = new RoundRobin(new FixedLoad());
    const served: string[] = [];
    for (let nth = 0; nth < 300; nth++) {
      const first = strategy.pick(from, request());
      const last = first?.name === 'a' ? strategy.pick(from, request([first])) : first;
      served.push(last?.name ?? 'none');
    }
    assert.deepEqual(countNames(served), { b: 150, c: 150 });
  });
});

describe('smoothCycle', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 12 });

  it("is nginx's algorithm, turn by turn", () => {
    fc.assert(
      fc.property(weights, (weights) => {
        const cycle = [...smoothCycle(weights)];
        assert.deepEqual(cycle, nginxTurns(weights, cycle.length));
      }),
      { numRuns: 50 },
    );
  });

  it('gives everyone as many turns as its weight, over the common divisor', () => {
    assert.deepEqual(countTurns(smoothCycle([100, 50, 250]), 3), [2, 1, 5]);
    assert.deepEqual(countTurns(smoothCycle([256, 1, 17]), 3), [256, 1, 17]);
  });

  it('scales down what would be too long, each off by half a turn at most or up to its one turn', () => {
    const random = seededRandom(1);
    const weights = Array.from({ length: 1000 }, () => 1 + integerBelow(random, 256));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const cycle = smoothCycle(weights);
    assert.ok(total > TURNS_MAX);
    assert.ok(cycle.length <= TURNS_MAX + weights.length);
    for (const [index, turns] of countTurns(cycle, weights.length).entries()) {
      const due = ((weights[index] ?? 0) * TURNS_MAX) / total;
      assert.ok(turns === 1 ? due < 1.5 : Math.abs(turns - due) <= 0.5, `${turns} turns for ${due}`);
    }
  });
});

/** The textbook form: everyone gains its weight, the richest takes the turn and pays the total. */
function nginxTurns(weights: readonly number[], count: number): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const current = weights.map(() => 0);
  return Array.from({ length: count }, () => {
    for (const [index, weight] of weights.entries()) current[index] = (current[index] ?? 0) + weight;
    const best = current.indexOf(Math.max(...current));
    current[best] = (current[best] ?? 0) - total;
    return best;
  });
}

function countTurns(cycle: Uint16Array, members: number): number[] {
  const turns = new Array<number>(members).fill(0);
  for (const member of cycle) turns[member] = (turns[member] ?? 0) + 1;
  return turns;
}
