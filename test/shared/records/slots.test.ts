import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Slots } from '#shared/records/slots.ts';

describe('the numbers of records', () => {
  it('are new ones until as many are finished as are kept', () => {
    const slots = new Slots(10, 2, 0);
    assert.deepEqual([slots.take(), slots.take(), slots.take()], [0, 1, 2]);
    slots.finish(1);
    assert.equal(slots.take(), 3);
    slots.finish(0);
    assert.deepEqual([slots.take(), slots.used], [1, 4]);
  });

  it('are used up when all are under way', () => {
    const slots = new Slots(2, 1, 0);
    assert.deepEqual([slots.take(), slots.take(), slots.take()], [0, 1, undefined]);
    slots.finish(1);
    assert.deepEqual([slots.take(), slots.take()], [1, undefined]);
  });

  it('go on from those of a predecessor', () => {
    const slots = new Slots(4, 2, 3);
    for (const slot of [2, 0, 1]) slots.finish(slot);
    assert.deepEqual([slots.take(), slots.take(), slots.take()], [2, 0, 3]);
  });

  it('are never given to two at once, and those that finished last are kept', () => {
    const steps = fc.array(fc.nat({ max: 5 }), { maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.nat({ max: 8 }), steps, (count, kept, choices) => {
        const slots = new Slots(count, kept, 0);
        const open: number[] = [];
        let finished: number[] = [];
        let ends = 0;
        for (const choice of choices) {
          const [ended] = choice < 2 ? [] : open.splice((choice - 2) % Math.max(1, open.length), 1);
          if (ended !== undefined) {
            slots.finish(ended);
            finished.push(ended);
            ends++;
            continue;
          }
          const taken = slots.take();
          assert.equal(
            taken === undefined,
            open.length === count,
            'one is to be had unless all are under way',
          );
          if (taken === undefined) continue;
          assert.ok(!open.includes(taken));
          if (finished.includes(taken)) assert.equal(taken, finished[0], 'the oldest goes first');
          finished = finished.filter((slot) => slot !== taken);
          open.push(taken);
          assert.ok(
            finished.length >= Math.min(ends, kept - 1, count - open.length),
            'no more go than have to',
          );
        }
      }),
    );
  });
});
