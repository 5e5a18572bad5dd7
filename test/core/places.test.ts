import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Places } from '#core/places.ts';

describe('places', () => {
  it('are so many in all', () => {
    const places = new Places(3, 2);
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((client) => places.take(client)),
      [true, true, true, false],
    );
    places.leave('b');
    assert.equal(places.take('d'), true);
  });

  it('are fewer for one client, which leaves some to others', () => {
    const places = new Places(3, 2);
    assert.deepEqual(
      ['a', 'a', 'a', 'b', 'b'].map((client) => places.take(client)),
      [true, true, false, true, false],
    );
    places.leave('a');
    places.leave('a');
    assert.deepEqual(
      ['b', 'b', 'a'].map((client) => places.take(client)),
      [true, false, true],
    );
  });
});
