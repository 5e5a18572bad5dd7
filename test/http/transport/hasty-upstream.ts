/** An upstream in a thread of its own: answers and resets when told to, while who asked is kept from reading. */
import { type AddressInfo, createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const { flags, answer } = workerData as { flags: Int32Array; answer: string };

const server = createServer((socket) => {
  socket.once('data', () => {
    parentPort?.postMessage('asked');
    Atomics.wait(flags, 0, 0);
    socket.write(answer);
    socket.resetAndDestroy();
    Atomics.store(flags, 1, 1);
    Atomics.notify(flags, 1);
  });
});
server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));
