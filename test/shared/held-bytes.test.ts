import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeldBytes, Hold } from '#shared/held-bytes.ts';

describe('the bytes that an instance holds', () => {
  it('are counted over its workers, against one bound', () => {
    const first = HeldBytes.create(2, 100);
    const second = HeldBytes.attach(first.memory, 1);
    first.add(20);
    second.add(29);
    assert.deepEqual([second.total, second.mayKeep, second.isFull], [49, true, false]);
    second.add(1);
    assert.deepEqual([first.total, first.mayKeep, first.isFull], [50, false, false]);
    first.add(50);
    assert.ok(second.isFull);
    first.add(-60);
    assert.deepEqual([second.total, second.mayKeep, second.isFull], [40, true, false]);
  });

  it("are a dead worker's no more", () => {
    const first = HeldBytes.create(2, 100);
    HeldBytes.attach(first.memory, 1).add(100);
    first.add(1);
    first.forgetWorker(1);
    assert.equal(first.total, 1);
  });

  it('in one place are what was said last', () => {
    const held = HeldBytes.create(1, 100);
    const [one, other] = [new Hold(held), new Hold(held)];
    one.set(10);
    other.set(5);
    one.set(3);
    assert.equal(held.total, 8);
    one.set(0);
    other.set(0);
    assert.equal(held.total, 0);
  });
});
