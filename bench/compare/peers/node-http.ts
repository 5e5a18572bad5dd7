/** A probe: what node:http costs that answers by itself. */
import { createServer } from 'node:http';

const [port] = process.argv.slice(2);
const body = Buffer.alloc(1024, 'x');
createServer((_, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length });
  response.end(body);
}).listen(Number(port));
