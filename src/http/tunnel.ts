import type { Duplex } from 'node:stream';
import { type HeldBytes, Hold } from '#shared/held-bytes.ts';

/**
 * Joins two connections after a 101, both ways with backpressure, until both have ended, one fails, or
 * nothing has passed for `idleMs`. One that has ended is still told what the other one has to say, as HAProxy
 * has it. `ended` is called once, when both are closed; that may be at once.
 */
export function joinTunnel(
  client: Duplex,
  upstream: Duplex,
  idleMs: number,
  held: HeldBytes,
  ended: () => void,
): void {
  let open = 2;
  const cut = () => {
    client.destroy();
    upstream.destroy();
  };
  const cutWhenIdle = (side: Duplex) => {
    if ('setTimeout' in side && typeof side.setTimeout === 'function') side.setTimeout(idleMs, cut);
  };
  const leave = (side: Duplex, other: Duplex) => {
    // What a side said before it ended still has to reach the other one, which may read it or not.
    if (side.readableEnded) {
      cutWhenIdle(other);
      other.end(() => other.destroy());
    } else other.destroy();
    open--;
    if (open === 0) ended();
  };
  const watch = (side: Duplex, other: Duplex) => {
    side.on('error', cut);
    // Heeded as long as its end has not been read.
    side.allowHalfOpen = true;
    if (side.closed) leave(side, other);
    else side.on('close', () => leave(side, other));
  };
  watch(client, upstream);
  watch(upstream, client);
  // What passes in either direction passes through the client's socket.
  cutWhenIdle(client);
  countWaiting(client, upstream, held);
  countWaiting(upstream, client, held);
  client.pipe(upstream);
  upstream.pipe(client);
}

/** Counts what waits until `to` has read it: `from` is paused for as long. */
function countWaiting(from: Duplex, to: Duplex, held: HeldBytes): void {
  const hold = new Hold(held);
  const none = () => hold.set(0);
  from.on('pause', () => hold.set(to.closed ? 0 : to.writableLength));
  from.on('resume', none);
  to.on('close', none);
}
