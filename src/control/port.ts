import { createServer } from 'node:net';
import { formatEndpoint } from '#core/endpoint.ts';
import { codeOf, SignalboxError } from '#core/errors.ts';
import type { ServerSettings } from '#core/settings.ts';

/** Of all that clients connect to. */
export async function probePorts({ address, port, tls }: ServerSettings): Promise<{ reusePort: boolean }> {
  if (tls !== null && tls.port !== null) {
    await probePort('TLS listener (server.tls.listen_port)', address, tls.port);
  }
  return probePort('proxy listener (server.listen_port)', address, port);
}

/**
 * Makes sure that a port can be listened on, and says whether the platform lets several sockets share
 * it. Threads that share a port would otherwise share it with a stranger, too, without a word.
 */
export async function probePort(
  what: string,
  address: string,
  port: number,
): Promise<{ reusePort: boolean }> {
  await tryListen(what, address, port, false);
  try {
    await tryListen(what, address, port, true);
    return { reusePort: true };
  } catch (error) {
    if (error instanceof SignalboxError && codeOf(error.cause) === 'ENOTSUP') return { reusePort: false };
    throw error;
  }
}

function tryListen(what: string, host: string, port: number, reusePort: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => reject(portError(what, host, port, error)));
    server.listen({ host, port, reusePort, exclusive: true }, () => server.close(() => resolve()));
  });
}

/** The system's error as a sentence that says which port of ours it was. */
export function portError(what: string, address: string, port: number, cause: unknown): SignalboxError {
  return new SignalboxError(
    'port_unavailable',
    'operator',
    `${what}: ${formatEndpoint({ address, port })} ${reason(cause, port)}`,
    {
      cause,
    },
  );
}

function reason(cause: unknown, port: number): string {
  switch (codeOf(cause)) {
    case 'EADDRINUSE':
      return `is taken by another process; to see which: ss -ltnp 'sport = :${port}'`;
    case 'EACCES':
      return 'may not be listened on by this user; choose a port above 1023';
    case 'EADDRNOTAVAIL':
      return 'is no address of this machine';
    default:
      return `cannot be listened on (${codeOf(cause)})`;
  }
}
