import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checksumOf } from '#core/registry/checksum.ts';
import { areEqual, type UpstreamRecord } from '#core/registry/record.ts';
import { anyRecord, anyRecords, sampleRecord } from './sample.ts';

describe('the checksum of a registry', () => {
  it('is the same in every version that can talk to this one', () => {
    assert.equal(checksumOf([]), '4f53cda18c2baa0c');
    assert.equal(checksumOf([sampleRecord()]), '8c38c9a7d824c998');
  });

  it('does not depend on the order of the records, nor of their fields', () => {
    fc.assert(
      fc.property(anyRecords, fc.infiniteStream(fc.nat()), (records, numbers) => {
        const shuffled = records
          .map((record) => ({ record, at: numbers.next().value ?? 0 }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ record }) => Object.fromEntries(Object.entries(record).toReversed()) as UpstreamRecord);
        assert.equal(checksumOf(shuffled), checksumOf(records));
      }),
    );
  });

  it('differs by everything that a record says', () => {
    // A change of the protocol alone was none, and no table was made of it.
    const record = sampleRecord();
    for (const change of [{ protocol: 'h2' }, { inFlightMax: 1 }, { weight: 2 }, { drainMs: 0 }] as const) {
      assert.notEqual(checksumOf([{ ...record, ...change }]), checksumOf([record]), JSON.stringify(change));
    }
  });

  it('differs when a record does', () => {
    fc.assert(
      fc.property(anyRecord, anyRecord, (a, b) => {
        assert.equal(checksumOf([a]) === checksumOf([b]), areEqual(a, b));
      }),
    );
  });
});
