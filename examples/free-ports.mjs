// Prints two ports of the loopback address that are free right now. They lie below the range that systems
// give out by themselves, so that no outgoing connection takes one of them before it is used.
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

const PORT_MIN = 20_000;
const PORT_MAX = 32_000;
const TRIES_MAX = 100;

const servers = [];
for (let tries = 0; servers.length < 2 && tries < TRIES_MAX; tries++) {
  const server = createServer().listen(randomInt(PORT_MIN, PORT_MAX), '127.0.0.1');
  try {
    await once(server, 'listening');
    servers.push(server);
  } catch {
    // Taken by someone else: another one is drawn.
  }
}
console.log(servers.map((server) => server.address().port).join(' '));
for (const server of servers) server.close();
