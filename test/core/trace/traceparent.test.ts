import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatTraceparent, readTraceparent, readTracestate } from '#core/trace/traceparent.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('traceparent', () => {
  it('names the trace, the span, and whether it is recorded', () => {
    assert.deepEqual(readTraceparent(`00-${TRACE}-${SPAN}-01`), {
      traceId: TRACE,
      spanId: SPAN,
      isSampled: true,
    });
    assert.equal(readTraceparent(`00-${TRACE}-${SPAN}-00`)?.isSampled, false);
  });

  it('may have flags that are not known', () => {
    assert.equal(readTraceparent(`00-${TRACE}-${SPAN}-03`)?.isSampled, true);
    assert.equal(readTraceparent(`00-${TRACE}-${SPAN}-fe`)?.isSampled, false);
  });

  it('of a later version is read as far as it is known', () => {
    assert.equal(readTraceparent(`01-${TRACE}-${SPAN}-01-what-comes-later`)?.traceId, TRACE);
    assert.equal(readTraceparent(`cc-${TRACE}-${SPAN}-01`)?.traceId, TRACE);
  });

  for (const [what, text] of Object.entries({
    'is empty': '',
    'is of the version that does not exist': `ff-${TRACE}-${SPAN}-01`,
    'has more than version 00 has': `00-${TRACE}-${SPAN}-01-more`,
    'of a later version goes on without a dash': `01-${TRACE}-${SPAN}-01more`,
    'has a trace id of zeros': `00-${'0'.repeat(32)}-${SPAN}-01`,
    'has a span id of zeros': `00-${TRACE}-${'0'.repeat(16)}-01`,
    'is in upper case': `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    'lacks its flags': `00-${TRACE}-${SPAN}`,
    'came twice': `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    'has blanks around it': ` 00-${TRACE}-${SPAN}-01`,
  })) {
    it(`is not believed when it ${what}`, () => assert.equal(readTraceparent(text), null));
  }

  it('is read as it was written', () => {
    const hex = (length: number) =>
      fc
        .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
        .filter((text) => /[^0]/.test(text));
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, isSampled) => {
        const text = formatTraceparent(traceId, spanId, isSampled);
        assert.deepEqual(readTraceparent(text), { traceId, spanId, isSampled });
      }),
    );
  });
});

describe('tracestate', () => {
  it('passes as it is', () => {
    assert.equal(
      readTracestate('rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'),
      'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
    );
  });

  it('is dropped when it is empty, too long, too many, or no plain text', () => {
    assert.equal(readTracestate(''), null);
    assert.equal(readTracestate(`a=${'b'.repeat(511)}`), null);
    assert.equal(readTracestate(Array.from({ length: 33 }, (_, at) => `k${at}=v`).join(',')), null);
    assert.equal(readTracestate('a=\u00e4'), null);
  });
});
