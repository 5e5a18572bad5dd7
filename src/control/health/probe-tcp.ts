import type { Clock } from '#core/clock.ts';
import type { Outcome } from '#core/health/tally.ts';
import type { Upstream } from '#core/table.ts';
import { upstreamOpener } from '#http/upstream-connector.ts';

/** Passes when a connection stands, TLS included, and closes it. Rejects with the system's error. */
export function probeTcp(
  upstream: Upstream,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const socket = upstreamOpener(
      upstream,
      timeoutMs,
      clock,
    )(null, (error) => {
      socket.destroy();
      if (error === null) resolve({ passed: true });
      else reject(error);
    });
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
  });
}
