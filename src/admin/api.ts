import type { Readable } from 'node:stream';

/** An answer of the admin API. */
export type AdminAnswer = {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
};

export type AdminRequest = { readonly query: URLSearchParams; readonly body: Readable };

export type AdminHandler = (request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>;

/** By `METHOD /path`. */
export type AdminRoutes = ReadonlyMap<string, AdminHandler>;

export function json(status: number, value: unknown): AdminAnswer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value)}\n` };
}

export function text(status: number, value: string): AdminAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${value}\n` };
}
