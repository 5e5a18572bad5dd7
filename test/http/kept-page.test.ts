import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { KEEP_MS, keptPage } from '#http/kept-page.ts';
import type { Local, LocalAnswer, LocalRequest } from '#http/local.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const REQUEST = {} as LocalRequest;
const PAGE: LocalAnswer = { status: 200, headers: [], body: new Uint8Array(0) };

let clock: VirtualClock;
let asked: ((answer: LocalAnswer) => void)[];
let told: LocalAnswer[];
let page: Local;

beforeEach(() => {
  clock = new VirtualClock();
  asked = [];
  told = [];
  page = keptPage(
    { root: null, name: '/keys', answers: () => true, answer: (_, tell) => void asked.push(tell) },
    clock,
  );
});

const ask = () => page.answer(REQUEST, (answer) => told.push(answer));

describe('a page that is kept', () => {
  // History: whoever asked for the public keys often enough kept the control plane from all else.
  it('[5] is asked for once, whoever waits for it, and once a second after that', () => {
    for (let nth = 0; nth < 100; nth++) ask();
    assert.equal(asked.length, 1);
    asked[0]?.(PAGE);
    assert.equal(told.length, 100);
    for (let nth = 0; nth < 100; nth++) ask();
    clock.advance(KEEP_MS - 1);
    ask();
    assert.deepEqual([asked.length, told.length], [1, 201]);
    clock.advance(1);
    ask();
    assert.deepEqual([asked.length, told.length], [2, 201]);
  });

  it('is asked for again after a refusal', () => {
    ask();
    asked[0]?.('overloaded');
    ask();
    assert.deepEqual([asked.length, told], [2, ['overloaded']]);
  });
});
