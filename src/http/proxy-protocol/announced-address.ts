import type { Socket } from 'node:net';
import type { Clock } from '#core/clock.ts';
import { parseProxyHeader } from './header.ts';

/**
 * Takes the PROXY protocol's header off a connection, which has `headMs` to send it, and tells once whose
 * connection it is: an address, null for the peer's own, or `malformed`. What came after the header is in the
 * socket again, which is paused. A connection that ends or is late is destroyed, and nothing is told.
 */
export function readAnnouncedAddress(
  socket: Socket,
  headMs: number,
  clock: Clock,
  told: (address: string | null | 'malformed') => void,
): void {
  let bytes: Buffer = Buffer.alloc(0);
  const destroy = () => socket.destroy();
  const timer = clock.after(headMs, destroy);

  const onData = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    const header = parseProxyHeader(bytes);
    if (header === 'incomplete') return;
    timer.cancel();
    socket.off('data', onData).off('end', destroy).off('close', onClose).pause();
    if (header === 'malformed') {
      told('malformed');
      return;
    }
    if (header.end < bytes.length) socket.unshift(bytes.subarray(header.end));
    told(header.address);
  };
  const onClose = () => timer.cancel();
  socket.on('data', onData).on('end', destroy).on('close', onClose);
}
