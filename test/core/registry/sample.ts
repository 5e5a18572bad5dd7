import fc from 'fast-check';
import { idOf, type UpstreamRecord } from '#core/registry/record.ts';

export function sampleRecord(changes: Partial<UpstreamRecord> = {}): UpstreamRecord {
  return {
    pool: 'default',
    name: 'red',
    address: '127.0.0.1',
    port: 3000,
    weight: 1,
    state: 'ready',
    drainMs: null,
    tls: null,
    protocol: 'http/1.1',
    inFlightMax: null,
    host: { kind: 'client' },
    ...changes,
  };
}

/** Names and pools are few, so that they meet. */
export const anyRecord: fc.Arbitrary<UpstreamRecord> = fc.record(
  {
    pool: fc.constantFrom('default', 'api', 'a.b'),
    name: fc.constantFrom('red', 'green', 'b', 'b:1'),
    address: fc.constantFrom('127.0.0.1', '::1', 'red.example'),
    port: fc.integer({ min: 1, max: 65_535 }),
    weight: fc.integer({ min: 1, max: 256 }),
    state: fc.constantFrom('ready', 'drain', 'maintenance'),
    drainMs: fc.option(fc.integer({ min: 0, max: 86_400_000 })),
    tls: fc.constantFrom(
      null,
      { serverName: '', ca: null, verify: false },
      { serverName: 'red.example', ca: null, verify: true },
      { serverName: 'red.example', ca: '-----BEGIN CERTIFICATE-----', verify: true },
    ),
    protocol: fc.constantFrom('http/1.1', 'h2'),
    inFlightMax: fc.constantFrom(null, 1, 1000),
    host: fc.constantFrom(
      { kind: 'client' } as const,
      { kind: 'upstream' } as const,
      { kind: 'fixed', value: 'red.example:8443' } as const,
    ),
  },
  { noNullPrototype: true },
);

/** Each upstream once. */
export const anyRecords = fc.uniqueArray(anyRecord, { selector: idOf, maxLength: 12 });
