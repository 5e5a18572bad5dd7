import { BusError } from './errors.ts';

/** How an instance reaches the NATS of its cluster. */
export type BusSettings = {
  /** At least one and at most SERVERS_MAX; tried in random order. */
  readonly servers: readonly BusServer[];
  /** Of every subject and bucket: clusters that share a server have different ones. */
  readonly prefix: string;
  /** Shown in the server's monitoring. */
  readonly clientName: string;
  readonly auth: BusAuth;
  /** Null: encrypted only if the server wants it, verified by the system's roots. */
  readonly tls: BusTls | null;
};

export type BusServer = {
  /** Host name or IP literal, without brackets. */
  readonly host: string;
  readonly port: number;
};

export type BusAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string }
  /** A file as `nsc generate creds` makes it, read again for each connection. */
  | { readonly kind: 'creds'; readonly file: string };

/** PEM files, read again for each connection; null for what is not needed. */
export type BusTls = {
  /** Replaces the system's roots. */
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
};

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
 * several joined by commas; `tls://` asks for encryption. What is wrong is said without repeating the text,
 * which may hold a password.
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
  return new BusError('bus_bad_settings', `NATS_URL: ${problem}`);
}
