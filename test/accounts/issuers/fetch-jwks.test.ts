import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fetchJwks, JWKS_BYTES_MAX, JWKS_MS_MAX } from '#accounts/issuers/fetch-jwks.ts';
import { until } from '#test/support/process.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { KeyServer, publishing } from '../support.ts';

const NEVER = new AbortController().signal;
const unavailable = (message: RegExp) => ({ code: 'jwks_unavailable', blame: 'operator', message });

describe('what an issuer publishes', () => {
  it('[35] is fetched', async (t) => {
    const server = await KeyServer.start(t, publishing([]));
    assert.equal(await fetchJwks(server.uri, new VirtualClock(), NEVER), '{"keys":[]}');
  });

  it('[35] is not read beyond 64 KiB, however it is sent', async (t) => {
    const server = await KeyServer.start(t, (_, response) => response.end('x'.repeat(JWKS_BYTES_MAX)));
    assert.equal((await fetchJwks(server.uri, new VirtualClock(), NEVER)).length, JWKS_BYTES_MAX);
    let isCut = false;
    server.answer = (_, response) => {
      response.on('close', () => {
        isCut = true;
      });
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      };
      response.on('drain', more);
      more();
    };
    await assert.rejects(
      fetchJwks(server.uri, new VirtualClock(), NEVER),
      unavailable(/longer than 65536 bytes/),
    );
    await until('the endless answer is cut', () => isCut);
  });

  it('[35] is not waited for longer than five seconds, headers and body together', async (t) => {
    const server = await KeyServer.start(t, () => {});
    for (const answer of [
      () => {},
      (_: unknown, response: { write(text: string): void }) => response.write('{'),
    ]) {
      server.answer = answer;
      const before = server.requests;
      const clock = new VirtualClock();
      const text = fetchJwks(server.uri, clock, NEVER);
      const refused = assert.rejects(text, unavailable(/took longer than 5000 ms/));
      await until('it is asked', () => server.requests > before);
      clock.advance(JWKS_MS_MAX);
      await refused;
      assert.equal(clock.timers, 0);
    }
  });

  it('[35] is where the configuration says: redirects are not followed', async (t) => {
    const other = await KeyServer.start(t, publishing([]));
    const server = await KeyServer.start(t, (_, response) => {
      response.writeHead(302, { Location: other.uri }).end();
    });
    await assert.rejects(fetchJwks(server.uri, new VirtualClock(), NEVER), unavailable(/redirect/));
    assert.equal(other.requests, 0);
  });

  it('[35] is nothing when it is an error', async (t) => {
    const server = await KeyServer.start(t, (_, response) => response.writeHead(503).end('{"keys":[]}'));
    await assert.rejects(fetchJwks(server.uri, new VirtualClock(), NEVER), unavailable(/status 503/));
  });

  it('[35] is nothing when nobody answers', async () => {
    const port = 'http://127.0.0.1:1/keys';
    await assert.rejects(fetchJwks(port, new VirtualClock(), NEVER), unavailable(/127\.0\.0\.1:1/));
  });

  it('is not waited for by an instance that ends', async (t) => {
    const server = await KeyServer.start(t, () => {});
    const end = new AbortController();
    const text = fetchJwks(server.uri, new VirtualClock(), end.signal);
    const refused = assert.rejects(text, { code: 'jwks_unavailable' });
    await until('it is asked', () => server.requests === 1);
    end.abort();
    await refused;
  });
});
