import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SEED_FORM } from '#control/registry/forms.ts';
import {
  CLAIM_OF_FILE,
  type Claim,
  claimAfter,
  decide,
  type Found,
  GENERATION_MAX,
  type Seed,
} from '#core/registry/seed.ts';

const EMPTY: Found = { seed: null, isEmpty: true, revision: 0, isNew: true };

/** A registry that was filled with a claim, with revision 9 its last change. */
function filled(claim: Claim, changes: Partial<Found> = {}, phase: Seed['phase'] = 'filled'): Found {
  return {
    seed: { value: { ...claim, phase }, revision: 9 },
    isEmpty: false,
    revision: 9,
    isNew: true,
    ...changes,
  };
}

describe('a registry that was found', () => {
  it('is filled when it has never been', () => {
    assert.equal(decide(EMPTY, CLAIM_OF_FILE), 'fill');
  });

  it('is served when it was filled, even if nothing is left in it', () => {
    const found = filled(CLAIM_OF_FILE, { isEmpty: true, revision: 30 });
    assert.equal(decide(found, CLAIM_OF_FILE), 'serve');
  });

  it('is served when it has upstreams, whoever put them there', () => {
    assert.equal(decide({ ...EMPTY, isEmpty: false }, CLAIM_OF_FILE), 'serve');
  });

  it('is waited for while somebody fills it', () => {
    assert.equal(decide(filled(CLAIM_OF_FILE, {}, 'filling'), CLAIM_OF_FILE), 'wait');
  });
});

describe('a claim', () => {
  // One with the highest number that there is was once followed by one that nobody could read.
  it('can be read again, whatever the one before it was', () => {
    const highest = { generation: GENERATION_MAX, revision: 5 };
    const next = claimAfter(highest, 6);
    assert.deepEqual(SEED_FORM.parse({ ...next, phase: 'filled' }), { ...next, phase: 'filled' });
    assert.throws(() => SEED_FORM.parse({ ...next, generation: GENERATION_MAX + 1, phase: 'filled' }));
    assert.equal(decide(filled(highest), next), 'fill');
  });
});

describe('a registry that was lost', () => {
  const survivor = claimAfter(CLAIM_OF_FILE, 57);

  it('is filled again by who has served it', () => {
    assert.equal(decide(EMPTY, survivor), 'fill');
  });

  it('is filled by who knows more, over who began with a file', () => {
    assert.equal(decide(filled(CLAIM_OF_FILE), survivor), 'fill');
    assert.equal(decide(filled(CLAIM_OF_FILE, {}, 'filling'), survivor), 'fill');
  });

  it('is filled by who knew the latest revision', () => {
    assert.equal(decide(filled(claimAfter(CLAIM_OF_FILE, 56)), survivor), 'fill');
    assert.equal(decide(filled(survivor), survivor), 'serve');
    assert.equal(decide(filled(claimAfter(CLAIM_OF_FILE, 58)), survivor), 'serve');
  });

  it('is filled by who has seen it lost more often', () => {
    assert.equal(decide(filled(survivor), claimAfter(survivor, 3)), 'fill');
    assert.equal(decide(filled(claimAfter(survivor, 3)), survivor), 'serve');
  });

  it('is left alone when somebody has edited it since', () => {
    assert.equal(decide(filled(CLAIM_OF_FILE, { revision: 10 }), survivor), 'serve');
  });

  it('is left alone by who serves it already', () => {
    assert.equal(decide(filled(CLAIM_OF_FILE, { isNew: false }), survivor), 'serve');
    assert.equal(decide(filled(CLAIM_OF_FILE, { isNew: false }, 'filling'), survivor), 'wait');
  });
});
