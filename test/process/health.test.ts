/** What real instances make of upstreams that come and go: real sockets, a real NATS server. */
import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { clusterOf, joinCluster, upstreamsOf } from '#test/support/cluster.ts';
import { ask, load, tally } from '#test/support/load.ts';
import { NatsServer } from '#test/support/nats.ts';
import { type Instance, startInstance, until } from '#test/support/process.ts';
import { startUpstream, startUpstreams, type TestUpstream } from '#test/support/upstream.ts';

const TCP = { interval_ms: 1000, unhealthy_threshold: 1 };
const HTTP = { ...TCP, type: 'http', path: '/health', expected_status: 200 };

/** Answers requests whatever it tells probes, so that those who still ask it can be seen. */
async function startPatient(t: TestContext, name: string) {
  const state = { isSick: false, sickMs: Infinity, lastRequestMs: 0, sickFor: (_: string): boolean => true };
  const listener: RequestListener = (request, response) => {
    const { 'user-agent': agent, 'x-asker': asker = '' } = request.headers;
    if (agent !== 'signalbox-health') {
      state.lastRequestMs = performance.now();
      return response.end(name);
    }
    const isSick = state.isSick && state.sickFor(String(asker));
    if (isSick) state.sickMs = Math.min(state.sickMs, performance.now());
    return response.writeHead(isSick ? 503 : 200).end();
  };
  const upstream = await startUpstream(t, name, listener);
  return { upstream, state };
}

async function verdictAt(instance: Instance, name: string): Promise<string> {
  return (await upstreamsOf(instance)).find((it) => it.name === name)?.verdict ?? 'missing';
}

function untilAllSay(instances: readonly Instance[], name: string, verdict: string): Promise<void> {
  return until(`all say that ${name} is ${verdict}`, async () => {
    const verdicts = await Promise.all(instances.map((instance) => verdictAt(instance, name)));
    return verdicts.every((each) => each === verdict);
  });
}

async function untilAllMeet(instances: readonly Instance[]): Promise<void> {
  await until('all know each other', async () => {
    const views = await Promise.all(instances.map(clusterOf));
    return views.every(
      ({ bus, instances: members }) => bus === 'synced' && members.length === instances.length,
    );
  });
}

/** Three instances before these upstreams; `checkOf` says how each one checks them. */
async function startThree(
  t: TestContext,
  upstreams: readonly TestUpstream[],
  checkOf: (number: number) => object,
  cluster: object = {},
) {
  const nats = await NatsServer.start(t);
  const instances = await Promise.all(
    [1, 2, 3].map((number) =>
      joinCluster(t, nats.url, upstreams, {
        cluster: { instance_id: `i${number}`, ...cluster },
        load_balancing: { health_check: checkOf(number) },
      }),
    ),
  );
  await untilAllMeet(instances);
  return { nats, instances };
}

describe('a health check', () => {
  it('keeps requests from an upstream that is dead at the start, and finds it when it lives', async (t) => {
    const [red, blue] = await startUpstreams(t, ['red', 'blue']);
    assert.ok(red !== undefined && blue !== undefined);
    await red.kill();
    const instance = await startInstance(t, [red, blue], { load_balancing: { health_check: TCP } });
    const bodies = async () => {
      const samples = await Promise.all(Array.from({ length: 10 }, () => ask(instance.url)));
      return tally(samples.map(({ status, body }) => `${status} ${body}`));
    };
    assert.deepEqual(await bodies(), { '200 blue': 10 });
    assert.match(
      instance.output,
      /"upstream":"red","address":"[\d.:]+","reason":"connection refused","msg":"upstream is down"/,
    );
    await red.revive();
    await until('red is found', async () => (await verdictAt(instance, 'red')) === 'up');
    assert.deepEqual(Object.keys(await bodies()).toSorted(), ['200 blue', '200 red']);
  });

  it('of HTTP keeps requests from an upstream that says that it is sick', async (t) => {
    const { upstream: red, state } = await startPatient(t, 'red');
    const blue = await startUpstream(t, 'blue');
    const instance = await startInstance(t, [red, blue], { load_balancing: { health_check: HTTP } });
    state.isSick = true;
    await until('it is noticed', async () => (await verdictAt(instance, 'red')) === 'down');
    const samples = await Promise.all(Array.from({ length: 10 }, () => ask(instance.url)));
    assert.deepEqual(tally(samples.map(({ body }) => body)), { blue: 10 });
  });

  it('is not needed to keep requests from an upstream that answers with errors', async (t) => {
    const sick = await startUpstream(t, 'sick', (_, response) => response.writeHead(500).end());
    const well = await startUpstream(t, 'well');
    const instance = await startInstance(t, [sick, well], {
      server: { workers: 2 },
      load_balancing: { outlier_detection: { base_ejection_ms: 1000 } },
    });
    const sample = await load(instance.url, 4, () => well.requests >= 50);
    assert.ok((tally(sample.map(({ status }) => status))[500] ?? 0) <= 20, 'it was asked on and on');
    await until('its time is over', async () => (await verdictAt(instance, 'sick')) === 'up');
  });
});

