import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Exchange } from '#actors/request/exchange.ts';
import { Claims } from '#http/in-flight/claims.ts';
import { UpstreamCells } from '#shared/upstream-cells.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';

const exchange = {} as Exchange;
const upstream = sampleUpstream({ slot: 4 });

function scene() {
  const cells = UpstreamCells.create(2);
  return { cells, claims: new Claims(cells), other: new Claims(UpstreamCells.attach(cells.memory, 1)) };
}

describe('a claimed place', () => {
  it('is one that no other worker gets', () => {
    const { claims, other } = scene();
    assert.ok(claims.claim(exchange, upstream, 1));
    assert.ok(!other.claim({} as Exchange, upstream, 1));
  });

  it('belongs to the attempt that begins', async () => {
    const { cells, claims } = scene();
    claims.claim(exchange, upstream, 1);
    claims.settle(exchange);
    claims.take(exchange);
    await Promise.resolve();
    assert.equal(cells.inFlight(4), 1);
  });

  it('is free again when no attempt has begun', async () => {
    const { cells, claims } = scene();
    claims.claim(exchange, upstream, 1);
    claims.settle(exchange);
    await Promise.resolve();
    assert.equal(cells.inFlight(4), 0);
    claims.settle(exchange);
    await Promise.resolve();
    assert.equal(cells.inFlight(4), 0);
  });
});
