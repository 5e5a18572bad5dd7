import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import type { Exchange } from '#actors/request/exchange.ts';
import type { RequestEvent } from '#actors/request/steps.ts';
import { SignalboxError } from '#core/errors.ts';
import { RequestBody } from '#http/request-body.ts';
import { receiveStep, UNDECLARED_MS } from '#http/steps/receive.ts';
import { until } from '#test/support/process.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

function scene(source: Readable, bytes: number) {
  const clock = new VirtualClock();
  const bounds = { keptBytesMax: 100, bytesMax: null };
  const body = new RequestBody(source, bytes, bounds, { invite() {}, awaitClient() {} });
  const told: RequestEvent[] = [];
  const machine = { tell: (event: RequestEvent) => told.push(event) };
  const work = receiveStep(clock)({ exchange: { body } as unknown as Exchange }, machine);
  return { clock, told, work: work ?? assert.fail() };
}

const endless = () => new Readable({ read() {} }).on('error', () => {});

describe('a body that is received first', () => {
  it('may take its time where its length is declared', async () => {
    const source = endless();
    const { clock, told } = scene(source, 3);
    clock.advance(100_000);
    assert.deepEqual(told, []);
    source.push('abc');
    source.push(null);
    await until('it has come', () => told.length === 1);
    assert.deepEqual(told, [{ type: 'body.received' }]);
    assert.equal(clock.timers, 0);
  });

  it('is waited for a moment where it is not', async () => {
    const { clock, told } = scene(endless(), Number.POSITIVE_INFINITY);
    clock.advance(UNDECLARED_MS - 1);
    assert.deepEqual(told, []);
    clock.advance(1);
    assert.deepEqual(told, [{ type: 'body.received' }]);
  });

  it('is refused for what its client did wrong', async () => {
    for (const [code, cause] of [
      ['request_body_slow', 'request_timeout'],
      ['request_body_too_large', 'body_too_large'],
      ['request_body_broken', 'malformed_request'],
    ] as const) {
      const source = endless();
      const { told } = scene(source, 3);
      source.destroy(new SignalboxError(code, 'client', ''));
      await until('it is told', () => told.length === 1);
      assert.deepEqual(told, [{ type: 'request.refused', refusal: { cause } }]);
    }
  });

  it('is of no interest once the request has ended', () => {
    const { clock, told, work } = scene(endless(), Number.POSITIVE_INFINITY);
    work.stop();
    assert.equal(clock.timers, 0);
    assert.deepEqual(told, []);
  });
});
