import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RecentSet } from '#http/auth/recent-set.ts';

describe('RecentSet', () => {
  it('forgets the entry that was used least recently', () => {
    const set = new RecentSet(2);
    set.add('a');
    set.add('b');
    assert.ok(set.has('a'));
    set.add('c');
    assert.deepEqual([set.has('a'), set.has('b'), set.has('c')], [true, false, true]);
  });

  it('never holds more than its bound, nor forgets what was just added', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.string({ maxLength: 2 })),
        (entriesMax, entries) => {
          const set = new RecentSet(entriesMax);
          for (const entry of entries) {
            set.add(entry);
            assert.ok(set.has(entry));
            assert.ok(set.size <= entriesMax);
          }
        },
      ),
    );
  });
});
