import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '#test/support/process.ts';
import { renderPerformancePage, renderScaleFile } from '../../bench/compare/page.ts';

describe('the page on performance', () => {
  it('has the figures that were kept, and no others (npm run generate)', () => {
    assert.equal(readFileSync(join(ROOT, 'docs/performance.md'), 'utf8'), renderPerformancePage());
    assert.equal(readFileSync(join(ROOT, 'docs/scale.svg'), 'utf8'), renderScaleFile());
  });
});
