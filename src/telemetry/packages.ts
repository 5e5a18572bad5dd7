import { createRequire } from 'node:module';

/** OpenTelemetry's, as far as anything of theirs runs here. */
type Packages = {
  readonly '@opentelemetry/api': typeof import('@opentelemetry/api');
  readonly '@opentelemetry/exporter-prometheus': typeof import('@opentelemetry/exporter-prometheus');
  readonly '@opentelemetry/exporter-trace-otlp-proto': typeof import('@opentelemetry/exporter-trace-otlp-proto');
  readonly '@opentelemetry/resources': typeof import('@opentelemetry/resources');
  readonly '@opentelemetry/sdk-metrics': typeof import('@opentelemetry/sdk-metrics');
  readonly '@opentelemetry/sdk-node': typeof import('@opentelemetry/sdk-node');
  readonly '@opentelemetry/sdk-trace': typeof import('@opentelemetry/sdk-trace');
};

const require = createRequire(import.meta.url);

/**
 * What a package exports. All of them come in their CommonJS build: the SDK for Node, which is 320 files, then takes
 * 110 ms and 17 MB, and 150 ms and 21 MB as modules.
 */
export function openTelemetry<Name extends keyof Packages>(name: Name): Packages[Name] {
  return require(name);
}
