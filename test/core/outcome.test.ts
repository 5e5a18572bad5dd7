import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outcomeOf } from '#core/outcome.ts';

describe('the outcome of an attempt', () => {
  it('is told by the status of its answer', () => {
    for (const status of [101, 200, 304, 404, 429, 499]) assert.equal(outcomeOf(status), 'ok', `${status}`);
    for (const status of [500, 501, 505, 599]) assert.equal(outcomeOf(status), 'server_error', `${status}`);
    for (const status of [502, 503, 504]) assert.equal(outcomeOf(status), 'gateway_failure', `${status}`);
  });
});
