// A small upstream to try an example with. Its answers say its name, and show the request as it arrived.
//
//   node examples/upstream.mjs NAME [PORT [KEY_FILE CERT_FILE]]
//
// Without a port it takes a free one; with a key and a certificate it speaks https. It prints where it
// listens, then a line for each request. /slow takes a second; /hangup ends without an answer. It listens on
// 127.0.0.1, or on the address that UPSTREAM_ADDRESS names.
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';

const SLOW_MS = 1000;

const [name = 'upstream', port = '0', keyFile, certFile] = process.argv.slice(2);

const server =
  keyFile === undefined || certFile === undefined
    ? createHttpServer(answer)
    : createHttpsServer({ key: readFileSync(keyFile), cert: readFileSync(certFile) }, answer);

server.listen(Number(port), process.env.UPSTREAM_ADDRESS ?? '127.0.0.1', () =>
  console.log(`listening on ${server.address().port}`),
);

function answer(request, response) {
  console.log(`${request.method} ${request.url}`);
  request.resume();
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Server', 'upstream.mjs');
  response.setHeader('X-Powered-By', 'Node');
  if (request.url === '/hangup') request.destroy();
  else if (request.url === '/slow') setTimeout(() => response.end(report(request)), SLOW_MS);
  else response.end(report(request));
}

function report({ method, url, headers, socket }) {
  const lines = [`${name} says hello`, `${method} ${url}`];
  if (socket.encrypted) lines.push(`(over TLS, asked for ${socket.servername || 'no name'})`);
  for (const [header, value] of Object.entries(headers)) lines.push(`${header}: ${value}`);
  return `${lines.join('\n')}\n`;
}
