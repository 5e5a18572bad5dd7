import assert from 'node:assert/strict';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import type { ProbeEvent } from '#actors/health-check/machine.ts';
import { probeStep } from '#control/health/probe-step.ts';
import { systemClock } from '#core/clock.ts';
import type { Probe } from '#core/health/check.ts';
import type { Upstream } from '#core/table.ts';
import { type Behaviour, startH2Upstream } from '#test/http/h2-dispatcher/subject.ts';
import { until } from '#test/support/process.ts';
import { sampleCheck } from '#test/support/sample-checks.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';
import { startRawUpstream, startUpstream } from '#test/support/upstream.ts';

const asking = (text: string | null): Probe => ({
  kind: 'http',
  method: 'GET',
  path: '/health',
  headers: [['X-Probe', 'yes']],
  expected: { statuses: [[200, 299]], text },
});

function probe(upstream: Partial<Upstream>, probe: Probe): Promise<ProbeEvent> {
  return new Promise((resolve) => {
    const target = { upstream: sampleUpstream(upstream), check: sampleCheck({ probe }) };
    probeStep(systemClock)(target, {
      tell(event) {
        if (event.type !== 'probe.begun') resolve(event);
      },
    });
  });
}

async function outcome(upstream: Partial<Upstream>, asked: Probe): Promise<string> {
  const event = await probe(upstream, asked);
  if (event.type !== 'probe.ended') return event.type;
  return event.outcome.passed ? 'passed' : event.outcome.reason;
}

describe('an http probe of an upstream in HTTP/2', () => {
  const h2 = (port: number) => ({ port, protocol: 'h2' }) as const;

  it('asks in HTTP/2 as it was told to, and leaves no connection open', async (t) => {
    const asked: IncomingHttpHeaders[] = [];
    const { port, sessions } = await startH2Upstream(t, (stream, headers) => {
      asked.push(headers);
      stream.respond({ ':status': 200 });
      stream.end('all is well');
    });
    assert.equal(await outcome(h2(port), asking(null)), 'passed');
    assert.equal(await outcome(h2(port), asking('well')), 'passed');
    assert.equal(await outcome(h2(port), asking('bad')), 'body without the expected text');
    const [{ ':path': path, ':authority': authority, 'user-agent': agent, 'x-probe': mark } = assert.fail()] =
      asked;
    assert.deepEqual(
      [path, authority, agent, mark],
      ['/health', `127.0.0.1:${port}`, 'signalbox-health', 'yes'],
    );
    await until('all are closed', () => sessions.every(({ destroyed }) => destroyed));
  });

  it('does not read a body without end', async (t) => {
    const { port } = await startH2Upstream(t, (stream) => {
      stream.respond({ ':status': 200 });
      const more = () => stream.destroyed || stream.write('x'.repeat(16_384), () => setImmediate(more));
      more();
    });
    assert.equal(await outcome(h2(port), asking('never')), 'body without the expected text');
  });

  it('fails with a status, without an answer, and without HTTP/2', async (t) => {
    const sick = await startH2Upstream(t, (stream) =>
      stream.respond({ ':status': 503 }, { endStream: true }),
    );
    assert.equal(await outcome(h2(sick.port), asking(null)), 'status 503');
    const mute = await startRawUpstream(t, (socket) => socket.once('data', () => socket.destroy()));
    assert.equal(await outcome(h2(mute.port), asking(null)), 'connection closed');
    const { port } = await startUpstream(t, 'one');
    assert.equal(await outcome(h2(port), asking(null)), 'answer is not HTTP/2');
  });
});

describe('a grpc probe', () => {
  /** A server whose health is that of the HealthCheckResponse with these bytes. */
  const healthy =
    (response: readonly number[], trailers: OutgoingHttpHeaders = { 'grpc-status': '0' }): Behaviour =>
    (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      stream.end(Buffer.from([0, 0, 0, 0, response.length, ...response]));
    };

  it('asks for a service, or the whole server', async (t) => {
    const asked: string[] = [];
    const { port } = await startH2Upstream(t, async (stream, headers, raw) => {
      const body = (await buffer(stream)).toString('latin1');
      asked.push(
        `${headers[':method']} ${headers[':path']} ${headers['content-type']} ${headers['te']} ${body}`,
      );
      healthy([8, 1])(stream, headers, raw);
    });
    assert.equal(await outcome({ port }, { kind: 'grpc', service: '' }), 'passed');
    assert.equal(await outcome({ port }, { kind: 'grpc', service: 'shop.Cart' }), 'passed');
    const call = 'POST /grpc.health.v1.Health/Check application/grpc trailers';
    assert.deepEqual(asked, [`${call} \0\0\0\0\0`, `${call} \0\0\0\0\x0b\n\tshop.Cart`]);
  });

  it('passes only where it is said to be serving', async (t) => {
    const whole: Probe = { kind: 'grpc', service: '' };
    for (const [behave, expected] of [
      [healthy([8, 2]), 'not serving'],
      [healthy([]), 'not serving'],
      [healthy([8, 1], { 'grpc-status': '14' }), 'grpc-status 14'],
      [healthy([8, 1], {}), 'grpc-status missing'],
      [
        (stream) => stream.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true }),
        'grpc-status 12',
      ],
      [(stream) => stream.respond({ ':status': 404 }, { endStream: true }), 'status 404'],
    ] as readonly [Behaviour, string][]) {
      const { port } = await startH2Upstream(t, behave);
      assert.equal(await outcome({ port }, whole), expected);
    }
  });
});
