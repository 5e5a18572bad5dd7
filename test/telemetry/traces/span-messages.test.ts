import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTraceState, type SpanContext } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { instanceResource } from '#telemetry/resource.ts';
import { requestSpans } from '#telemetry/traces/request-spans.ts';
import { SpanMessages } from '#telemetry/traces/span-messages.ts';
import { sampleRecord } from '#test/support/sample-record.ts';

/** Nanoseconds since the Unix epoch have 64 bits. */
const SECONDS_MAX = 18_446_744_072;

const resource = instanceResource({ 'service.name': 'edge', 'deployment.environment': 'größe' }, 'one');
const scope = { name: 'signalbox', version: '1' };

const digits = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
/** Short and long, and in every alphabet; halves of characters too. */
const texts = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }),
  fc.string({ minLength: 100, maxLength: 300 }),
  fc.nat(40_000).map((length) => 'x'.repeat(length)),
);
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    texts,
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.constantFrom(-(2 ** 63), 2 ** 63, null),
    tie('list'),
  ),
  list: fc.array(tie('value'), { maxLength: 3 }),
})).value;
const attributes = fc.dictionary(texts, values);
const counts = fc.nat(2 ** 32 - 1);
const times = fc.tuple(fc.nat(SECONDS_MAX), fc.nat(999_999_999));
const contexts: fc.Arbitrary<SpanContext> = fc.record(
  {
    traceId: digits(32),
    spanId: digits(16),
    traceFlags: fc.nat(255),
    isRemote: fc.boolean(),
    traceState: fc.constantFrom(createTraceState(''), createTraceState('a=1,b=2')),
  },
  { requiredKeys: ['traceId', 'spanId', 'traceFlags'] },
);
const events = fc.record(
  { name: texts, time: times, attributes, droppedAttributesCount: counts },
  { requiredKeys: ['name', 'time'] },
);
const links = fc.record(
  { context: contexts, attributes, droppedAttributesCount: counts },
  { requiredKeys: ['context'] },
);
const spans: fc.Arbitrary<ReadableSpan> = fc.record(
  {
    name: texts,
    kind: fc.nat(4),
    spanContext: contexts.map((context) => () => context),
    parentSpanContext: contexts,
    startTime: times,
    endTime: times,
    duration: times,
    ended: fc.constant(true),
    status: fc.record({ code: fc.nat(2), message: texts }, { requiredKeys: ['code'] }),
    attributes,
    events: fc.array(events, { maxLength: 6 }),
    links: fc.array(links, { maxLength: 2 }),
    resource: fc.constant(resource),
    instrumentationScope: fc.constant(scope),
    droppedAttributesCount: counts,
    droppedEventsCount: counts,
    droppedLinksCount: counts,
  },
  { noNullPrototype: true },
) as fc.Arbitrary<ReadableSpan>;

function assertSame(messages: SpanMessages, spans: readonly ReadableSpan[]): void {
  const ours = messages.request(spans.map((span) => messages.of(span)));
  const theirs = ProtobufTraceSerializer.serializeRequest([...spans]);
  assert.ok(theirs !== undefined && ours.equals(theirs));
}

describe('spans as messages', () => {
  it('are what OpenTelemetry would make of them, byte for byte', () => {
    const messages = new SpanMessages({ resource, instrumentationScope: scope });
    fc.assert(
      fc.property(fc.array(spans, { minLength: 1, maxLength: 5 }), (spans) => assertSame(messages, spans)),
    );
  });

  it('are that in batches of any size', () => {
    const messages = new SpanMessages({ resource, instrumentationScope: scope });
    const source = { resource, scope, wallMs: (ms: number) => 1_700_000_000_000.125 + ms };
    const request = requestSpans(
      sampleRecord({ tracestate: 'a=1', parentSpanId: '00f067aa0ba902b7' }),
      source,
    );
    for (const requests of [1, 7, 20, 5_000]) {
      assertSame(messages, Array.from({ length: requests }, () => request).flat());
    }
  });
});
