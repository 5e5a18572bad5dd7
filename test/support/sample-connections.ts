import type { Clock } from '#core/clock.ts';
import { addressBlocks } from '#http/address-blocks.ts';
import { Connections, type ConnectionsOptions } from '#http/connections.ts';
import { ClientConnectionCount } from '#shared/client-connection-count.ts';
import { ConnectionCount } from '#shared/connection-count.ts';

/** The connections of an instance's only worker, up to `max`; what a test wants different. */
export function sampleConnections(
  clock: Clock,
  max: number,
  changes: Partial<ConnectionsOptions> = {},
): Connections {
  return new Connections({
    count: ConnectionCount.create(1),
    clients: ClientConnectionCount.create(1, [1, 2]),
    worker: 0,
    max,
    perClientMax: max,
    trusted: addressBlocks([]),
    ipv6PrefixBits: 64,
    clock,
    ...changes,
  });
}
