import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FromWorker } from '#core/worker-messages.ts';
import { PROBLEMS_PER_SECOND_MAX, Problems } from '#http/problems.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

describe('the problems of a worker', () => {
  it('are told with their stack, a few a second, and the rest counted', () => {
    const clock = new VirtualClock();
    const said: FromWorker[] = [];
    const problems = new Problems((message) => said.push(message), clock);
    for (let i = 0; i < PROBLEMS_PER_SECOND_MAX + 7; i++) problems.report(new Error('a mistake'));
    assert.equal(said.length, PROBLEMS_PER_SECOND_MAX);
    assert.match((said[0] as { stack: string }).stack, /a mistake\n +at /);
    clock.advance(1000);
    problems.report('no error at all');
    assert.deepEqual(said.at(-1), { type: 'problem', message: 'no error at all', stack: '', untold: 7 });
  });
});
