import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startInstance, until } from '#test/support/process.ts';
import { startRawUpstream } from '#test/support/upstream.ts';

const REQUESTS = 10;
const FIRST_BYTE_MS = 1000;

describe('an instance that stood still', () => {
  it('takes answers that came in time, though it looks at them late', async (t) => {
    // Its timers ran before it looked at its sockets: most of these answers became 504.
    const asked: Socket[] = [];
    const upstream = await startRawUpstream(t, (socket) => {
      socket.once('data', () => asked.push(socket));
    });
    const instance = await startInstance(t, [upstream], { timeouts: { first_byte_ms: FIRST_BYTE_MS } });
    const answers = Array.from({ length: REQUESTS }, () =>
      fetch(instance.url, { method: 'POST', body: 'x' }),
    );
    await until('all have been asked for', () => asked.length === REQUESTS);
    instance.child.kill('SIGSTOP');
    for (const socket of asked) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await delay(FIRST_BYTE_MS + 200);
    instance.child.kill('SIGCONT');
    const statuses = await Promise.all(answers.map(async (answer) => (await answer).status));
    assert.deepEqual(new Set(statuses), new Set([200]));
  });
});
