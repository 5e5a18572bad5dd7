import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Places } from '#control/health/places.ts';

function line(places: Places, names: readonly string[]) {
  const entered: string[] = [];
  const claims = names.map((name) => places.claim(() => entered.push(name)));
  return { entered, leave: (index: number) => claims[index]?.leave() };
}

describe('places', () => {
  it('are given as long as there are any, then in the order in which they were asked for', () => {
    const { entered, leave } = line(new Places(2), ['a', 'b', 'c', 'd']);
    assert.deepEqual(entered, ['a', 'b']);
    leave(1);
    assert.deepEqual(entered, ['a', 'b', 'c']);
    leave(0);
    assert.deepEqual(entered, ['a', 'b', 'c', 'd']);
  });

  it('are not given to those who have left the line', () => {
    const { entered, leave } = line(new Places(1), ['a', 'b', 'c']);
    leave(1);
    leave(0);
    assert.deepEqual(entered, ['a', 'c']);
  });

  it('come free once, however often one leaves', () => {
    const places = new Places(1);
    const { entered, leave } = line(places, ['a', 'b', 'c']);
    leave(0);
    leave(0);
    assert.deepEqual(entered, ['a', 'b']);
    leave(1);
    leave(2);
    const { entered: later } = line(places, ['d', 'e']);
    assert.deepEqual(later, ['d']);
  });
});
