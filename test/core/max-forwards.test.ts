import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from '#core/fields.ts';
import { endsHere, forwardedOn } from '#core/max-forwards.ts';

describe('Max-Forwards', () => {
  it('ends an OPTIONS request at zero, and nothing else', () => {
    const ends = (method: string, value: string) => endsHere(method, Fields.of(['max-Forwards', value]));
    assert.ok(ends('OPTIONS', '0') && ends('OPTIONS', '000'));
    for (const value of ['1', '10', '', '-0', '0x0', '0 ', 'no']) assert.ok(!ends('OPTIONS', value), value);
    assert.ok(!ends('GET', '0'));
    assert.ok(!endsHere('OPTIONS', new Fields()));
  });

  it('is one less for the next one to see', () => {
    const counts = { '1': '0', '10': '9', '0': '0', '007': '6', [`1${'0'.repeat(30)}`]: `${2 ** 53 - 1}` };
    for (const [value, next] of Object.entries(counts)) assert.equal(forwardedOn('OPTIONS', value), next);
    for (const value of ['', '-1', '1.5', 'x']) assert.equal(forwardedOn('OPTIONS', value), value);
    assert.equal(forwardedOn('GET', '10'), '10');
  });
});
