import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startInstance, until } from '#test/support/process.ts';
import { SlowClients } from '#test/support/slow-clients.ts';
import { startUpstream } from '#test/support/upstream.ts';

const EACH = 30;

describe('a crowd of slow clients', () => {
  it('keeps nobody from being served, takes no upstream, and ends by its deadlines', async (t) => {
    let [large, largeEnded] = [0, 0];
    const upstream = await startUpstream(t, 'red', (request, response) => {
      if (request.url === '/large') {
        large++;
        response.on('close', () => largeEnded++);
        response.end(Buffer.alloc(32 * 1024 * 1024));
      } else response.end('red');
    });
    const instance = await startInstance(t, [upstream], {
      server: {
        head_ms: 2000,
        body_rate_min: 1000,
        response_rate_min: 1_000_000,
        rate_window_ms: 2000,
      },
    });
    const crowd = new SlowClients(instance.port, false);
    t.after(() => crowd.leave());
    await crowd.join('idle', 10 * EACH);
    for (const kind of ['head', 'body', 'read'] as const) await crowd.join(kind, EACH);
    await until('all of them hang', () => large === EACH);

    for (const path of ['/health', '/']) {
      const response = await fetch(instance.url + path);
      assert.equal(response.status, 200);
      await response.text();
    }
    assert.equal(upstream.requests, EACH + 1);
    await until('all slow ones have been ended', () => {
      const { idle, head, body } = crowd.ended;
      assert.equal(idle, 0);
      // Who does not read does not see the end, either; the upstream does.
      return head === EACH && body === EACH && largeEnded === EACH;
    });
    assert.equal(upstream.requests, EACH + 1);
  });
});
