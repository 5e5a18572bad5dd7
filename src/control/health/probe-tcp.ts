import type { Clock } from '#core/clock.ts';
import type { Outcome } from '#core/health/tally.ts';
import type { Upstream } from '#core/table.ts';
import { upstreamConnector } from '#http/upstream-connector.ts';

/** Passes when a connection stands, TLS included, and closes it. Rejects with the system's error. */
export function probeTcp(
  upstream: Upstream,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Outcome> {
  const connect = upstreamConnector(upstream, timeoutMs, clock);
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    connect({ hostname: upstream.address, protocol: 'tcp:', port: `${upstream.port}` }, (error, socket) => {
      if (socket === null) return reject(error);
      socket.destroy();
      resolve({ passed: true });
    });
  });
}
