import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { AdminSettings } from '#core/settings.ts';
import type { Log } from '#telemetry/log.ts';
import { type AdminAnswer, type AdminHandler, type AdminRoutes, json } from './api.ts';

// Imported as a module it would bring undici's WebSocket along, 8 MB.
const { createServer } = process.getBuiltinModule('node:http');

/** Paths that probes ask for, without a token. */
const OPEN_PATHS = new Set(['/livez', '/readyz']);

/** Hosts by which a browser on this machine may call us; any other name is a rebound DNS entry. */
const LOOPBACK_HOSTS = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i;

/** Starts the admin listener; rejects with the system's error. */
export function startAdminServer(settings: AdminSettings, routes: AdminRoutes, log: Log): Promise<Server> {
  const server = createServer((request, response) => {
    const answered = answer(settings, routes, request).catch((error: unknown) => {
      log.error(
        { err: error, method: request.method, path: request.url?.split('?', 1)[0] },
        'admin request failed',
      );
      return json(500, { error: 'this is a mistake in Signalbox; its log says more' });
    });
    void answered.then(({ status, contentType, body, headers }) => {
      response.writeHead(status, {
        ...headers,
        'Content-Type': contentType,
        'Content-Length': Buffer.byteLength(body),
        'Cache-Control': 'no-store',
        ...(status === 401 ? { 'WWW-Authenticate': 'Bearer realm="signalbox admin"' } : {}),
      });
      response.end(request.method === 'HEAD' ? undefined : body);
    });
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen({ host: settings.address, port: settings.port }, () => resolve(server));
  });
}

async function answer(
  settings: AdminSettings,
  routes: AdminRoutes,
  request: IncomingMessage,
): Promise<AdminAnswer> {
  const { url = '' } = request;
  const [path = ''] = url.split('?', 1);
  if (!OPEN_PATHS.has(path)) {
    const refusal = refuse(settings, request);
    if (refusal !== null) return refusal;
  }
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const found = find(routes, `${method} ${path}`);
  if (found === null) return json(404, { error: `the admin API has no ${request.method} ${path}` });
  const query = new URLSearchParams(url.slice(path.length));
  return found.handler({ query, headers: request.headers, body: request, name: found.name });
}

function find(routes: AdminRoutes, route: string): { handler: AdminHandler; name: string } | null {
  const exact = routes.get(route);
  if (exact !== undefined) return { handler: exact, name: '' };
  const start = route.lastIndexOf('/') + 1;
  const handler = routes.get(`${route.slice(0, start)}*`);
  const name = decoded(route.slice(start));
  return handler === undefined || name === null ? null : { handler, name };
}

/** Null where a `%` stands for nothing. */
function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function refuse({ token }: AdminSettings, request: IncomingMessage): AdminAnswer | null {
  // A browser sends a page's requests here whoever made the page; it says who that was.
  const { origin, host } = request.headers;
  if (origin !== undefined && URL.parse(origin)?.host !== host) {
    return json(403, { error: 'a page of another site has no say here' });
  }
  if (token === null) {
    return LOOPBACK_HOSTS.test(host ?? '')
      ? null
      : json(403, { error: 'the Host of this request is not this machine' });
  }
  const given = /^bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  return isEqual(given, token) ? null : json(401, { error: 'send admin.token as a bearer token' });
}

/** In a time that does not depend on where they differ. */
function isEqual(given: string, expected: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', expected, 'buffer'));
}
