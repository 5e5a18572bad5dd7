import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { traceContext } from '#core/trace/context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const WORDS = new Int32Array(4);
const ALL = { ratio: 1, followsParent: true };

describe('the trace of a request', () => {
  it('goes on from the sender', () => {
    assert.deepEqual(traceContext(`00-${TRACE}-${SPAN}-01`, 'vendor=1', ALL, WORDS), {
      traceId: TRACE,
      parentSpanId: SPAN,
      tracestate: 'vendor=1',
      isSampled: true,
    });
  });

  it('begins here without a sender, or after one that makes no sense', () => {
    for (const traceparent of [null, 'nonsense']) {
      const context = traceContext(traceparent, 'vendor=1', ALL, WORDS);
      assert.match(context.traceId, /^[0-9a-f]{32}$/);
      assert.deepEqual(
        { ...context, traceId: '' },
        { traceId: '', parentSpanId: null, tracestate: null, isSampled: true },
      );
    }
  });

  it('without a sampler is not recorded, unless the sender says so', () => {
    assert.equal(traceContext(null, null, null, WORDS).isSampled, false);
    assert.equal(traceContext(`00-${TRACE}-${SPAN}-01`, null, null, WORDS).isSampled, true);
    assert.equal(traceContext(`00-${TRACE}-${SPAN}-00`, null, null, WORDS).isSampled, false);
  });
});
