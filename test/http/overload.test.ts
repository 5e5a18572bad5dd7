import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '#core/random.ts';
import { Overload } from '#http/overload.ts';

const TRIES = 1000;

/** The share of the requests that a worker turns away that is so far behind. */
function shareShed(lagMs: number, lagMsMax = 100): number {
  const overload = new Overload({ lagMs: () => lagMs }, lagMsMax, seededRandom(1));
  const shed = Array.from({ length: TRIES }, () => overload.shed(0)).filter((reason) => reason === 'lag');
  return shed.length / TRIES;
}

describe('a worker that is behind', () => {
  it('turns nobody away as long as it may be', () => {
    assert.equal(shareShed(0), 0);
    assert.equal(shareShed(100), 0);
  });

  it('turns away more, the further it is', () => {
    assert.ok(Math.abs(shareShed(125) - 0.25) < 0.05);
    assert.ok(Math.abs(shareShed(175) - 0.75) < 0.05);
    assert.equal(shareShed(200), 1);
    assert.equal(shareShed(10_000), 1);
  });

  it('turns nobody away where it is not to', () => {
    assert.equal(shareShed(10_000, 0), 0);
  });
});
