import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '#core/random.ts';
import { checkAnswer } from '#test/support/fuzz/answers.ts';
import { Generator, piecesOf } from '#test/support/fuzz/mutate.ts';
import { readAnswer, readRequests } from '#test/support/fuzz/oracle.ts';
import { checkRequests } from '#test/support/fuzz/requests.ts';
import { smallest } from '#test/support/fuzz/smallest.ts';

/** `npm run fuzz` does the same for longer. */
const CASES = 2_000;
const SEED = 20_260_101;

describe('requests, changed in any way and in any pieces,', () => {
  it('reach upstreams as an oracle reads them, or not at all', async () => {
    for (let seed = SEED; seed < SEED + CASES; seed++) {
      const { problem } = await checkRequests(new Generator(seededRandom(seed)).requests());
      assert.equal(problem, null, `npm run fuzz -- --requests 1 --responses 0 --seed ${seed}`);
    }
  });
});

describe('answers, changed in any way and in any pieces,', () => {
  it('are heard as an oracle reads them, or fail, and the next request has its own', async () => {
    for (let seed = SEED; seed < SEED + CASES; seed++) {
      const { problem } = await checkAnswer(new Generator(seededRandom(seed)).answer());
      assert.equal(problem, null, `npm run fuzz -- --requests 0 --responses 1 --seed ${seed}`);
    }
  });
});

describe('the oracle', () => {
  it('reads requests one after the other, and stops at what is none', () => {
    const good =
      'POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi\r\nPUT /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n';
    const { messages, rest } = readRequests(
      `${good}2;x="\\""\r\nho\r\n0\r\nX: 1\r\n\r\nGET  /c HTTP/1.1\r\n\r\n`,
    );
    assert.deepEqual(
      messages.map(({ start, body, trailers }) => [...start, body, ...trailers]),
      [
        ['POST', '/a', 'hi'],
        ['PUT', '/b', 'ho', 'X', '1'],
      ],
    );
    assert.equal(rest, 'GET  /c HTTP/1.1\r\n\r\n');
  });

  it('reads an answer to its end, which may be that of its connection', () => {
    const hinted = 'HTTP/1.1 103 Hints\r\n\r\nHTTP/1.0 200 Fine\r\n\r\nall of it';
    assert.deepEqual(readAnswer(hinted, 'GET', false).messages, []);
    const { messages, informational } = readAnswer(hinted, 'GET', true);
    assert.deepEqual(
      [informational, messages[0]?.start, messages[0]?.body],
      [[103], ['200', 'Fine'], 'all of it'],
    );
    assert.equal(readAnswer('HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n', 'GET', false).messages.length, 1);
  });
});

describe('a case', () => {
  it('is the same for the same seed, and arrives whole', () => {
    const [one, two] = [1, 1].map((seed) => new Generator(seededRandom(seed)).requests());
    assert.deepEqual(one, two);
    assert.ok(one !== undefined);
    assert.equal(Buffer.concat(piecesOf(one)).toString('latin1'), one.text);
  });

  it('that fails is made as small as it can be', async () => {
    const fuzzed = { text: 'some text with an x in it', cuts: [1, 2] };
    const least = await smallest(fuzzed, ({ text }) => Promise.resolve(text.includes('x')));
    assert.deepEqual(least, { text: 'x', cuts: [] });
  });
});
