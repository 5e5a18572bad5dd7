import { hostname } from 'node:os';
import type { Resource } from '@opentelemetry/resources';
import packageFile from '../../package.json' with { type: 'json' };
import { openTelemetry } from './packages.ts';

const { defaultResource, resourceFromAttributes } = openTelemetry('@opentelemetry/resources');

/** Who is speaking. `said` is what the environment says of this instance; `instance` is its id in the cluster. */
export function instanceResource(said: Readonly<Record<string, string>>, instance: string): Resource {
  return defaultResource().merge(
    resourceFromAttributes({
      'service.version': packageFile.version,
      'service.instance.id': instance,
      'host.name': hostname(),
      'process.pid': process.pid,
      'process.runtime.name': 'nodejs',
      'process.runtime.version': process.versions.node,
      ...said,
    }),
  );
}
