import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createStrategy } from '#core/balance/create-strategy.ts';
import { seededRandom } from '#core/random.ts';
import type { StrategyChoice } from '#core/table.ts';
import { candidates, FixedLoad, pickNames, request, upstreams } from './pool.ts';

const CHOICES: readonly StrategyChoice[] = [
  { kind: 'round_robin' },
  { kind: 'random' },
  { kind: 'least_conn' },
  { kind: 'p2c_ewma' },
  { kind: 'consistent_hash', key: { kind: 'client_ip' } },
];

describe('every strategy', () => {
  for (const choice of CHOICES) {
    const create = () => createStrategy(choice, new FixedLoad(), seededRandom(1));

    it(`${choice.kind} picks nobody where there is nobody`, () => {
      assert.equal(create().pick(candidates([]), request()), undefined);
      assert.equal(create().pick(candidates(upstreams(1, 1), []), request()), undefined);
    });

    it(`${choice.kind} never repeats an upstream, reaches them all, then gives up`, () => {
      const members = upstreams(5, 1, 2, 1);
      const from = candidates(members);
      const strategy = create();
      for (let round = 0; round < 50; round++) {
        const tried: (typeof members)[number][] = [];
        for (let attempt = 0; attempt < members.length; attempt++) {
          const picked = strategy.pick(from, request(tried, round));
          assert.ok(picked !== undefined && !tried.includes(picked));
          tried.push(picked);
        }
        assert.equal(strategy.pick(from, request(tried, round)), undefined);
      }
    });

    it(`${choice.kind} knows a tried upstream in another table's words`, () => {
      const from = candidates(upstreams(1, 1));
      const strategy = create();
      assert.deepEqual(new Set(pickNames(strategy, from, 20, request(upstreams(1)))), new Set(['b']));
    });

    it(`${choice.kind} follows when the candidates change`, () => {
      const [a, b, c] = upstreams(1, 1, 1);
      assert.ok(a !== undefined && b !== undefined && c !== undefined);
      const strategy = create();
      pickNames(strategy, candidates([a, b, c]), 5);
      assert.deepEqual(new Set(pickNames(strategy, candidates([a, b, c], [c]), 20)), new Set(['c']));
      assert.deepEqual(new Set(pickNames(strategy, candidates([b]), 20)), new Set(['b']));
    });
  }
});
