import type { BusAuth, BusServer, BusSettings, BusTls } from '#core/settings.ts';
import { BusError } from './errors.ts';

export const SERVERS_MAX = 16;
const PORT_DEFAULT = 4222;
const NO_FILES: BusTls = { caFile: null, certFile: null, keyFile: null };

export function nameOf({ host, port }: BusServer): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

export function defaultPrefix(cluster: string): string {
  return `signalbox.${cluster}`;
}

/**
 * Reads NATS_URL as NATS's own tools do: `nats://user:password@host:port` or `nats://token@host:port`, or
 * several joined by commas; `tls://` asks for encryption. Throws a BusError that says what is wrong without
 * repeating the text, which may hold a password.
 */
export function parseNatsUrl(text: string): Pick<BusSettings, 'servers' | 'auth' | 'tls'> {
  const urls = text.split(',').map((part, index) => parseUrl(part.trim(), index));
  if (urls.length > SERVERS_MAX)
    throw bad(`there are ${urls.length} servers, and at most ${SERVERS_MAX} can be`);
  return {
    servers: urls.map(({ hostname, port }) => ({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? PORT_DEFAULT : Number(port),
    })),
    auth: authOf(urls.find(({ username }) => username !== '')),
    tls: urls.some(({ protocol }) => protocol === 'tls:') ? NO_FILES : null,
  };
}

function parseUrl(text: string, index: number): URL {
  const url = URL.parse(text.includes('://') ? text : `nats://${text}`);
  const isServer = url !== null && /^(nats|tls):$/.test(url.protocol) && url.hostname !== '';
  if (!isServer) throw bad(`server ${index + 1} is not of the form nats://host:port`);
  return url;
}

function authOf(url: URL | undefined): BusAuth {
  if (url === undefined) return { kind: 'none' };
  const [user, password] = [decoded(url.username), decoded(url.password)];
  return password === '' ? { kind: 'token', token: user } : { kind: 'password', user, password };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad('a % in the user or password is written as %25');
  }
}

function bad(problem: string): BusError {
  return new BusError('bus_bad_settings', problem);
}
