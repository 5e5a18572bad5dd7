import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { ask, load, tally } from '#test/support/load.ts';
import { launchInstance, startInstance, until } from '#test/support/process.ts';
import { startUpstream, startUpstreams } from '#test/support/upstream.ts';

/** One request on a connection of its own. */
function askOnce(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1').setEncoding('latin1');
    let received = '';
    let isMade = false;
    socket.on('connect', () => {
      isMade = true;
      socket.write('GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n');
    });
    socket.on('data', (text) => {
      received += text;
    });
    socket.on('error', (error) => resolve(isMade ? error.message : 'refused'));
    socket.on('close', () => resolve(received.startsWith('HTTP/1.1 200 ') ? 'served' : received));
  });
}

describe('SIGTERM', () => {
  it('during load loses no request that was accepted', async (t) => {
    const upstreams = await Promise.all(
      ['red', 'blue'].map((name) =>
        startUpstream(t, name, (_, response) => {
          setTimeout(() => response.end(name), 20);
        }),
      ),
    );
    const instance = await startInstance(t, upstreams, { server: { workers: 2 } });
    let isOver = false;
    const running = load(instance.url, 32, () => isOver);
    await until('it is under load', () => (upstreams[0]?.requests ?? 0) > 100);
    const code = instance.stop('SIGTERM');
    await until('the port is closed', async () =>
      (await ask(instance.url, { path: '/health' })).error.includes('ECONNREFUSED'),
    );
    isOver = true;
    const samples = await running;
    assert.equal(await code, 0);
    const lost = samples.filter(({ status, error }) => status !== 200 && !error.includes('ECONNREFUSED'));
    assert.deepEqual(lost, []);
    const served = (upstreams[0]?.requests ?? 0) + (upstreams[1]?.requests ?? 0);
    assert.equal(tally(samples.map(({ status }) => status))[200], served);
  });

  for (const workers of [1, 2]) {
    it(`resets no connection that was made before the port closed, with ${workers} workers`, async (t) => {
      // Closing the port reset those that waited to be accepted: some twenty each time.
      const upstreams = await startUpstreams(t, ['red']);
      for (let run = 0; run < 4; run++) {
        const instance = await startInstance(t, upstreams, { server: { workers } });
        const outcomes: string[] = [];
        let isOver = false;
        const client = async () => {
          while (!isOver) outcomes.push(await askOnce(instance.port));
        };
        const clients = Promise.all(Array.from({ length: 32 }, client));
        await until('it is under load', () => outcomes.length > 300);
        const ended = instance.stop('SIGTERM');
        await until('the port is closed', () => outcomes.includes('refused'));
        isOver = true;
        assert.equal(await ended, 0);
        await clients;
        assert.deepEqual(Object.keys(tally(outcomes)).toSorted(), ['refused', 'served']);
      }
    });
  }

  it('ends an idle instance at once, idle connections and all', async (t) => {
    const instance = await startInstance(t, await startUpstreams(t, ['red']));
    const idle = connect(instance.port, '127.0.0.1');
    await once(idle, 'connect');
    await until('the connection is counted', async () => {
      const metrics = await (await fetch(`${instance.admin}/metrics`)).text();
      return /^signalbox_connections 1$/m.test(metrics);
    });
    const startMs = performance.now();
    assert.equal(await instance.stop('SIGTERM'), 0);
    // Its grace would be 30 seconds.
    assert.ok(performance.now() - startMs < 5000);
  });

  it('turns readiness first, and accepts on for the lame duck’s time', async (t) => {
    const upstreams = await startUpstreams(t, ['red']);
    const instance = await startInstance(t, upstreams, { shutdown: { lame_duck_ms: 1000 } });
    const ended = instance.stop('SIGTERM');
    await until('it is unready', async () => (await fetch(`${instance.admin}/readyz`)).status === 503);
    assert.equal((await fetch(`${instance.admin}/livez`)).status, 200);
    assert.equal((await ask(instance.url)).status, 200);
    assert.equal(await ended, 0);
  });

  it('lets a slow answer finish, and says that the connection ends with it', async (t) => {
    const upstream = await startUpstream(t, 'slow', (_, response) => {
      setTimeout(() => response.end('at last'), 1000);
    });
    const instance = await startInstance(t, [upstream]);
    const answer = fetch(instance.url);
    await until('the upstream has it', () => upstream.requests === 1);
    const ended = instance.stop('SIGTERM');
    const response = await answer;
    assert.equal(await response.text(), 'at last');
    assert.equal(response.headers.get('connection'), 'close');
    assert.equal(await ended, 0);
  });

  it('cuts what is left when the grace is over, and says so', async (t) => {
    const upstream = await startUpstream(t, 'never', () => {});
    const instance = await startInstance(t, [upstream], { shutdown: { grace_ms: 500 } });
    const answer = ask(instance.url);
    await until('the upstream has it', () => upstream.requests === 1);
    assert.equal(await instance.stop('SIGTERM'), 1);
    assert.equal((await answer).status, 0);
    assert.match(instance.output, /cut/);
  });

  it('twice ends at once', async (t) => {
    const upstream = await startUpstream(t, 'never', () => {});
    const instance = await startInstance(t, [upstream]);
    void ask(instance.url);
    await until('the upstream has it', () => upstream.requests === 1);
    const ended = instance.stop('SIGTERM');
    await until('it drains', () => instance.output.includes('draining'));
    const startMs = performance.now();
    instance.child.kill('SIGTERM');
    await ended;
    assert.ok(performance.now() - startMs < 5000);
  });

  // Signals were heard only by an instance that served: a start that waited could not be ended but by force.
  it('ends an instance that is still starting', async (t) => {
    const database = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
    const config = { middleware: { auth: { enabled: true, auth_type: 'jwt' } } };
    const instance = await launchInstance(t, await startUpstreams(t, ['red']), config, null, database);
    await until('it waits', () => instance.output.includes('waiting for the database'));
    assert.equal(await instance.stop('SIGTERM'), 0);
  });
});
