import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

/** An answer of the admin API. */
export type AdminAnswer = {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export type AdminRequest = {
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
  /** What stands for the `*` of the route, decoded; '' if there is none. */
  readonly name: string;
};

export type AdminHandler = (request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>;

/** By `METHOD /path`, whose last part may be `*`. */
export type AdminRoutes = ReadonlyMap<string, AdminHandler>;

export function json(status: number, value: unknown, headers: AdminAnswer['headers'] = {}): AdminAnswer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value)}\n`, headers };
}

export function text(status: number, value: string): AdminAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${value}\n` };
}
