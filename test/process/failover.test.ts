import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { describe, it } from 'node:test';
import { ask, burst, load, tally } from '#test/support/load.ts';
import { startInstance, until } from '#test/support/process.ts';
import { startRawUpstream, startUpstream, startUpstreams } from '#test/support/upstream.ts';

describe('when an upstream is killed under load', () => {
  it('no GET fails, and the upstream is back in turn after it has been revived', async (t) => {
    const [red, blue, green] = await startUpstreams(t, ['red', 'blue', 'green']);
    assert.ok(red && blue && green);
    const instance = await startInstance(t, [red, blue, green], { server: { workers: 2 } });
    let isOver = false;
    const running = load(instance.url, 32, () => isOver);
    await until('red serves', () => red.requests > 100);
    await red.kill();
    const [redBefore, blueBefore] = [red.requests, blue.requests];
    await until('the others serve on', () => blue.requests > blueBefore + 500);
    await red.revive();
    await until('red is asked again', () => red.requests > redBefore + 100);
    isOver = true;
    const samples = await running;
    assert.deepEqual(tally(samples.map(({ status, error }) => `${status}${error}`)), { 200: samples.length });
  });

  it('no GET fails, though next to none was served before', async (t) => {
    // All that an upstream had in flight failed at once, which was more than a young instance's retry budget.
    const patient: RequestListener = (_, response) => void setTimeout(() => response.end('late'), 100);
    const [red, blue] = await Promise.all(['red', 'blue'].map((name) => startUpstream(t, name, patient)));
    assert.ok(red && blue);
    const instance = await startInstance(t, [red, blue], { server: { workers: 2 } });
    const running = burst(instance.url, 128, 256);
    await until('red has half of them', () => red.requests >= 60);
    await red.kill();
    const samples = await running;
    assert.deepEqual(tally(samples.map(({ status, error }) => `${status}${error}`)), { 200: 256 });
  });

  it('no POST is sent twice, and those that fail say so', async (t) => {
    const [red, blue] = await startUpstreams(t, ['red', 'blue']);
    assert.ok(red && blue);
    const instance = await startInstance(t, [red, blue], { server: { workers: 2 } });
    let isOver = false;
    const running = load(
      instance.url,
      32,
      () => isOver,
      (sequence) => ({ method: 'POST', body: 'x'.repeat(1000), headers: { 'X-Test-Id': `${sequence}` } }),
    );
    for (let round = 1; round <= 3; round++) {
      const [redBefore, blueBefore] = [red.requests, blue.requests];
      await until('red serves', () => red.requests > redBefore + 100);
      await red.kill();
      await until('blue serves on', () => blue.requests > blueBefore + 200);
      await red.revive();
    }
    isOver = true;
    const samples = await running;
    assert.ok(samples.length > 500, `only ${samples.length} requests`);
    for (const [id, times] of red.seen) {
      assert.equal(times + (blue.seen.get(id) ?? 0), 1, `POST ${id} was sent more than once`);
    }
    for (const times of blue.seen.values()) assert.equal(times, 1);
    // What red may have seen is not replayed: the client is told, and decides.
    const statuses = new Set(samples.map(({ status }) => status));
    for (const status of statuses) assert.ok([200, 502].includes(status), `status ${status}`);
  });
});

describe('when no upstream is left', () => {
  it('each request is refused after a quick try, and served as soon as one is back', async (t) => {
    // Requests were refused for up to ten seconds after a sole upstream was back, without a try.
    const [red] = await startUpstreams(t, ['red']);
    assert.ok(red);
    const instance = await startInstance(t, [red]);
    await red.kill();
    for (let i = 0; i < 20; i++) {
      const { status, body, ms } = await ask(instance.url);
      assert.equal(status, 503);
      assert.equal(JSON.parse(body).detail, 'No connection to an upstream could be made.');
      assert.ok(ms < 1000, `${ms} ms`);
    }
    await red.revive();
    assert.equal((await ask(instance.url)).status, 200);
  });
});

describe('a POST', () => {
  it('is not replayed when its upstream died after the first byte was written', async (t) => {
    const cruel = await startRawUpstream(t, (socket) => socket.once('data', () => socket.resetAndDestroy()));
    const kind = await startUpstream(t, 'kind');
    const instance = await startInstance(t, [{ ...cruel, weight: 1 }, kind]);
    const samples = await Promise.all([1, 2].map(() => ask(instance.url, { method: 'POST', body: 'once' })));
    assert.deepEqual(samples.map(({ status }) => status).sort(), [200, 502]);
    assert.equal(kind.requests, 1);
  });

  it('goes elsewhere when no connection could be made', async (t) => {
    const [dead, alive] = await startUpstreams(t, ['dead', 'alive']);
    assert.ok(dead && alive);
    await dead.kill();
    const instance = await startInstance(t, [dead, alive]);
    for (let i = 0; i < 4; i++) {
      const { status, body } = await ask(instance.url, { method: 'POST', body: 'once' });
      assert.deepEqual({ status, body }, { status: 200, body: 'alive' });
    }
  });

  it('is replayed whole where the route opts in', async (t) => {
    const cruel = await startRawUpstream(t, (socket) => socket.once('data', () => socket.resetAndDestroy()));
    const echo = await startUpstream(t, 'echo', (request, response) => request.pipe(response));
    const instance = await startInstance(t, [cruel, echo], { retry: { non_idempotent: true } });
    for (let i = 0; i < 2; i++) {
      const { status, body } = await ask(instance.url, { method: 'POST', body: `body ${i}` });
      assert.deepEqual({ status, body }, { status: 200, body: `body ${i}` });
    }
  });
});

describe('retries', () => {
  it('replace an answer with a retry status while there is another upstream', async (t) => {
    const sick = await startUpstream(t, 'sick', (_, response) => response.writeHead(503).end('sick'));
    const well = await startUpstream(t, 'well');
    const instance = await startInstance(t, [sick, well], { retry: { on_status: [503] } });
    // Three a second are allowed however few requests there are.
    for (let i = 0; i < 3; i++) assert.equal((await ask(instance.url)).body, 'well');
  });

  it('pass the upstream’s own error on when there is no other', async (t) => {
    const sick = await startUpstream(t, 'sick', (_, response) => response.writeHead(503).end('sick'));
    const instance = await startInstance(t, [sick], { retry: { on_status: [503] } });
    const { status, body } = await ask(instance.url);
    assert.deepEqual({ status, body }, { status: 503, body: 'sick' });
    assert.equal(sick.requests, 1);
  });

  it('are a fraction of the requests, so that an outage is not multiplied', async (t) => {
    const sick = await startUpstream(t, 'sick', (_, response) => response.writeHead(503).end());
    const sicker = await startUpstream(t, 'sicker', (_, response) => response.writeHead(503).end());
    const instance = await startInstance(t, [sick, sicker], { retry: { on_status: [503] } });
    let asked = 0;
    await load(instance.url, 16, () => asked++ >= 1000);
    const attempts = sick.requests + sicker.requests;
    // A fifth, and the three a second that are always allowed.
    assert.ok(attempts > 1000 && attempts < 1000 * 1.2 + 100, `${attempts} attempts for 1000 requests`);
  });
});
