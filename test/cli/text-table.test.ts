import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatTable } from '#cli/text-table.ts';

describe('formatTable', () => {
  it('makes columns as wide as their widest cell, and leaves no space at the end of a line', () => {
    const rows = [
      ['red', '1'],
      ['aquamarine', ''],
    ];
    assert.equal(
      formatTable(['name', 'weight'], rows),
      ['name        weight', 'red         1', 'aquamarine'].join('\n'),
    );
  });

  it('is a header when there are no rows', () => {
    assert.equal(formatTable(['name', 'weight'], []), 'name  weight');
  });
});
