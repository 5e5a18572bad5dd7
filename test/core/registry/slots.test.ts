import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SlotBook } from '#core/registry/slots.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';

const named = (name: string) => ({ pool: 'default', name, address: '127.0.0.1' });

function scene(max: number) {
  const busy = new Set<number>();
  const reset: number[] = [];
  const cells = {
    inFlight: (slot: number) => (busy.has(slot) ? 1 : 0),
    reset: (slot: number) => void reset.push(slot),
  };
  const book = new SlotBook(cells, max, [sampleUpstream({ name: 'red', slot: 0 })]);
  return { book, busy, reset };
}

describe('slots', () => {
  it('stay with an upstream for its life', () => {
    const { book } = scene(4);
    assert.equal(book.slotOf(named('blue')), 1);
    book.retain([named('blue'), named('red')]);
    assert.deepEqual([book.slotOf(named('red')), book.slotOf(named('blue'))], [0, 1]);
  });

  it('go to another upstream, forgotten, when there is no unused one', () => {
    const { book, reset } = scene(2);
    assert.equal(book.slotOf(named('blue')), 1);
    book.retain([named('blue')]);
    assert.equal(book.slotOf(named('green')), 0);
    assert.deepEqual(reset, [0]);
  });

  it('are not given away while anything is in flight on them', () => {
    const { book, busy } = scene(1);
    busy.add(0);
    book.retain([]);
    assert.equal(book.slotOf(named('green')), null);
    assert.equal(book.slotOf(named('red')), null);
    busy.clear();
    assert.equal(book.slotOf(named('green')), 0);
  });

  it('are different for an upstream that comes again under its name', () => {
    const { book } = scene(4);
    book.retain([]);
    assert.equal(book.slotOf(named('red')), 1);
  });
});