describe('instances that share a bus', () => {
  it('all leave an upstream as soon as one of them finds it sick', async (t) => {
    const { upstream: red, state } = await startPatient(t, 'red');
    const blue = await startUpstream(t, 'blue');
    // Only one of them probes each upstream: the others know by the bus alone.
    const { instances } = await startThree(t, [red, blue], () => HTTP, { observers: 1 });
    await untilAllSay(instances, 'red', 'up');
    let isOver = false;
    const running = instances.map(({ url }) => load(url, 4, () => isOver));
    await until('red is asked by all', () => red.requests > 300);
    state.isSick = true;
    await untilAllSay(instances, 'red', 'down');
    const blueBefore = blue.requests;
    await until('blue serves on', () => blue.requests > blueBefore + 1000);
    isOver = true;
    const samples = (await Promise.all(running)).flat();
    assert.deepEqual(tally(samples.map(({ status }) => status)), { 200: samples.length });
    // Without the bus it would be asked for as long as others have not looked.
    const lateMs = state.lastRequestMs - state.sickMs;
    assert.ok(lateMs < 1000, `asked ${lateMs} ms after it was found sick`);
  });

  it('are not misled by one that alone cannot reach an upstream', async (t) => {
    const { upstream: red, state } = await startPatient(t, 'red');
    const blue = await startUpstream(t, 'blue');
    const checkOf = (number: number) => ({ ...HTTP, headers: { 'X-Asker': `i${number}` } });
    const { instances } = await startThree(t, [red, blue], checkOf);
    const [odd, ...others] = instances;
    assert.ok(odd !== undefined);
    state.sickFor = (asker) => asker === 'i1';
    state.isSick = true;
    await until('it is known', async () =>
      (await upstreamsOf(odd)).some(({ opinions }) => opinions.some(({ verdict }) => verdict === 'down')),
    );
    await untilAllSay(instances, 'red', 'up');
    const answersOf = async ({ url }: Instance) => {
      const samples = await Promise.all(Array.from({ length: 10 }, () => ask(url)));
      return Object.keys(tally(samples.map(({ body }) => body))).toSorted();
    };
    assert.deepEqual(await answersOf(odd), ['blue']);
    for (const other of others) assert.deepEqual(await answersOf(other), ['blue', 'red']);
  });

  it('go by their own checks while the bus hangs, and agree again when it is back', async (t) => {
    const [red, blue] = await startUpstreams(t, ['red', 'blue']);
    assert.ok(red !== undefined && blue !== undefined);
    const { nats, instances } = await startThree(t, [red, blue], () => TCP);
    let isOver = false;
    const running = instances.map(({ url }) => load(url, 2, () => isOver));
    nats.pause();
    await until('all are alone', async () => {
      const views = await Promise.all(instances.map(clusterOf));
      return views.every(({ bus, instances: members }) => bus === 'isolated' && members.length === 1);
    });
    await red.kill();
    await untilAllSay(instances, 'red', 'down');
    await red.revive();
    await untilAllSay(instances, 'red', 'up');
    nats.resume();
    await untilAllMeet(instances);
    isOver = true;
    const samples = (await Promise.all(running)).flat();
    assert.deepEqual(tally(samples.map(({ status }) => status)), { 200: samples.length });
  });

  it('miss one that leaves at once, and one that is killed within seconds', async (t) => {
    const { instances } = await startThree(t, await startUpstreams(t, ['red']), () => TCP);
    const [one, two, three] = instances;
    assert.ok(one !== undefined && two !== undefined && three !== undefined);
    const lastSeenOf = async (id: string) =>
      (await clusterOf(one)).instances.find((member) => member.id === id)?.last_seen_ms;
    await two.stop('SIGTERM');
    await until('it is missed', async () => (await lastSeenOf('i2')) === undefined, 1_000);
    await three.stop('SIGKILL');
    await until('it is missed, too', async () => (await lastSeenOf('i3')) === undefined);
  });
});
