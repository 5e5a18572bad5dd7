import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isKey } from '#bus/names.ts';
import { bodyOf, keyOf, recordIn, UPSTREAM_FORM } from '#control/registry/forms.ts';
import { idOf } from '#core/registry/record.ts';
import { anyRecord, sampleRecord } from '#test/core/registry/sample.ts';

const anyId = fc.record({
  pool: fc.stringMatching(/^[A-Za-z0-9][\w.-]{0,63}$/),
  name: fc.stringMatching(/^[!-.0-~]{1,256}$/),
});

describe('the key of an upstream', () => {
  it('can be read where it can be', () => {
    assert.equal(keyOf({ pool: 'default', name: 'red' }), 'upstream.default.red');
    assert.equal(keyOf({ pool: 'a.b', name: '[::1]:80' }), 'upstream.a=2eb.=5b=3a=3a1=5d=3a80');
    assert.match(keyOf({ pool: 'default', name: '.'.repeat(256) }), /^upstream\.[0-9a-f]{64}$/);
  });

  it('is a key of the bus, and no other upstream has it', () => {
    fc.assert(
      fc.property(anyId, anyId, (a, b) => {
        assert.ok(isKey(keyOf(a)));
        assert.equal(keyOf(a) === keyOf(b), idOf(a) === idOf(b));
      }),
    );
  });
});

describe('a record', () => {
  it('is the same after it was a body', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const body = JSON.parse(JSON.stringify(bodyOf(record)));
        assert.deepEqual(recordIn(UPSTREAM_FORM.parse(body)), record);
      }),
    );
  });

  it('says of a bound of its own only where there is one', () => {
    assert.ok(!('in_flight_max' in bodyOf(sampleRecord())));
    assert.equal(recordIn(UPSTREAM_FORM.parse(bodyOf(sampleRecord()))).inFlightMax, null);
    assert.equal(bodyOf(sampleRecord({ inFlightMax: 7 })).in_flight_max, 7);
  });

  it('says nothing of HTTP/1.1: instances that know no other protocol read it, and are read', () => {
    const body = bodyOf(sampleRecord({ protocol: 'http/1.1' }));
    assert.ok(!('protocol' in body));
    assert.equal(recordIn(UPSTREAM_FORM.parse(body)).protocol, 'http/1.1');
    assert.equal(bodyOf(sampleRecord({ protocol: 'h2' })).protocol, 'h2');
  });
});
