import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newSpanId, newTraceId, readIdWords } from '#core/ids.ts';

describe('ids', () => {
  it('are lower-case hex of the length that Trace Context asks for', () => {
    // More than one block of random bytes, so that its edge is crossed at every offset.
    for (let count = 0; count < 3000; count++) {
      assert.match(newTraceId(), /^[0-9a-f]{32}$/);
      assert.match(newSpanId(), /^[0-9a-f]{16}$/);
    }
  });

  it('are the bytes that they come with', () => {
    const bytesOf = (words: Int32Array) => Buffer.from(words.buffer).toString('hex');
    const trace = new Int32Array(4);
    const span = new Int32Array(2);
    for (let count = 0; count < 3000; count++) {
      assert.equal(newTraceId(trace), bytesOf(trace));
      assert.equal(newSpanId(span), bytesOf(span));
    }
  });

  it('of others are read', () => {
    const words = new Int32Array(4);
    readIdWords('0af7651916cd43dd8448eb211c80319c', words);
    assert.equal(Buffer.from(words.buffer).toString('hex'), '0af7651916cd43dd8448eb211c80319c');
  });

  it('do not repeat', () => {
    const spans = new Set(Array.from({ length: 20_000 }, newSpanId));
    assert.equal(spans.size, 20_000);
    const traces = new Set(Array.from({ length: 20_000 }, newTraceId));
    assert.equal(traces.size, 20_000);
  });
});
