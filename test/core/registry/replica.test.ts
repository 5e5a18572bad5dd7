import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Replica, type ReplicaEvent } from '#core/registry/replica.ts';

type Event = ReplicaEvent<string>;

const anyKey = fc.constantFrom('a', 'b', 'c', 'd');

/** Changes in the order in which they were made, from revision 11 on; null: one that cannot be read. */
const anyChanges = fc
  .array(fc.tuple(anyKey, fc.constantFrom('put', 'deleted', 'unreadable')), { maxLength: 12 })
  .map((changes) =>
    changes.map(([key, kind], index): Event => {
      const revision = 11 + index;
      if (kind === 'deleted') return { type: 'deleted', key, revision };
      const value = kind === 'put' ? `${key}${revision}` : null;
      return { type: 'put', item: { key, value, revision } };
    }),
  );

const CONTENT: Event = {
  type: 'content',
  items: [
    { key: 'a', value: 'a3', revision: 3 },
    { key: 'b', value: 'b9', revision: 9 },
  ],
  revision: 10,
  epoch: 'first',
};

function replicaOf(events: readonly Event[]): Replica<string> {
  const replica = new Replica<string>();
  for (const event of events) replica.apply(event);
  return replica;
}

function valuesOf(replica: Replica<string>): Record<string, string> {
  return Object.fromEntries([...replica.entries].map(([key, { value }]) => [key, value]));
}

describe('a replica', () => {
  it('comes to the same content in whatever order and however often changes are told', () => {
    const anyRetelling = anyChanges.chain((changes) =>
      fc.tuple(
        fc.constant(changes),
        fc.array(fc.constantFrom(...changes, ...(changes.length === 0 ? [CONTENT] : [])), { maxLength: 12 }),
        fc.shuffledSubarray(changes, { minLength: changes.length }),
      ),
    );
    fc.assert(
      fc.property(anyRetelling, ([changes, again, shuffled]) => {
        const told = replicaOf([CONTENT, ...changes]);
        const retold = replicaOf([CONTENT, ...again, ...shuffled, ...again]);
        assert.deepEqual(valuesOf(retold), valuesOf(told));
        assert.equal(retold.revision, told.revision);
      }),
    );
  });

  it('ignores a change that the content has already', () => {
    const replica = replicaOf([CONTENT, { type: 'put', item: { key: 'c', value: 'c8', revision: 8 } }]);
    assert.deepEqual(valuesOf(replica), { a: 'a3', b: 'b9' });
  });

  it('replaces everything by a content that is told again', () => {
    const replica = replicaOf([
      CONTENT,
      { type: 'put', item: { key: 'c', value: 'c11', revision: 11 } },
      { ...CONTENT, items: [{ key: 'd', value: 'd12', revision: 12 }], revision: 13 },
    ]);
    assert.deepEqual(valuesOf(replica), { d: 'd12' });
    assert.equal(replica.revision, 13);
  });

  it('keeps what it knew where a value cannot be read, unless the bucket was made anew', () => {
    const unreadable = { ...CONTENT, items: [{ key: 'a', value: null, revision: 12 }], revision: 12 };
    assert.deepEqual(valuesOf(replicaOf([CONTENT, unreadable])), { a: 'a3' });
    assert.deepEqual(valuesOf(replicaOf([CONTENT, { ...unreadable, epoch: 'second' }])), {});
  });

  it('remembers only so many deletions, and takes nothing back for it', () => {
    const replica = replicaOf([CONTENT]);
    for (let revision = 11; revision < 9011; revision++) {
      replica.apply({ type: 'deleted', key: `key${revision}`, revision });
    }
    replica.apply({ type: 'put', item: { key: 'key11', value: 'old', revision: 10 } });
    assert.deepEqual(valuesOf(replica), { a: 'a3', b: 'b9' });
  });
});
