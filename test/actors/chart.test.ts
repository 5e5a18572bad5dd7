import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { chartOf, MACHINES } from '#actors/chart.ts';
import { renderMachinesPage, withPicture } from '#actors/chart-page.ts';

describe('the drawings of the machines', () => {
  it('are up to date in docs/machines.md', () => {
    const page = readFileSync(new URL('../../docs/machines.md', import.meta.url), 'utf8');
    assert.equal(page, renderMachinesPage(), 'docs/machines.md is stale: run `npm run generate`');
  });

  it('are up to date in the README', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    assert.match(readme, /```mermaid\nstateDiagram/);
    assert.equal(readme, withPicture(readme), 'the README is stale: run `npm run generate`');
  });

  for (const [name, machine] of Object.entries(MACHINES)) {
    it(`say of ${name} what every state means`, () => {
      for (const { path, description } of chartOf(machine).states) assert.notEqual(description, '', path);
    });
  }
});
