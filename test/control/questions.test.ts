import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { answerQuestion, type QuestionHandler } from '#control/questions.ts';
import type { ControlQuestion } from '#core/worker-messages.ts';

const QUESTION: ControlQuestion = {
  method: 'GET',
  path: '/x',
  headers: [],
  body: new Uint8Array(0),
  clientAddress: '192.0.2.1',
  requestId: '0'.repeat(32),
};

async function answered(...handlers: [string, QuestionHandler][]) {
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line) => lines.push(line) });
  const answer = await answerQuestion(new Map(handlers), QUESTION, log);
  return { answer, log: lines.join('') };
}

describe('a question of a worker', () => {
  it('is answered by the handler of its method and path', async () => {
    const answer = { status: 200, headers: [], body: Buffer.from('yes') };
    const result = await answered(['POST /x', () => assert.fail()], ['GET /x', async () => answer]);
    assert.deepEqual(result, { answer, log: '' });
  });

  it('that fails, or that nobody answers, has no answer and is logged', async () => {
    const failed = await answered(['GET /x', () => Promise.reject(new Error('out of ink'))]);
    assert.equal(failed.answer, null);
    assert.match(failed.log, /"path":"\/x".*out of ink/);
    const unknown = await answered();
    assert.equal(unknown.answer, null);
    assert.match(unknown.log, /no answer for/);
  });
});
