import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** The way of one instance to its server, which can be cut while others keep theirs. */
export async function layCable(t: TestContext, port: number) {
  const sockets = new Set<Socket>();
  let isCut = false;
  const join = (socket: Socket, other: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
    socket.pipe(other);
  };
  const listener = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    join(near, far);
    join(far, near);
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const cable = {
    url: `nats://127.0.0.1:${(listener.address() as { port: number }).port}`,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isCut = false;
    },
  };
  t.after(() => {
    cable.cut();
    listener.close();
  });
  return cable;
}
