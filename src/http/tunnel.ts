import type { Duplex } from 'node:stream';

/**
 * Joins two connections after a 101, both ways with backpressure, until both have ended, one fails, or
 * nothing has passed for `idleMs`. `ended` is called once.
 */
export function joinTunnel(client: Duplex, upstream: Duplex, idleMs: number, ended: () => void): void {
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    client.destroy();
    upstream.destroy();
    ended();
  };
  for (const side of [client, upstream]) {
    side.on('error', close);
    side.on('close', close);
  }
  // What passes in either direction passes through the client's socket.
  if ('setTimeout' in client && typeof client.setTimeout === 'function') client.setTimeout(idleMs, close);
  client.pipe(upstream);
  upstream.pipe(client);
}
