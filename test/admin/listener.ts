import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import type { AdminRoutes } from '#admin/api.ts';
import { startAdminServer } from '#admin/server.ts';
import { keptLog } from '#test/support/log.ts';

export type Asked = { status: number; headers: IncomingMessage['headers']; body: string };
export type Question = { method?: string; headers?: Record<string, string>; body?: string };
export type Ask = (path: string, question?: Question) => Promise<Asked>;

/** A real admin listener with these routes. */
export async function serveAdmin(t: TestContext, routes: AdminRoutes, token: string | null = null) {
  const { log, lines } = keptLog();
  const server = await startAdminServer({ address: '127.0.0.1', port: 0, token }, routes, log);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const ask: Ask = async (path, { method = 'GET', headers = {}, body } = {}) => {
    const sent = request({ port, host: '127.0.0.1', path, method, headers, agent: false });
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) };
  };
  return { ask, port, lines };
}
