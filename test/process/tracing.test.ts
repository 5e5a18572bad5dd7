import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Collector } from '#test/support/collector.ts';
import { ask } from '#test/support/load.ts';
import { NatsServer } from '#test/support/nats.ts';
import type { Span } from '#test/support/otlp.ts';
import { type Config, startInstance, until } from '#test/support/process.ts';
import { startUpstream, startUpstreams } from '#test/support/upstream.ts';

const PARENT = '00f067aa0ba902b7';
const TRACES = ['0af7651916cd43dd8448eb211c80319c', '1bf7651916cd43dd8448eb211c80319c'] as const;

function traceparent(traceId: string, flags = '01'): string {
  return `00-${traceId}-${PARENT}-${flags}`;
}

/** An instance whose traces go to a collector of the test. */
async function startTraced(
  t: TestContext,
  upstreams: readonly { name: string; port: number }[],
  config: Config = {},
  env: Record<string, string> = {},
) {
  const collector = await Collector.start(t);
  const instance = await startInstance(t, upstreams, config, null, { ...collector.env, ...env });
  return { collector, instance };
}

/** An upstream that says what it was told of the trace. */
function startListener(t: TestContext, name = 'blue') {
  return startUpstream(t, name, (request, response) => {
    const { traceparent, tracestate } = request.headers;
    response.end(JSON.stringify({ traceparent, tracestate }));
  });
}

describe('a request with a trace of its sender', () => {
  it('leaves the whole of a failover in it', async (t) => {
    const [red] = await startUpstreams(t, ['red']);
    const blue = await startListener(t);
    assert.ok(red);
    await red.kill();
    const { collector, instance } = await startTraced(t, [red, blue], {
      telemetry: { trust_incoming: 'always' },
      middleware: {
        auth: { auth_type: 'bearer', valid_tokens: ['secret'] },
        rate_limit: { requests_per_minute: 60, burst_size: 10 },
      },
    });
    // One of the two is sent to red first, which is then avoided.
    const told = [];
    for (const traceId of TRACES) {
      const response = await fetch(`${instance.url}/things/1?page=2&sig=secret`, {
        headers: {
          traceparent: traceparent(traceId),
          tracestate: 'vendor=1',
          authorization: 'Bearer secret',
        },
      });
      assert.equal(response.headers.get('x-request-id'), traceId);
      told.push((await response.json()) as { traceparent: string; tracestate: string });
    }
    await until('both traces have come', () => collector.spans.length >= 5);
    const failedOver = TRACES.findIndex(
      (id) => collector.spans.filter((it) => it.traceId === id).length === 3,
    );
    const [server, failed, answered] = await collector.trace(TRACES[failedOver] ?? '', 3);
    assert.ok(server && failed && answered);

    assert.deepEqual(
      [server, failed, answered].map(({ kind, name, parentSpanId, status }) => [
        kind,
        name,
        parentSpanId,
        status,
      ]),
      [
        ['server', 'GET default', PARENT, 'unset'],
        ['client', 'GET', server.spanId, 'error'],
        ['client', 'GET', server.spanId, 'unset'],
      ],
    );
    assert.equal(told[failedOver]?.traceparent, `00-${server.traceId}-${answered.spanId}-01`);
    assert.equal(told[failedOver]?.tracestate, 'vendor=1');
    assert.deepEqual([server.traceState, answered.traceState], ['vendor=1', 'vendor=1']);

    assert.deepEqual(
      server.events.map(({ name }) => name),
      [
        'seeking.authenticating',
        'seeking.limiting',
        'seeking.selecting',
        'seeking.forwarding',
        'seeking.weighing',
        'seeking.selecting',
        'seeking.forwarding',
        'responding',
        'responded',
      ],
    );
    assertInOrder(server);
    assertWithin(failed, server);
    assertWithin(answered, server);
    assert.ok(failed.endMs <= answered.startMs);

    assert.partialDeepStrictEqual(server.attributes, {
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'http.route': 'default',
      'url.path': '/things/1',
      'url.query': 'page=2&sig=REDACTED',
      'url.scheme': 'http',
      'server.address': '127.0.0.1',
      'server.port': instance.port,
      'client.address': '127.0.0.1',
      'network.peer.address': '127.0.0.1',
      'network.protocol.version': '1.1',
      'signalbox.auth': 'bearer',
      'signalbox.limit': 'passed',
      'signalbox.outcome': 'responded',
    });
    assert.partialDeepStrictEqual(failed.attributes, {
      'server.address': '127.0.0.1',
      'server.port': red.port,
      'signalbox.upstream': 'red',
      'error.type': 'upstream_unreachable',
    });
    assert.partialDeepStrictEqual(answered.attributes, {
      'server.port': blue.port,
      'signalbox.upstream': 'blue',
      'http.response.status_code': 200,
      'http.request.resend_count': 1,
      'url.full': `http://127.0.0.1:${blue.port}/things/1?page=2&sig=REDACTED`,
    });
    assert.partialDeepStrictEqual(server.resource, { 'service.name': 'signalbox' });
  });

  it('has to be believed', async (t) => {
    const blue = await startListener(t);
    const { instance } = await startTraced(t, [blue]);
    const headers = { traceparent: traceparent(TRACES[0]), tracestate: 'vendor=1' };
    const response = await fetch(instance.url, { headers });
    const told = (await response.json()) as { traceparent: string; tracestate?: string };
    const id = response.headers.get('x-request-id') ?? '';
    assert.notEqual(id, TRACES[0]);
    assert.match(told.traceparent, new RegExp(`^00-${id}-[0-9a-f]{16}-01$`));
    assert.equal(told.tracestate, undefined);
  });

  it('passes through where traces are sent nowhere', async (t) => {
    const blue = await startListener(t);
    const instance = await startInstance(t, [blue], { telemetry: { trust_incoming: 'always' } });
    const { body } = await ask(instance.url, { headers: { traceparent: traceparent(TRACES[0]) } });
    assert.equal(JSON.parse(body).traceparent, traceparent(TRACES[0]));
  });
});

