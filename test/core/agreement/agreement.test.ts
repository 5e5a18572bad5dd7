import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Agreement, type Word } from '#core/agreement/agreement.ts';
import { MEMBER_MS_MAX } from '#core/agreement/members.ts';
import type { Opinion } from '#core/agreement/opinion.ts';
import { DOWN, UNKNOWN, UP, wordOf } from './words.ts';

const UPSTREAMS = ['red', 'green'] as const;

function instance(id: string, observers = 5): Agreement {
  const agreement = new Agreement(id, observers);
  for (const upstream of UPSTREAMS) agreement.follow(upstream);
  return agreement;
}

describe('an instance', () => {
  it('concludes with the majority', () => {
    const own = instance('blue');
    own.say('red', DOWN);
    own.hear(wordOf('white', 0, { red: UP }), 0);
    own.hear(wordOf('black', 0, { red: UP }), 0);
    assert.equal(own.verdict('red'), 'up');
    const news = own.hear(wordOf('black', 1, { red: DOWN }), 0);
    assert.deepEqual(news, { hasJoined: false, hasLeft: false, upstreams: ['red'] });
    assert.equal(own.verdict('red'), 'down');
  });

  it('has its own opinion alone when it hears nobody any more', () => {
    const own = instance('blue');
    own.say('red', UP);
    own.hear(wordOf('white', 0, { red: DOWN }), 0);
    own.hear(wordOf('black', 0, { red: DOWN }), 0);
    assert.equal(own.verdict('red'), 'down');
    const news = own.expire(MEMBER_MS_MAX);
    assert.equal(news.hasLeft, true);
    assert.deepEqual(new Set(news.upstreams), new Set(['red']));
    assert.equal(own.verdict('red'), 'up');
  });

  it('does not count those who have left', () => {
    const own = instance('blue');
    own.say('red', UP);
    for (const other of ['white', 'black']) own.hear(wordOf(other, 0, { red: DOWN }), 0);
    own.hear(wordOf('white', 1, {}, { isLeaving: true }), 1);
    assert.equal(own.verdict('red'), 'up');
    own.hear(wordOf('white', 0, { red: DOWN }), 2);
    assert.equal(own.verdict('red'), 'up');
    assert.equal(own.counts.replayed, 1);
  });

  it('is not moved by what was said before, again', () => {
    const own = instance('blue');
    const words = [wordOf('white', 0, { red: DOWN }), wordOf('white', 1, { red: UP })];
    for (const word of words) own.hear(word, 0);
    for (const word of words) {
      assert.deepEqual(own.hear(word, 2_999), { hasJoined: false, hasLeft: false, upstreams: [] });
    }
    assert.equal(own.counts.replayed, 2);
    // And it did not count as a sign of life.
    assert.equal(own.expire(MEMBER_MS_MAX).hasLeft, true);
  });

  it('leaves to others what they observe, and takes it over when they are gone', () => {
    const own = instance('blue', 1);
    const others = ['white', 'black', 'grey'];
    for (const other of others) own.hear(wordOf(other, 0), 0);
    const all = [own, ...others.map((id) => heardBy(id, ['blue', ...others]))];
    for (const upstream of UPSTREAMS) {
      assert.equal(all.filter((one) => one.isObserver(upstream)).length, 1);
    }
    own.expire(MEMBER_MS_MAX);
    for (const upstream of UPSTREAMS) assert.ok(own.isObserver(upstream));
  });

  it('says who is there, and how long ago they were heard', () => {
    const own = instance('blue');
    own.noteRevision(1);
    own.hear(wordOf('white', 0), 100);
    assert.deepEqual(own.members(150), [
      {
        id: 'white',
        version: '1.0.0',
        revision: 1,
        checksum: 'abc',
        watchAgeMs: 0,
        lastSeenMs: 50,
        lagMs: 0,
      },
    ]);
  });
});

function heardBy(id: string, ids: readonly string[]): Agreement {
  const agreement = instance(id, 1);
  for (const other of ids) if (other !== id) agreement.hear(wordOf(other, 0), 0);
  return agreement;
}

// -- convergence -------------------------------------------------------------------------------------

const INSTANCES = ['blue', 'white', 'black'] as const;

const opinion = fc.constantFrom(UP, DOWN, UNKNOWN);
/** One instance changes its mind about one upstream, and says so: of that one alone, or of all. */
const changes = fc.array(
  fc.record({
    by: fc.nat(INSTANCES.length - 1),
    upstream: fc.constantFrom(...UPSTREAMS),
    opinion,
    isWhole: fc.boolean(),
  }),
  { maxLength: 20 },
);

type Change = {
  readonly by: number;
  readonly upstream: string;
  readonly opinion: Opinion;
  readonly isWhole: boolean;
};

/** What was said, in its order, and what each instance says of all in the end. */
function history(all: readonly Change[]): { words: Word[]; last: Word[]; minds: Record<string, Opinion>[] } {
  const minds = INSTANCES.map((): Record<string, Opinion> => ({ red: UNKNOWN, green: UNKNOWN }));
  const words = all.map(({ by, upstream, opinion, isWhole }, sequence) => {
    const mind = { ...minds[by], [upstream]: opinion };
    minds[by] = mind;
    return wordOf(INSTANCES[by] ?? '', sequence, isWhole ? mind : { [upstream]: opinion });
  });
  const last = INSTANCES.map((id, by) => wordOf(id, all.length, minds[by]));
  return { words, last, minds };
}

function listener(by: number, mind: Readonly<Record<string, Opinion>>, words: readonly Word[]): Agreement {
  const agreement = instance(INSTANCES[by] ?? '');
  for (const [upstream, own] of Object.entries(mind)) agreement.say(upstream, own);
  for (const word of words) if (word.from !== agreement.instance) agreement.hear(word, 0);
  return agreement;
}

const verdicts = (agreement: Agreement) => UPSTREAMS.map((upstream) => agreement.verdict(upstream));

describe('instances', () => {
  it('have equal verdicts after one heartbeat from each, whatever was lost, repeated or overtaken', () => {
    const scenario = changes.chain((all) => {
      const { words } = history(all);
      const arrivals = fc.array(fc.constantFrom(...words, ...history(all).last), { maxLength: 40 });
      return fc.tuple(fc.constant(all), fc.tuple(arrivals, arrivals, arrivals));
    });
    const property = fc.property(scenario, fc.nat(), ([all, arrivals], turn) => {
      const { last, minds } = history(all);
      const rotated = [...last.slice(turn % 3), ...last.slice(0, turn % 3)];
      const ends = arrivals.map((heard, by) =>
        verdicts(listener(by, minds[by] ?? {}, [...heard, ...rotated])),
      );
      assert.deepEqual(ends[1], ends[0]);
      assert.deepEqual(ends[2], ends[0]);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('that have heard the same have equal verdicts, in whatever order and how often they heard it', () => {
    const scenario = changes.chain((all) => {
      const { words } = history(all);
      return fc.tuple(
        fc.constant(words),
        fc.shuffledSubarray([...words, ...words], { minLength: words.length * 2 }),
      );
    });
    const property = fc.property(scenario, ([words, shuffled]) => {
      assert.deepEqual(verdicts(listener(-1, {}, shuffled)), verdicts(listener(-1, {}, words)));
    });
    fc.assert(property, { numRuns: 500 });
  });
});
