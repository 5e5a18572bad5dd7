import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_BODY, WholeBody } from '#http/whole-body.ts';

function counted(mayKeep = true) {
  return {
    bytes: 0,
    mayKeep,
    add(bytes: number) {
      this.bytes += bytes;
    },
  };
}

describe('a body that came whole', () => {
  it('is there for every attempt, while it is kept', () => {
    const count = counted();
    const body = new WholeBody(Buffer.from('abc'), 3, count);
    assert.equal(count.bytes, 3);
    assert.equal(body.readBytes, 0);
    for (let attempts = 0; attempts < 2; attempts++) {
      assert.equal(`${body.open()}`, 'abc');
      assert.ok(body.isReplayable);
    }
    assert.equal(body.readBytes, 3);
    body.discard();
    body.forget();
    assert.equal(count.bytes, 0);
  });

  it('is there for one attempt where it is longer than what is kept, or there is no room', () => {
    for (const [keptBytesMax, count] of [
      [2, counted()],
      [3, counted(false)],
    ] as const) {
      const body = new WholeBody(Buffer.from('abc'), keptBytesMax, count);
      assert.equal(count.bytes, 0);
      assert.ok(body.isReplayable);
      assert.equal(`${body.open()}`, 'abc');
      assert.ok(!body.isReplayable);
      body.forget();
      assert.equal(count.bytes, 0);
    }
  });

  it('is not waited for', () => {
    const told: unknown[] = [];
    const body = new WholeBody(Buffer.from('abc'), 3);
    body.receive((error) => told.push(error))();
    assert.deepEqual(told, [null]);
  });

  it('that is none is not opened, and is replayable', () => {
    assert.equal(NO_BODY.open(), null);
    NO_BODY.discard();
    assert.ok(NO_BODY.isReplayable);
    assert.equal(NO_BODY.readBytes, 0);
  });
});