describe('a request that the sampler leaves out', () => {
  const NEVER = { OTEL_TRACES_SAMPLER: 'always_off' };

  it('is not traced, and the upstream is told so', async (t) => {
    const blue = await startListener(t);
    const { collector, instance } = await startTraced(t, [blue], {}, NEVER);
    const { body } = await ask(instance.url);
    assert.match(JSON.parse(body).traceparent, /-00$/);
    assert.equal(await instance.stop(), 0);
    assert.deepEqual(collector.spans, []);
  });

  it('is traced all the same when it failed, or was slow', async (t) => {
    const sick = await startUpstream(t, 'sick', (request, response) => {
      const answer = () => response.writeHead(request.url === '/slow' ? 200 : 503).end();
      if (request.url === '/slow') setTimeout(answer, 60);
      else answer();
    });
    const { collector, instance } = await startTraced(t, [sick], { telemetry: { slow_ms: 50 } }, NEVER);
    for (const path of ['/fails', '/slow']) {
      const response = await fetch(instance.url + path);
      await response.arrayBuffer();
      const [server, client] = await collector.trace(response.headers.get('x-request-id') ?? '', 2);
      assert.equal(server?.attributes['url.path'], path);
      assert.equal(server?.attributes['signalbox.kept'], true);
      assert.equal(client?.parentSpanId, server?.spanId);
    }
  });
});

