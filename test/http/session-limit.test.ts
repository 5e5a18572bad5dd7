import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SESSION_QUOTA, sessionLimit } from '#http/session-limit.ts';
import { LimitTable } from '#shared/limit-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

describe('refreshing and ending sessions', () => {
  it('is limited by address, and says how long to wait', () => {
    const clock = new VirtualClock();
    const limit = sessionLimit(LimitTable.create({ keysMax: 1024, hashKey: [1, 2] }), 64, clock);
    const burst = SESSION_QUOTA.kind === 'gcra' ? SESSION_QUOTA.burst : 0;
    for (let i = 0; i < burst; i++) assert.equal(limit('192.0.2.1'), 0);
    assert.equal(limit('192.0.2.1'), 1);
    assert.equal(limit('192.0.2.2'), 0);
    clock.advance(1000);
    assert.equal(limit('192.0.2.1'), 0);
  });
});
