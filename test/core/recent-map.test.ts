import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecentMap } from '#core/recent-map.ts';

describe('a map of what was asked for lately', () => {
  it('says what was set last', () => {
    const map = new RecentMap<number>(4);
    map.set('a', 1);
    map.set('a', 2);
    assert.deepEqual([map.get('a'), map.get('b')], [2, undefined]);
  });

  it('keeps what is in use, and forgets the rest, however much comes', () => {
    const map = new RecentMap<number>(4);
    map.set('used', 1);
    map.set('unused', 2);
    for (let nth = 0; nth < 100; nth++) {
      map.set(`other ${nth}`, nth);
      assert.equal(map.get('used'), 1);
      assert.ok(map.size <= 8);
    }
    assert.equal(map.get('unused'), undefined);
  });
});
