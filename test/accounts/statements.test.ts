import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '#test/support/process.ts';

/** A row of the table in docs/accounts.md: number, statement, files. */
const ROW = /^\| (\d+) \| .+ \| (`.+`) \|$/gm;
const STATEMENTS = 46;

describe('docs/accounts.md', () => {
  const page = readFileSync(join(ROOT, 'docs/accounts.md'), 'utf8');
  const rows = [...page.matchAll(ROW)].map(([, number = '', files = '']) => ({ number, files }));

  it('has every statement, in order', () => {
    const numbers = Array.from({ length: STATEMENTS }, (_, index) => String(index + 1));
    assert.deepEqual(
      rows.map(({ number }) => number),
      numbers,
    );
  });

  it('names files with tests of the statement', () => {
    for (const { number, files } of rows) {
      for (const [, file = ''] of files.matchAll(/`([^`]+)`/g)) {
        const text = readFileSync(join(ROOT, 'test', file), 'utf8');
        assert.match(
          text,
          new RegExp(`(?:it|describe)\\(\\s*['"\`][^\\n]*\\[${number}\\]`),
          `${number}: ${file}`,
        );
      }
    }
  });
});
