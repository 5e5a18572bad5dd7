import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readOtel } from '#config/build/otel.ts';
import { load, mistakesIn, UPSTREAMS } from '../support.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('where traces are sent', () => {
  const urlOf = (env: Record<string, string>) => readOtel(env).traces?.url ?? null;

  it('is nowhere unless the environment says so', () => {
    assert.equal(urlOf({}), null);
    assert.equal(readOtel({}).sampler, null);
    assert.equal(urlOf({ OTEL_EXPORTER_OTLP_ENDPOINT: '' }), null);
  });

  it('is the path of traces at the endpoint, or an endpoint of their own', () => {
    assert.equal(urlOf(ENDPOINT), 'http://collector:4318/v1/traces');
    assert.equal(urlOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://a/otlp/' }), 'https://a/otlp/v1/traces');
    assert.equal(urlOf({ ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t:1/x' }), 'http://t:1/x');
    assert.equal(urlOf({ OTEL_TRACES_EXPORTER: 'otlp' }), 'http://localhost:4318/v1/traces');
  });

  it('is nowhere when that was turned off', () => {
    assert.equal(urlOf({ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }), null);
    assert.equal(urlOf({ ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }), null);
  });
});

describe('how traces are sent', () => {
  it('has the specification’s defaults', () => {
    assert.deepEqual(readOtel(ENDPOINT).traces, {
      url: 'http://collector:4318/v1/traces',
      headers: {},
      timeoutMs: 10_000,
      delayMs: 5_000,
      queueMax: 2_048,
      batchMax: 512,
    });
  });

  it('is what the variables say, those of traces first', () => {
    const env = {
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=a, authorization=Bearer%20t',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-tenant=b',
      OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '2000',
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_BSP_MAX_QUEUE_SIZE: '64',
    };
    assert.deepEqual(readOtel(env), {
      traces: {
        url: 'http://collector:4318/v1/traces',
        headers: { 'x-tenant': 'b', authorization: 'Bearer t' },
        timeoutMs: 2000,
        delayMs: 100,
        queueMax: 64,
        batchMax: 64,
      },
      sampler: { ratio: 1, followsParent: true },
      resource: { 'service.name': 'signalbox' },
      mistakes: [],
    });
  });
});

describe('which requests are traced', () => {
  for (const [name, argument, sampler] of [
    ['always_on', '', { ratio: 1, followsParent: false }],
    ['always_off', '', { ratio: 0, followsParent: false }],
    ['traceidratio', '0.25', { ratio: 0.25, followsParent: false }],
    ['traceidratio', '', { ratio: 1, followsParent: false }],
    ['parentbased_always_on', '0.5', { ratio: 1, followsParent: true }],
    ['parentbased_always_off', '', { ratio: 0, followsParent: true }],
    ['parentbased_traceidratio', '0.01', { ratio: 0.01, followsParent: true }],
  ] as const) {
    it(`is said by the sampler ${name} ${argument}`, () => {
      const env = { ...ENDPOINT, OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument };
      assert.deepEqual(readOtel(env).sampler, sampler);
    });
  }
});

describe('who is speaking', () => {
  it('is told by the resource’s attributes, and the service by its own variable first', () => {
    const attributes = 'deployment.environment.name=test,service.name=ignored,team=a%2Cb';
    const env = { OTEL_RESOURCE_ATTRIBUTES: attributes, OTEL_SERVICE_NAME: 'edge' };
    assert.deepEqual(readOtel(env).resource, {
      'service.name': 'edge',
      'deployment.environment.name': 'test',
      team: 'a,b',
    });
    assert.equal(readOtel({ OTEL_RESOURCE_ATTRIBUTES: attributes }).resource['service.name'], 'ignored');
  });
});

describe('a variable that cannot be used', () => {
  for (const [name, value, expected] of [
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', /an http or https URL/],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', /`http\/protobuf`/],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'http/json', /`http\/protobuf`/],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'no-pair', /`key=value` pairs/],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=%zz', /`key=value` pairs/],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '10s', /a whole number/],
    ['OTEL_TRACES_EXPORTER', 'zipkin', /one of `otlp`, `none`/],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote', /one of `always_on`/],
    ['OTEL_RESOURCE_ATTRIBUTES', '=x', /`key=value` pairs/],
  ] as const) {
    it(`is named, and its value is not: ${name}=${value}`, () => {
      const { mistakes } = readOtel({ ...ENDPOINT, [name]: value });
      assert.equal(mistakes.length, 1);
      assert.match(
        mistakes[0] ?? '',
        new RegExp(`^the environment variable \`${name}\` cannot be used: expected`),
      );
      assert.match(mistakes[0] ?? '', expected);
      assert.ok(!mistakes[0]?.includes(value));
    });
  }

  it('is a ratio beyond 1', () => {
    const env = { ...ENDPOINT, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' };
    assert.match(readOtel(env).mistakes[0] ?? '', /a number from 0 to 1/);
  });

  it('keeps an instance from starting', () => {
    const text = mistakesIn(UPSTREAMS, { ...ENDPOINT, OTEL_TRACES_SAMPLER: 'often' });
    assert.match(JSON.stringify(text), /OTEL_TRACES_SAMPLER/);
    assert.deepEqual(load(UPSTREAMS, ENDPOINT).settings.telemetry.sampler, { ratio: 1, followsParent: true });
  });
});
