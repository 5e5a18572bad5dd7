/** Reads traces as OTLP has them in protobuf (opentelemetry/proto/trace/v1/trace.proto). */
import { bytesOf, type Fields, numberOf, readFields, textOf } from './protobuf.ts';

export type AttributeValue = string | boolean | number | readonly AttributeValue[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

export type Event = { readonly name: string; readonly ms: number; readonly attributes: Attributes };

export type Span = {
  readonly traceId: string;
  readonly spanId: string;
  /** '' for a root. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer' | 'unspecified';
  /** Milliseconds since the Unix epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly status: 'unset' | 'ok' | 'error';
  readonly attributes: Attributes;
  readonly events: readonly Event[];
  /** Of whoever sent it. */
  readonly resource: Attributes;
  readonly scope: string;
};

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
const STATUSES = ['unset', 'ok', 'error'] as const;

/** All spans of an ExportTraceServiceRequest. */
export function readTraces(message: Buffer): Span[] {
  return bytesOf(readFields(message), 1).flatMap((resourceSpans) => {
    const fields = readFields(resourceSpans);
    const [resource = Buffer.alloc(0)] = bytesOf(fields, 1);
    const about = attributesOf(readFields(resource), 1);
    return bytesOf(fields, 2).flatMap((scopeSpans) => {
      const inScope = readFields(scopeSpans);
      const [scope = Buffer.alloc(0)] = bytesOf(inScope, 1);
      return bytesOf(inScope, 2).map((span) =>
        readSpan(readFields(span), about, textOf(readFields(scope), 1)),
      );
    });
  });
}

function readSpan(fields: Fields, resource: Attributes, scope: string): Span {
  const [status = Buffer.alloc(0)] = bytesOf(fields, 15);
  return {
    traceId: bytesOf(fields, 1)[0]?.toString('hex') ?? '',
    spanId: bytesOf(fields, 2)[0]?.toString('hex') ?? '',
    traceState: textOf(fields, 3),
    parentSpanId: bytesOf(fields, 4)[0]?.toString('hex') ?? '',
    name: textOf(fields, 5),
    kind: KINDS[Number(numberOf(fields, 6))] ?? 'unspecified',
    startMs: milliseconds(fields, 7),
    endMs: milliseconds(fields, 8),
    attributes: attributesOf(fields, 9),
    events: bytesOf(fields, 11).map((event) => {
      const inEvent = readFields(event);
      return { name: textOf(inEvent, 2), ms: milliseconds(inEvent, 1), attributes: attributesOf(inEvent, 3) };
    }),
    status: STATUSES[Number(numberOf(readFields(status), 3))] ?? 'unset',
    resource,
    scope,
  };
}

function attributesOf(fields: Fields, field: number): Attributes {
  return Object.fromEntries(
    bytesOf(fields, field).map((pair) => {
      const [value = Buffer.alloc(0)] = bytesOf(readFields(pair), 2);
      return [textOf(readFields(pair), 1), readValue(readFields(value))];
    }),
  );
}

/** AnyValue: text, truth, whole number, double or list. */
function readValue(fields: Fields): AttributeValue {
  if (fields.has(1)) return textOf(fields, 1);
  if (fields.has(2)) return numberOf(fields, 2) !== 0n;
  if (fields.has(3)) return Number(BigInt.asIntN(64, numberOf(fields, 3)));
  if (fields.has(4)) {
    const double = Buffer.alloc(8);
    double.writeBigUInt64LE(numberOf(fields, 4));
    return double.readDoubleLE();
  }
  return bytesOf(fields, 5).flatMap((list) =>
    bytesOf(readFields(list), 1).map((it) => readValue(readFields(it))),
  );
}

function milliseconds(fields: Fields, field: number): number {
  return Number(numberOf(fields, field)) / 1e6;
}
