/** Takes the traces that an instance sends (OTLP over HTTP), and drops them; a program of its own, on the other core. */
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { freePort, OTHER_CORE, Program } from './processes.ts';

export async function startCollector(): Promise<AsyncDisposable & { readonly port: number }> {
  const port = await freePort();
  const program = new Program(OTHER_CORE, [process.execPath, fileURLToPath(import.meta.url), `${port}`]);
  await program.listening(port);
  return { port, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

function serve(port: number): void {
  createServer((request, response) => {
    request.resume().on('end', () => response.end());
  }).listen(port, '127.0.0.1');
}

if (import.meta.main) serve(Number(process.argv[2]));
