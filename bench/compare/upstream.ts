/** What is proxied to: nginx with small and large files on several ports, and a WebSocket echo. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, OTHER_CORE, Program } from './processes.ts';

const SIZES = { '1k': 1024, '64k': 64 * 1024, '1m': 1024 * 1024 };
const COUNT = 3;
const ECHO = fileURLToPath(new URL('./echo.ts', import.meta.url));

export type Upstream = AsyncDisposable & { readonly ports: readonly number[] };

export async function startUpstream(folder: string): Promise<Upstream> {
  const [echoPort, ...ports] = await Promise.all(Array.from({ length: COUNT + 1 }, freePort));
  for (const [name, bytes] of Object.entries(SIZES)) writeFileSync(join(folder, name), 'x'.repeat(bytes));
  const file = join(folder, 'upstream.conf');
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/upstream.pid; error_log stderr crit;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 600s; client_body_temp_path ${folder};
  sendfile on; tcp_nopush on; open_file_cache max=10;
  server {
${ports.map((port) => `    listen 127.0.0.1:${port} backlog=4096;`).join('\n')}
    root ${folder};
    location /varied/ { try_files /1k =404; }
    location = /echo { proxy_pass http://127.0.0.1:${echoPort}; proxy_http_version 1.1; proxy_set_header Connection upgrade; proxy_set_header Upgrade $http_upgrade; }
    location = /post { client_max_body_size 10m; return 200 ok; }
  }
}
`,
  );
  await using programs = new AsyncDisposableStack();
  const echo = programs.use(new Program(OTHER_CORE, [process.execPath, ECHO, `${echoPort}`]));
  const nginx = programs.use(new Program(OTHER_CORE, ['nginx', '-c', file, '-p', folder]));
  await Promise.all([echo.listening(echoPort ?? 0), nginx.listening(ports[0] ?? 0)]);
  const running = programs.move();
  return { ports, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
