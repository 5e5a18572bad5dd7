import type { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import type { TraceSettings } from '#core/settings.ts';
import { openTelemetry } from '../packages.ts';
import type { SpanMessages } from './span-messages.ts';

const { OTLPExporterBase: Exporter } = openTelemetry('@opentelemetry/otlp-exporter-base');
const { convertLegacyHttpOptions, createOtlpHttpExportDelegate } = openTelemetry(
  '@opentelemetry/otlp-exporter-base/node-http',
);

/** Takes spans that `SpanMessages` has written. */
export type SpanExporter = Pick<OTLPExporterBase<readonly Buffer[]>, 'export' | 'shutdown'>;

/**
 * OpenTelemetry's exporter to a collector over HTTP, with its retries and deadlines, put together as its own for
 * traces in protobuf is: only that the messages come from `messages`.
 */
export function spanExporter(
  { url, headers, timeoutMs }: Pick<TraceSettings, 'url' | 'headers' | 'timeoutMs'>,
  messages: SpanMessages,
): SpanExporter {
  const options = { url, headers: { ...headers }, timeoutMillis: timeoutMs };
  const type = { 'Content-Type': 'application/x-protobuf' };
  const serializer = {
    serializeRequest: (spans: readonly Buffer[]) => messages.request(spans),
    // Nobody here reads what a collector has to say of what it took.
    deserializeResponse: () => null,
  };
  const counting = { name: 'span', countItems: (spans: readonly Buffer[]) => spans.length } as const;
  return new Exporter(
    createOtlpHttpExportDelegate(
      convertLegacyHttpOptions(options, 'TRACES', 'v1/traces', type),
      serializer,
      'otlp_http_span_exporter',
      counting,
      undefined,
    ),
  );
}
