/** A probe: what node:http and undici cost that forward and do nothing else. */
import { createServer } from 'node:http';
import { Pool } from 'undici';

const [port, upstream] = process.argv.slice(2);
const pool = new Pool(`http://127.0.0.1:${upstream}`, { connections: 64 });
createServer((request, response) => {
  pool.dispatch(
    {
      path: request.url ?? '/',
      method: request.method as 'GET',
      headers: request.rawHeaders,
      body: request.method === 'GET' ? null : request,
    },
    {
      onRequestStart() {},
      onResponseStart(_, status, headers) {
        response.writeHead(status, headers as Record<string, string>);
      },
      onResponseData(_, chunk) {
        response.write(chunk);
      },
      onResponseEnd() {
        response.end();
      },
      onResponseError() {
        response.destroy();
      },
    },
  );
}).listen(Number(port));
