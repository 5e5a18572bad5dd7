/** The thread behind upstream-clients.test.ts: listens, and then never accepts a connection. */
import { createServer } from 'node:net';
import { parentPort } from 'node:worker_threads';

const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort?.postMessage(server.address());
  // Blocks the thread until it is terminated; the message above has left by then.
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
});
