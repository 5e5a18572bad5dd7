import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { joinCluster } from '#test/support/cluster.ts';
import { parseExposition, promtoolComplaints, type Sample, total } from '#test/support/exposition.ts';
import { ask, burst } from '#test/support/load.ts';
import { NatsServer } from '#test/support/nats.ts';
import { startInstance, until } from '#test/support/process.ts';
import { startUpstream, startUpstreams } from '#test/support/upstream.ts';

const REQUESTS = 'http_server_request_duration_seconds_count';
const ATTEMPTS = 'http_client_request_duration_seconds_count';

async function scrape(url: string): Promise<Sample[]> {
  const response = await fetch(`${url}/metrics`);
  assert.equal(response.status, 200);
  return parseExposition(await response.text());
}

/** A client may have its answer a moment before the worker counts it, so this waits for `requests`. */
async function scrapeAfter(url: string, requests: number): Promise<Sample[]> {
  let samples: Sample[] = [];
  await until(`${requests} requests are counted`, async () => {
    samples = await scrape(url);
    return total(samples, REQUESTS) >= requests && total(samples, 'http_server_active_requests') === 0;
  });
  return samples;
}

/** What a metric has counted, by the values of its labels. */
function counted(samples: readonly Sample[], name: string): Record<string, number> {
  const rows = samples.filter((it) => it.name === name);
  return Object.fromEntries(rows.map(({ labels, value }) => [Object.values(labels).join(' '), value]));
}

describe('an instance with two workers', () => {
  it('counts every request and every attempt, exactly', async (t) => {
    const red = await startUpstream(t, 'red', (request, response) => {
      response.statusCode = request.url === '/missing' ? 404 : 200;
      request.resume().on('end', () => response.end());
    });
    const instance = await startInstance(t, [red], { server: { workers: 2 } });
    await burst(instance.url, 8, 200);
    await burst(instance.url, 8, 50, () => ({ path: '/missing' }));
    await burst(instance.url, 8, 30, () => ({ method: 'POST', body: 'x' }));
    await burst(instance.url, 1, 5, () => ({ path: '/health' }));
    await burst(instance.url, 1, 3, () => ({ method: 'PROPFIND' }));
    await burst(instance.url, 1, 2, () => ({ method: 'TRACE' }));
    const raw = connect(instance.port, '127.0.0.1').resume();
    raw.write('GET / HTTP/1.1\r\nno header\r\n\r\n');
    await once(raw, 'end');

    const samples = await scrapeAfter(instance.admin, 290);
    assert.deepEqual(counted(samples, REQUESTS), {
      'GET default 200 http': 200,
      'GET default 404 http': 50,
      'POST default 200 http': 30,
      'GET /health 200 http': 5,
      '_OTHER default 200 http': 3,
      'TRACE  501 http': 2,
    });
    const address = `127.0.0.1 ${red.port} default red`;
    assert.deepEqual(counted(samples, ATTEMPTS), {
      [`GET ${address} 200 `]: 200,
      [`GET ${address} 404 `]: 50,
      [`POST ${address} 200 `]: 30,
      [`_OTHER ${address} 200 `]: 3,
    });
    assert.deepEqual(counted(samples, 'signalbox_attempts_total'), { 'default red': 283 });
    const opened = total(samples, 'signalbox_upstream_connections_total', { signalbox_result: 'opened' });
    assert.ok(opened > 0 && opened <= 16, `${opened} connections for 283 attempts of 8 clients`);
    assert.ok(total(samples, 'http_client_open_connections') <= opened);
    assert.deepEqual(counted(samples, 'signalbox_retries_total'), {});
    assert.deepEqual(counted(samples, 'signalbox_refusals_total'), {
      method_not_supported: 2,
      malformed_request: 1,
    });
    assert.equal(red.requests, 283);
  });

  it('says how its threads and its process are', async (t) => {
    const instance = await startInstance(t, await startUpstreams(t, ['red']), { server: { workers: 2 } });
    let samples: Sample[] = [];
    const delays = 'signalbox_event_loop_delay_seconds_count';
    await until('every thread was asked', async () => {
      samples = await scrape(instance.admin);
      return ['control', 'worker-0', 'worker-1'].every(
        (it) => total(samples, delays, { signalbox_thread: it }) > 0,
      );
    });
    for (const { value } of samples.filter(({ name }) => name === 'signalbox_heap_used_bytes')) {
      assert.ok(value > 1_000_000, `${value} bytes`);
    }
    assert.ok(total(samples, 'process_memory_usage_bytes') > 10_000_000);
    assert.ok(total(samples, 'process_cpu_time_seconds_total', { cpu_mode: 'user' }) > 0);
    assert.equal(total(samples, 'signalbox_records_lost_total'), 0);
  });

  it('says what is under way', async (t) => {
    const held: (() => void)[] = [];
    const red = await startUpstream(t, 'red', (_, response) => held.push(() => response.end()));
    const instance = await startInstance(t, [red], { server: { workers: 2 } });
    const answers = [ask(instance.url), ask(instance.url)];
    await until('the upstream has them', () => red.requests === 2);
    const during = await scrape(instance.admin);
    assert.deepEqual(counted(during, 'http_server_active_requests'), { 'GET http': 2 });
    assert.deepEqual(counted(during, 'signalbox_upstream_in_flight'), { 'default red': 2 });
    assert.equal(total(during, 'signalbox_connections'), 2);
    const inState = (state: string) =>
      total(during, 'signalbox_requests_in_state', { signalbox_state: state });
    assert.deepEqual([inState('seeking.forwarding'), inState('responding')], [2, 0]);
    for (const release of held) release();
    await Promise.all(answers);
    const after = await scrapeAfter(instance.admin, 2);
    assert.deepEqual(counted(after, 'signalbox_upstream_in_flight'), { 'default red': 0 });
  });
});

