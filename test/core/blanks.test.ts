import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withoutBlanks } from '#core/blanks.ts';

describe('blanks around a value', () => {
  it('are taken off, and nothing else is', () => {
    assert.deepEqual(['\t close ', 'close', ' \t', '', 'a b', '\xa0close', 'close\x0b'].map(withoutBlanks), [
      'close',
      'close',
      '',
      '',
      'a b',
      '\xa0close',
      'close\x0b',
    ]);
  });
});
