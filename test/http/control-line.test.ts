import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { ControlAnswer, ControlQuestion, FromWorker } from '#core/worker-messages.ts';
import { ANSWER_MS_MAX, ControlLine, QUESTIONS_MAX } from '#http/control-line.ts';
import type { LocalAnswer } from '#http/local.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const QUESTION: ControlQuestion = {
  method: 'GET',
  path: '/metrics',
  headers: [],
  body: new Uint8Array(0),
  clientAddress: '192.0.2.1',
  requestId: '0'.repeat(32),
};
const ANSWER: ControlAnswer = { status: 200, headers: [], body: Buffer.from('x 1\n') };

let clock: VirtualClock;
let sent: FromWorker[];
let told: LocalAnswer[];
let line: ControlLine;

beforeEach(() => {
  clock = new VirtualClock();
  sent = [];
  told = [];
  line = new ControlLine((message) => sent.push(message), clock);
});

function ask(times = 1): void {
  for (let nth = 0; nth < times; nth++) line.ask(QUESTION, (answer) => told.push(answer));
}

describe('a question to the control plane', () => {
  it('is answered, once', () => {
    ask(2);
    assert.deepEqual(sent, [
      { type: 'question', id: 1, question: QUESTION },
      { type: 'question', id: 2, question: QUESTION },
    ]);
    line.deliver(2, ANSWER);
    line.deliver(2, ANSWER);
    assert.deepEqual(told, [ANSWER]);
    line.deliver(1, null);
    assert.deepEqual(told, [ANSWER, 'internal']);
    assert.equal(clock.timers, 0);
  });

  it('is given up after its time, and a later answer is dropped', () => {
    ask();
    clock.advance(ANSWER_MS_MAX - 1);
    assert.deepEqual(told, []);
    clock.advance(1);
    assert.deepEqual(told, ['overloaded']);
    line.deliver(1, ANSWER);
    assert.deepEqual(told, ['overloaded']);
  });

  it('is not sent while too many others wait', () => {
    ask(QUESTIONS_MAX + 1);
    assert.equal(sent.length, QUESTIONS_MAX);
    assert.deepEqual(told, ['overloaded']);
    line.deliver(1, ANSWER);
    ask();
    assert.equal(sent.length, QUESTIONS_MAX + 1);
  });
});