describe('an upstream that dies', () => {
  it('is seen in retries, in errors and as avoided', async (t) => {
    const [red, blue] = await startUpstreams(t, ['red', 'blue']);
    assert.ok(red !== undefined && blue !== undefined);
    const instance = await startInstance(t, [red, blue]);
    await red.kill();
    let avoided = 0;
    for (let sent = 0; sent < 20; sent++) {
      assert.equal((await ask(instance.url)).body, 'blue');
      const samples = await scrape(instance.admin);
      avoided += total(samples, 'signalbox_upstream_avoided', { signalbox_upstream: 'red' });
      assert.equal(total(samples, 'signalbox_upstream_avoided', { signalbox_upstream: 'blue' }), 0);
    }
    assert.ok(avoided > 0);

    const samples = await scrapeAfter(instance.admin, 20);
    const failed = total(samples, ATTEMPTS, { error_type: 'upstream_unreachable' });
    assert.ok(failed > 0);
    assert.deepEqual(counted(samples, 'signalbox_attempts_total'), {
      'default red': failed,
      'default blue': 20,
    });
    const connections = counted(samples, 'signalbox_upstream_connections_total');
    assert.equal(connections[`127.0.0.1 ${red.port} failed`], failed);
    assert.deepEqual(counted(samples, 'signalbox_retries_total'), {
      'default blue upstream_unreachable': failed,
    });
  });

  it('by keeping still is told from a client that left', async (t) => {
    const mute = await startUpstream(t, 'mute', () => {});
    const instance = await startInstance(t, [mute], {
      retry: { attempts: 1 },
      timeouts: { attempt_ms: 300 },
    });
    assert.equal((await ask(instance.url)).status, 504);
    const leaving = connect(instance.port, '127.0.0.1');
    leaving.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('the upstream has it', () => mute.requests === 2);
    leaving.resetAndDestroy();
    const samples = await scrapeAfter(instance.admin, 2);
    assert.equal(total(samples, ATTEMPTS, { error_type: 'upstream_timeout' }), 1);
    assert.equal(total(samples, ATTEMPTS, { error_type: 'client_left' }), 1);
    assert.equal(total(samples, REQUESTS, { http_response_status_code: '504' }), 1);
    assert.equal(total(samples, REQUESTS, { http_response_status_code: '' }), 1);
  });
});

