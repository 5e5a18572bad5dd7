import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { portError } from '#control/port.ts';
import { systemClock } from '#core/clock.ts';
import type { Upstream } from '#core/table.ts';

const SLOW_MS = 2_000;

/** Starts a server that says its name; rejects with a SignalboxError if its port cannot be had. */
export function startDemoUpstream({ name, address, port }: Upstream): Promise<Server> {
  const server = createServer((request, response) => answer(name, request, response));
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(portError(`demo upstream ${name}`, address, port, error)));
    server.listen({ host: address, port }, () => resolve(server));
  });
}

function answer(name: string, request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  const greeting = `${name} says hello: ${request.method} ${request.url}\n`;
  const [path] = (request.url ?? '').split('?', 1);
  if (path === '/headers') {
    response.setHeader('Content-Type', 'application/json');
    response.end(`${JSON.stringify({ upstream: name, headers: request.headers }, null, 2)}\n`);
  } else if (path === '/slow') {
    const timer = systemClock.after(SLOW_MS, () => response.end(greeting));
    response.on('close', () => timer.cancel());
  } else {
    response.setHeader('Content-Type', 'text/plain; charset=utf-8');
    response.end(greeting);
  }
}
