import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OPINION_MS_MAX, Opinions } from '#core/agreement/opinions.ts';
import { DOWN, UP } from './words.ts';

const at = (sequence: number) => ({ stamp: { incarnation: 1, sequence } });

describe('opinions', () => {
  it('are news when they change a vote, and none when they repeat it', () => {
    const opinions = new Opinions();
    opinions.follow('red');
    assert.equal(opinions.hear('red', 'blue', { ...UP, ...at(0) }, 0), true);
    assert.equal(opinions.hear('red', 'blue', { ...UP, ...at(1) }, 0), false);
    assert.equal(opinions.hear('red', 'blue', { ...DOWN, ...at(2) }, 0), true);
    assert.equal(opinions.hear('red', 'blue', { ...UP, ...at(1) }, 0), false);
    assert.equal(opinions.verdict('red'), 'down');
  });

  it('lose their vote when they are not repeated in time', () => {
    const opinions = new Opinions();
    opinions.follow('red');
    opinions.hear('red', 'blue', { ...DOWN, ...at(0) }, 0);
    assert.deepEqual(opinions.expire(OPINION_MS_MAX - 1), []);
    assert.deepEqual(opinions.expire(OPINION_MS_MAX), ['red']);
    assert.equal(opinions.verdict('red'), 'unknown');
    assert.deepEqual(opinions.votes('red'), []);
  });

  it('do not get it back from the message that they came with', () => {
    const opinions = new Opinions();
    opinions.follow('red');
    opinions.hear('red', 'blue', { ...DOWN, ...at(4) }, 0);
    opinions.expire(OPINION_MS_MAX);
    assert.equal(opinions.hear('red', 'blue', { ...DOWN, ...at(4) }, OPINION_MS_MAX), false);
    assert.equal(opinions.verdict('red'), 'unknown');
    assert.equal(opinions.hear('red', 'blue', { ...DOWN, ...at(5) }, OPINION_MS_MAX), true);
    assert.equal(opinions.verdict('red'), 'down');
  });

  it('of upstreams that are not followed are not kept', () => {
    const opinions = new Opinions();
    assert.equal(opinions.hear('red', 'blue', { ...DOWN, ...at(0) }, 0), false);
    opinions.follow('red');
    assert.equal(opinions.verdict('red'), 'unknown');
    opinions.hear('red', 'blue', { ...DOWN, ...at(1) }, 0);
    opinions.unfollow('red');
    opinions.follow('red');
    assert.equal(opinions.verdict('red'), 'unknown');
  });

  it('of one’s own do not grow old', () => {
    const opinions = new Opinions();
    opinions.follow('red');
    opinions.say('red', DOWN);
    opinions.expire(1e9);
    assert.equal(opinions.verdict('red'), 'down');
  });
});
