// An upstream as a process of its own, to be killed and stopped: `node upstream.ts PORT FILE`. The ids of POST
// requests go to FILE as they arrive, so that what came twice shows even if the process was killed meanwhile.
import { openSync, writeSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const [port, file = ''] = process.argv.slice(2);
const seen = openSync(file, 'a');

const BIG = Buffer.alloc(512 * 1024, 'big ');
const STREAM_CHUNKS = 20;
const STREAM_REST_MS = 25;

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url = '', method, headers } = request;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  if (method === 'POST') {
    writeSync(seen, `${headers['x-test-id']}\n`);
    response.end(Buffer.concat(chunks));
  } else if (url === '/big') response.end(BIG);
  else if (url === '/slow') await delay(2_000).then(() => response.end('slow'));
  else if (url === '/reset') request.socket.resetAndDestroy();
  else if (url === '/stream') {
    for (let nth = 0; nth < STREAM_CHUNKS && !response.destroyed; nth++) {
      response.write(`chunk ${nth}\n`);
      await delay(STREAM_REST_MS);
    }
    response.end();
  } else response.end(url);
}

createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
})
  .on('upgrade', (_, socket) => {
    socket.on('error', () => socket.destroy());
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.pipe(socket);
  })
  .listen(Number(port), '127.0.0.1');