describe('an upstream that goes down', () => {
  it('can be followed from the instance that saw it to the others', async (t) => {
    const nats = await NatsServer.start(t);
    const collector = await Collector.start(t);
    const red = await startUpstream(t, 'red');
    const env = { ...collector.env, NATS_URL: nats.url };
    const config = (id: string) => ({
      // Only one of the two looks for itself.
      cluster: { instance_id: id, observers: 1 },
      load_balancing: { health_check: { type: 'tcp', interval_ms: 100, unhealthy_threshold: 1 } },
    });
    const [one, two] = await Promise.all(
      ['one', 'two'].map((id) => startInstance(t, [red], config(id), null, env)),
    );
    assert.ok(one && two);
    const membersOf = async ({ admin }: { admin: string }) =>
      ((await (await fetch(`${admin}/api/cluster`)).json()) as { instances: unknown[] }).instances.length;
    for (const instance of [one, two]) {
      await until('it knows of the other', async () => (await membersOf(instance)) === 2);
      await until('red is up', async () => (await ask(instance.url)).status === 200);
    }
    const before = collector.spans.length;
    await red.kill();
    const isHeard = ({ kind, events }: Span) =>
      kind === 'consumer' && events.some(({ name }) => name === 'upstream is down');
    let heard: Span | undefined;
    let said: Span | undefined;
    await until('the other has heard of it, and both have told', () => {
      heard = collector.spans.slice(before).find(isHeard);
      said = collector.spans.find(({ spanId }) => spanId === heard?.parentSpanId);
      return said !== undefined;
    });
    assert.deepEqual(
      [said?.kind, said?.name, heard?.name],
      ['producer', 'send heartbeat', 'process heartbeat'],
    );
    assert.equal(said?.traceId, heard?.traceId);
    const instances = [said, heard].map((span) => span?.resource['service.instance.id']).sort();
    assert.deepEqual(instances, ['one', 'two']);
    assert.match(String(said?.attributes['signalbox.said']), /^default\/red\/127\.0\.0\.1:\d+ down /);
    assert.equal(heard?.attributes['signalbox.from'], said?.resource['service.instance.id']);
  });
});

describe('a collector', () => {
  it('gets what was under way when the instance stopped', async (t) => {
    const blue = await startListener(t);
    const { collector, instance } = await startTraced(t, [blue], {}, { OTEL_BSP_SCHEDULE_DELAY: '60000' });
    for (let nth = 0; nth < 3; nth++) await ask(instance.url);
    assert.equal(await instance.stop(), 0);
    assert.equal(collector.spans.length, 6);
  });

  it('is told who speaks, and gets the headers that it asks for', async (t) => {
    const blue = await startListener(t);
    const { collector, instance } = await startTraced(
      t,
      [blue],
      {},
      {
        OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=a%20b',
        OTEL_SERVICE_NAME: 'edge',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      },
    );
    await ask(instance.url);
    await until('a span has come', () => collector.spans.length > 0);
    assert.equal(collector.headers[0]?.['x-tenant'], 'a b');
    const [{ resource } = { resource: {} }] = collector.spans;
    assert.partialDeepStrictEqual(resource, {
      'service.name': 'edge',
      'deployment.environment.name': 'test',
    });
  });

  it('that is gone costs nothing but traces, and its absence is said once', async (t) => {
    const blue = await startListener(t);
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_BSP_SCHEDULE_DELAY: '20',
      OTEL_EXPORTER_OTLP_TIMEOUT: '100',
    };
    const { instance } = await startTraced(t, [blue], {}, env);
    await until('the log says so', async () => {
      assert.equal((await ask(instance.url)).status, 200);
      return instance.output.includes('the collector does not take traces');
    });
    for (let nth = 0; nth < 50; nth++) assert.equal((await ask(instance.url)).status, 200);
    const metrics = await (await fetch(`${instance.admin}/metrics`)).text();
    assert.match(metrics, /^signalbox_spans_total\{signalbox_result="failed"\} [1-9]/m);
    assert.equal(await instance.stop(), 0);
    assert.equal(instance.output.split('the collector does not take traces').length, 2);
  });
});

function assertInOrder({ events, startMs, endMs }: Span): void {
  let lastMs = startMs - 1;
  for (const { name, ms } of events) {
    assert.ok(ms >= lastMs && ms <= endMs + 1, `${name} is out of order`);
    lastMs = ms;
  }
}

function assertWithin(child: Span, parent: Span): void {
  assert.ok(child.startMs >= parent.startMs && child.endMs <= parent.endMs + 0.001);
}
