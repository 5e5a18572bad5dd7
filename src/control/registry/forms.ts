/** What stands in the registry's bucket, and under which keys. Whoever reads it checks it as a configuration. */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { MESSAGE_BYTES_MAX } from '#bus/contract.ts';
import type { MessageForm } from '#bus/messages.ts';
import { isKey } from '#bus/names.ts';
import { HostHeader, InFlightMax, Protocol, UpstreamName, Weight } from '#config/schema/upstream.ts';
import { Host, HostName, milliseconds, Name, Port } from '#config/schema/values.ts';
import type { UpstreamId, UpstreamRecord } from '#core/registry/record.ts';
import { GENERATION_MAX, type Seed } from '#core/registry/seed.ts';
import type { Upstream } from '#core/table.ts';

/** Of the entry that says by whom, or rather with what, the registry was filled. */
export const SEED_KEY = 'seed';

/** `upstream.default.red`: what keys cannot have is `=` and its code in hex; a name too long for it, a hash. */
export function keyOf(upstream: UpstreamId): string {
  const words = [upstream.pool, upstream.name];
  const key = `upstream.${words.map(escaped).join('.')}`;
  return isKey(key) ? key : `upstream.${hash('sha256', words.join('/'), 'hex')}`;
}

function escaped(text: string): string {
  return text.replace(/[^\w-]/g, (char) => `=${char.charCodeAt(0).toString(16)}`);
}

const SeedBody = z.strictObject({
  generation: z.int().min(1).max(GENERATION_MAX),
  revision: z.int().min(0),
  phase: z.enum(['filling', 'filled']),
});

export const SEED_FORM: MessageForm<Seed> = {
  version: 1,
  bytesMax: 1024,
  parse: (body) => SeedBody.parse(body),
};

export const States = z.enum(['ready', 'drain', 'maintenance']);

export const UpstreamBody = z.strictObject({
  pool: Name,
  name: UpstreamName,
  address: Host,
  port: Port,
  weight: Weight,
  state: States,
  drain_ms: milliseconds(0).nullable(),
  tls: z
    .strictObject({
      server_name: z.union([HostName, z.literal('')]),
      ca: z.string().nullable(),
      verify: z.boolean(),
    })
    .nullable(),
  host_header: HostHeader,
  /** Left out for HTTP/1.1: instances that know nothing else can serve such an upstream, too. */
  protocol: Protocol.optional(),
  /** Likewise. */
  in_flight_max: InFlightMax.optional(),
});

export type UpstreamBody = z.output<typeof UpstreamBody>;

export const UPSTREAM_FORM: MessageForm<UpstreamBody> = {
  version: 1,
  bytesMax: MESSAGE_BYTES_MAX,
  parse: (body) => UpstreamBody.parse(body),
};

export function bodyOf({ drainMs, tls, host, protocol, inFlightMax, ...same }: UpstreamRecord): UpstreamBody {
  return {
    ...same,
    ...(protocol === 'h2' && { protocol }),
    ...(inFlightMax !== null && { in_flight_max: inFlightMax }),
    drain_ms: drainMs,
    tls: tls && { server_name: tls.serverName, ca: tls.ca, verify: tls.verify },
    host_header: host.kind === 'fixed' ? host.value : host.kind,
  };
}

export function recordIn({
  drain_ms,
  tls,
  host_header,
  protocol,
  in_flight_max,
  ...same
}: UpstreamBody): UpstreamRecord {
  return {
    ...same,
    protocol: protocol ?? 'http/1.1',
    inFlightMax: in_flight_max ?? null,
    drainMs: drain_ms,
    tls: tls && { serverName: tls.server_name, ca: tls.ca, verify: tls.verify },
    host: hostIn(host_header),
  };
}

function hostIn(header: string): Upstream['host'] {
  return header === 'client' || header === 'upstream' ? { kind: header } : { kind: 'fixed', value: header };
}
