import assert from 'node:assert/strict';
import type { RequestListener, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { integerBelow, seededRandom } from '#core/random.ts';
import { parseExposition, total } from '#test/support/exposition.ts';
import { ask, burst, tally } from '#test/support/load.ts';
import { startInstance, until } from '#test/support/process.ts';
import { RawClient, requestOf } from '#test/support/raw-client.ts';
import { startUpstream } from '#test/support/upstream.ts';

/** Holds what it is asked until it is told to answer; knows how many it ever had at once. */
function holding() {
  const held: ServerResponse[] = [];
  let now = 0;
  let most = 0;
  const listener: RequestListener = (_, response) => {
    most = Math.max(most, ++now);
    response.on('close', () => now--);
    held.push(response);
  };
  return { held, listener, most: () => most, answer: () => held.shift()?.end('done') };
}

describe('an upstream with a bound', () => {
  it('never has more in flight, whichever worker asks', async (t) => {
    let now = 0;
    let most = 0;
    const listener: RequestListener = (_, response) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now--;
        response.end('done');
      }, 2);
    };
    const upstream = await startUpstream(t, 'red', listener);
    const instance = await startInstance(t, [upstream], {
      server: { workers: 3 },
      load_balancing: { in_flight_max: 2, queue: { timeout_ms: 20_000 } },
    });
    const samples = await burst(instance.url, 24, 600);
    assert.deepEqual(tally(samples.map(({ status }) => status)), { 200: 600 });
    assert.equal(most, 2);
  });

  it('has others wait in turn, those beyond refused, and those who leave forgotten', async (t) => {
    const { held, listener, most, answer } = holding();
    const upstream = await startUpstream(t, 'red', listener);
    const instance = await startInstance(t, [upstream], {
      load_balancing: { in_flight_max: 1, queue: { length_max: 2, timeout_ms: 20_000 } },
    });
    const gauge = async () => {
      const text = await (await fetch(`${instance.admin}/metrics`)).text();
      return total(parseExposition(text), 'signalbox_queue_length');
    };
    const first = ask(instance.url);
    await until('the first one is there', () => held.length === 1);
    const leaver = RawClient.dial(t, instance.port).say(requestOf('GET /'));
    await until('it waits', async () => (await gauge()) === 1);
    const second = ask(instance.url);
    await until('two wait', async () => (await gauge()) === 2);
    const refused = await ask(instance.url);
    assert.equal(refused.status, 503);
    assert.match(refused.body, /as many requests as they may/);
    leaver.socket.destroy();
    await until('one has left', async () => (await gauge()) === 1);
    answer();
    assert.equal((await first).status, 200);
    await until('the next one is there', () => held.length === 1);
    answer();
    assert.equal((await second).status, 200);
    assert.equal(upstream.requests, 2);
    assert.equal(most(), 1);
  });

  it('keeps nobody waiting for too long, nor an instance that is stopped', async (t) => {
    const { held, listener, answer } = holding();
    const upstream = await startUpstream(t, 'red', listener);
    const instance = await startInstance(t, [upstream], {
      load_balancing: { in_flight_max: 1, queue: { timeout_ms: 100 } },
    });
    const first = ask(instance.url);
    await until('the first one is there', () => held.length === 1);
    const client = RawClient.dial(t, instance.port).say(requestOf('GET /', 'Connection: close'));
    const answered = await client.ended();
    assert.match(answered, /^HTTP\/1\.1 503 /);
    assert.match(answered, /\r\nRetry-After: 1\r\n/);
    assert.match(answered, /\r\nProxy-Status: signalbox; error=connection_limit_reached/);
    const waiting = ask(instance.url);
    const stopped = instance.stop();
    assert.equal((await waiting).status, 503);
    answer();
    assert.equal((await first).status, 200);
    assert.equal(await stopped, 0);
  });

  it('lets a request fail over only when the next one has room', async (t) => {
    const { held, listener, answer } = holding();
    const blue = await startUpstream(t, 'blue', listener);
    const red = await startUpstream(t, 'red', (_, response) => response.writeHead(503).end('red'));
    const instance = await startInstance(t, [red, blue], {
      load_balancing: {
        in_flight_max: 1,
        outlier_detection: { consecutive_5xx: 0, consecutive_gateway_failure: 0 },
      },
      retry: { on_status: [503] },
    });
    const first = [ask(instance.url), ask(instance.url)];
    await until('blue has one', () => held.length === 1);
    // The other one has an answer already, and that is what it gets while blue is full.
    assert.equal((await Promise.race(first)).status, 503);
    answer();
    const statuses = (await Promise.all(first)).map(({ status }) => status);
    assert.deepEqual(statuses.toSorted(), [200, 503]);
  });

  for (const runtime of ['compiled', 'xstate']) {
    it(`loses no place, whatever goes wrong on either side (${runtime})`, async (t) => {
      const random = seededRandom(7);
      const habits: readonly RequestListener[] = [
        (_, response) => response.end('ok'),
        (_, response) => void setTimeout(() => response.end('late'), 10),
        (request) => request.socket.resetAndDestroy(),
        (_, response) => response.writeHead(503).end(),
        (_, response) =>
          void response.writeHead(200, { 'Content-Length': 9 }).write('part', () => response.destroy()),
      ];
      const behave: RequestListener = (...exchange) =>
        habits[integerBelow(random, habits.length)]?.(...exchange);
      const upstreams = await Promise.all(['red', 'blue'].map((name) => startUpstream(t, name, behave)));
      const instance = await startInstance(t, upstreams, {
        server: { workers: 2 },
        actors: { runtime },
        load_balancing: {
          in_flight_max: 2,
          queue: { length_max: 8, timeout_ms: 50 },
          outlier_detection: { consecutive_5xx: 0, consecutive_gateway_failure: 0 },
        },
        retry: { on_status: [503], attempts: 3 },
      });
      const impatient = async () => {
        const client = RawClient.dial(t, instance.port).say(requestOf('GET /'));
        await delay(integerBelow(random, 8));
        client.socket.resetAndDestroy();
      };
      for (let round = 0; round < 20; round++) {
        const leavers = Array.from({ length: 15 }, impatient);
        await Promise.all([...leavers, ...Array.from({ length: 15 }, () => ask(instance.url))]);
      }
      await until('nothing is in flight, nobody waits', async () => {
        const samples = parseExposition(await (await fetch(`${instance.admin}/metrics`)).text());
        const gauges = [
          'signalbox_upstream_in_flight',
          'signalbox_queue_length',
          'http_server_active_requests',
        ];
        return gauges.every((name) => total(samples, name) === 0);
      });
    });
  }
});
