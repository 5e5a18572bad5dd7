import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { avoidanceHealth } from '#control/avoidance-health.ts';
import { UpstreamCells } from '#shared/upstream-cells.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

describe('health without checks', () => {
  it('is down while the instance avoids the upstream, and else unknown', () => {
    const clock = new VirtualClock();
    const cells = UpstreamCells.create(1);
    const health = avoidanceHealth(cells, 'one', clock);
    const red = sampleUpstream({ slot: 4 });
    assert.deepEqual(health.of(red), { verdict: 'unknown', opinions: [] });
    cells.admission.reportUnreachable(4, clock.monotonicMs());
    const opinion = { instance: 'one', verdict: 'down', reason: 'connection failed', ageMs: 0 };
    assert.deepEqual(health.of(red), { verdict: 'down', opinions: [opinion] });
    clock.advance(100);
    assert.equal(health.of(red).verdict, 'unknown');
  });
});
