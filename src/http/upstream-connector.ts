import { connect, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';
import { type buildConnector, errors } from 'undici';
import type { Clock } from '#core/clock.ts';
import type { Upstream, UpstreamTls } from '#core/table.ts';

/** How long a connection is silent before the system asks whether its peer is still there. */
const TCP_KEEP_ALIVE_MS = 60_000;

/**
 * Opens connections to one upstream, each within `connectMs`, TLS included; after that the error is
 * undici's ConnectTimeoutError. (undici's own connector looks at its clock once a second.) The names for
 * SNI and for the certificate are the upstream's, never the client's, whatever Host is forwarded.
 */
export function upstreamConnector(
  { address, port, tls }: Upstream,
  connectMs: number,
  clock: Clock,
): buildConnector.connector {
  const open = tls === null ? () => connect({ host: address, port }) : tlsOpener(address, port, tls);
  const opened = tls === null ? 'connect' : 'secureConnect';

  return (_, done) => {
    const socket = open().setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    const timer = clock.after(connectMs, () => socket.destroy(new errors.ConnectTimeoutError()));
    let isPending = true;
    const end = (...outcome: Parameters<typeof done>) => {
      timer.cancel();
      if (!isPending) return;
      isPending = false;
      done(...outcome);
    };
    socket.on('error', (error) => end(error, null));
    socket.once(opened, () => end(null, socket));
  };
}

/** A certificate is checked once a session: connections resume the last one (RFC 8446 §2.2). */
function tlsOpener(address: string, port: number, tls: UpstreamTls): () => Socket {
  let session: Buffer | undefined;
  // An IP address is no name to ask for (RFC 6066 §3), but one that a certificate may be for.
  const servername = isIP(tls.serverName) === 0 ? tls.serverName : '';
  return () => {
    const socket: TLSSocket = connectTls({
      host: address,
      port,
      servername,
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: tls.verify,
      checkServerIdentity: (host, certificate) => checkServerIdentity(tls.serverName || host, certificate),
      ...(tls.ca === null ? {} : { ca: tls.ca }),
      ...(session === undefined ? {} : { session }),
    });
    socket.on('session', (latest) => {
      session = latest;
    });
    return socket;
  };
}