describe('metrics on the port of the traffic', () => {
  it('need no credentials, and use up no limit', async (t) => {
    const instance = await startInstance(t, await startUpstreams(t, ['red']), {
      server: { workers: 2 },
      metrics: { listener: 'proxy', endpoint: '/numbers' },
      middleware: {
        auth: { enabled: true, auth_type: 'bearer', valid_tokens: ['secret'] },
        rate_limit: { enabled: true, requests_per_minute: 1, burst_size: 1 },
      },
    });
    const headers = { Authorization: 'Bearer secret' };
    const scrapes = await burst(instance.url, 4, 20, () => ({ path: '/numbers' }));
    for (const { status } of scrapes) assert.equal(status, 200);
    assert.equal((await ask(instance.url, { headers })).status, 200);
    assert.equal((await ask(instance.url, { headers })).status, 429);
    assert.equal((await ask(instance.url)).status, 401);

    const { body } = await ask(instance.url, { path: '/numbers' });
    assert.equal(promtoolComplaints(body), '');
    const samples = parseExposition(body);
    assert.ok(total(samples, REQUESTS, { http_route: '/numbers' }) > 0);
    assert.deepEqual(counted(samples, 'signalbox_limit_decisions_total'), {
      'default passed': 1,
      'default limited': 1,
    });
    assert.equal(total(samples, 'signalbox_refusals_total', { signalbox_cause: 'rate_limited' }), 1);
  });

  it('are not there unless the configuration says so', async (t) => {
    const instance = await startInstance(t, await startUpstreams(t, ['red']));
    assert.equal((await ask(instance.url, { path: '/metrics' })).body, 'red');
  });
});

describe('the registry', () => {
  it('shows its revision, what it could not read, and how sure it is to know all', async (t) => {
    const instance = await startInstance(t, await startUpstreams(t, ['red', 'blue']));
    const samples = await scrape(instance.admin);
    // The seed, two upstreams, and that they are all there.
    assert.equal(total(samples, 'signalbox_registry_revision'), 4);
    assert.equal(total(samples, 'signalbox_registry_rejected_total'), 0);
    assert.equal(total(samples, 'signalbox_registry_watch_age_seconds'), 0);
    assert.ok(samples.some(({ name }) => name === 'signalbox_registry_watch_age_seconds'));
  });
});

describe('a cluster', () => {
  it('shows who is there, how the bus is, what is heard, and which upstreams are up', async (t) => {
    const { url } = await NatsServer.start(t);
    const [red, blue] = await startUpstreams(t, ['red', 'blue']);
    assert.ok(red !== undefined && blue !== undefined);
    await blue.kill();
    const config = { load_balancing: { health_check: { interval_ms: 1000 } } };
    const [instance] = await Promise.all([1, 2].map(() => joinCluster(t, url, [red, blue], config)));
    assert.ok(instance !== undefined);
    const value = async (name: string, labels: Readonly<Record<string, string>> = {}) =>
      total(await scrape(instance.admin), `signalbox_${name}`, labels);
    await until('both are there', async () => (await value('cluster_instances')) === 2);
    const isSynced = async () => (await value('cluster_link', { signalbox_state: 'synced' })) === 1;
    await until('they are in touch', isSynced);
    await until('one is heard', async () => {
      return (await value('cluster_heartbeats_total', { signalbox_result: 'heeded' })) > 0;
    });
    assert.equal(await value('cluster_heartbeats_total', { signalbox_result: 'rejected' }), 0);
    assert.equal(await value('upstream_up', { signalbox_upstream: 'red' }), 1);
    assert.equal(await value('upstream_up', { signalbox_upstream: 'blue' }), 0);
  });

  it('shows what an isolated instance lets through of the limits they share', async (t) => {
    const nats = await NatsServer.start(t);
    const red = await startUpstream(t, 'red');
    const config = { middleware: { rate_limit: { enabled: true, requests_per_minute: 60, burst_size: 10 } } };
    const [instance] = await Promise.all([1, 2, 3].map(() => joinCluster(t, nats.url, [red], config)));
    assert.ok(instance !== undefined);
    const value = async (name: string) => total(await scrape(instance.admin), `signalbox_${name}`);
    await until('all are there', async () => (await value('cluster_instances')) === 3);
    assert.deepEqual([await value('limit_divisor'), await value('limit_keys')], [1, 0]);
    assert.equal((await ask(instance.url)).status, 200);
    assert.deepEqual([await value('limit_keys'), await value('limit_rejected_total')], [1, 0]);
    await nats.stop('SIGKILL');
    await until('it is alone with its part', async () => (await value('limit_divisor')) === 3);
  });
});
