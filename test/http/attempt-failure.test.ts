import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { SignalboxError } from '#core/errors.ts';
import { Fields } from '#core/fields.ts';
import { REFUSALS, type RefusalCause } from '#core/refusals.ts';
import { Attempt } from '#http/attempt.ts';
import { failureCause, isUnreachable, isUpstreamsFault } from '#http/attempt-failure.ts';
import { RequestBody } from '#http/request-body.ts';
import { transportTo } from '#test/http/transport/subject.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';
import { startRawUpstream } from '#test/support/upstream.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

// What upstreams do wrong is in attempt/failures.test.ts, what goes wrong with TLS in upstream-clients.test.ts.

/** The cause of a POST's failure at an upstream that never answers. */
async function causeOf(t: TestContext, body: Readable, headers: string[]): Promise<RefusalCause | null> {
  const { port } = await startRawUpstream(t, (socket) => void socket.resume());
  const pool = transportTo(t, 'undici', { port });
  return new Promise((resolve) => {
    const attempt = new Attempt(sampleUpstream(), { firstByteMs: 1000, idleMs: 1000 }, new VirtualClock(), {
      informed() {},
      started() {},
      answered: () => resolve(null),
      failed: (error, written) => resolve(failureCause(error, written)),
      settled() {},
    });
    pool.dispatch({ method: 'POST', path: '/', headers: Fields.of(headers), body }, attempt);
  });
}

describe('a failure that the client caused', () => {
  it('is not blamed on the upstream: it broke off the body', async (t) => {
    // The upstream was said to have closed, and with a connection just made, to be unreachable.
    const source = new Readable({ read() {} });
    const hooks = { invite() {}, awaitClient() {}, giveUp() {} };
    const reader = new RequestBody(
      source,
      Number.POSITIVE_INFINITY,
      { keptBytesMax: 0, bytesMax: null },
      hooks,
    ).open();
    assert.ok(reader !== null);
    const cause = causeOf(t, reader, []);
    source.push('start');
    source.destroy();
    assert.equal(await cause, 'malformed_request');
  });

  it('is not blamed on the upstream: its body is too long', async (t) => {
    const source = Readable.from([Buffer.alloc(2)]);
    const bounds = { keptBytesMax: 10, bytesMax: 1 };
    const hooks = { invite() {}, awaitClient() {} };
    const reader = new RequestBody(source, Number.POSITIVE_INFINITY, bounds, hooks).open();
    assert.ok(reader !== null);
    assert.equal(await causeOf(t, reader, []), 'body_too_large');
  });

  it('is not blamed on the upstream: the body is not of the length that it declared', async (t) => {
    for (const length of ['2', '4'])
      assert.equal(
        await causeOf(t, Readable.from([Buffer.from('abc')]), ['Content-Length', length]),
        'malformed_request',
      );
  });

  it('is not blamed on the upstream: the head cannot be sent', async (t) => {
    for (const headers of [
      ['Content-Length', 'x'],
      ['Expect', '100-continue'],
      ['Bad name', 'x'],
    ])
      assert.equal(await causeOf(t, Readable.from([]), headers), 'malformed_request');
  });
});

describe('a failure over HTTP/2', () => {
  it('is one of the protocol where the upstream speaks another one, though nothing was sent', () => {
    for (const isWritten of [true, false]) {
      const error = new SignalboxError('upstream_malformed', 'upstream', '?');
      assert.equal(failureCause(error, isWritten), 'upstream_protocol_error');
    }
  });

  it('makes nobody avoid an upstream that has only not begun on a request', () => {
    const error = new SignalboxError('upstream_unprocessed', 'upstream', '?');
    assert.equal(failureCause(error, false), 'upstream_closed');
  });

  it('is that of the request to switch protocols, where there is no way to', () => {
    const error = new SignalboxError('upgrade_unsupported', 'signalbox', '?');
    assert.equal(failureCause(error, false), 'upgrade_unsupported');
  });
});

describe('any failure', () => {
  it('has a cause, whatever was thrown', () => {
    for (const error of [new Error('?'), null, undefined, 'text', { code: 7 }]) {
      assert.equal(failureCause(error, true), 'upstream_closed');
      assert.equal(failureCause(error, false), 'upstream_unreachable');
    }
  });

  it("is the upstream's fault unless the client caused it", () => {
    const causes = (Object.keys(REFUSALS) as RefusalCause[]).filter((cause) => !isUpstreamsFault(cause));
    assert.deepEqual(causes, [
      'malformed_request',
      'request_timeout',
      'body_too_large',
      'upgrade_unsupported',
    ]);
  });

  it('makes others avoid the upstream only if no connection could be made', () => {
    const causes = (Object.keys(REFUSALS) as RefusalCause[]).filter(isUnreachable);
    assert.deepEqual(causes.toSorted(), ['connect_timeout', 'upstream_tls_error', 'upstream_unreachable']);
  });
});
