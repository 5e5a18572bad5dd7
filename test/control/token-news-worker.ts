/** A worker that serves nothing, and says as a question what it knows of tokens. It crashes with a table. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerStart } from '#core/worker-messages.ts';

const { worker, keyring, revoked } = workerData as WorkerStart<unknown>;
const control = parentPort as MessagePort;

control.on('message', (message: ToWorker) => {
  if (message.type === 'table') throw new Error('told to crash');
  if (message.type === 'keyring') report({ keyring: message.keyring.revision });
  if (message.type === 'revoked') report({ revoked: message.revoked });
});
say({ type: 'listening' });
report({ began: keyring.revision, revoked });
say({ type: 'key.missed', issuer: 'https://login.example.com' });

function report(what: object): void {
  const path = JSON.stringify({ worker, ...what });
  const question = { method: 'GET', path, headers: [], body: new Uint8Array(0) };
  say({ type: 'question', id: 0, question } as unknown as FromWorker);
}

function say(message: FromWorker): void {
  control.postMessage(message);
}
