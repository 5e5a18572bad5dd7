import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WeakLookup } from '#core/weak-lookup.ts';

describe('a weak look-up', () => {
  it('finds what was added, and nothing else', () => {
    const lookup = new WeakLookup<object, string>();
    const [red, blue] = [{}, {}];
    assert.equal(lookup.get(red), undefined);
    assert.equal(lookup.add(red, 'red'), 'red');
    assert.deepEqual([lookup.get(red), lookup.get(blue), lookup.get(red)], ['red', undefined, 'red']);
  });

  it('finds those that share a place, in whichever order they are asked for', () => {
    const lookup = new WeakLookup<{ readonly slot: number }, number>(2);
    const all = [0, 1, 2, 3].map((slot) => ({ slot }));
    for (const one of all) lookup.add(one, one.slot);
    for (const one of [...all, ...all.toReversed(), ...all])
      assert.equal(lookup.get(one, one.slot), one.slot);
  });
});
