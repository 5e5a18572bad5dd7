/** Accounts as clients of a real instance see them. */
import type { TestContext } from 'node:test';
import { ask, type Sample, tally } from './load.ts';
import { type Instance, startInstance } from './process.ts';
import { startUpstreams } from './upstream.ts';

export const USER = { email: 'user@example.com', password: 'SecurePass123!' };
export const JSON_TYPE = { 'Content-Type': 'application/json' };

export type Tokens = { user_id: string; access_token: string; refresh_token: string };

/** An instance with accounts, before one upstream. */
export async function scene(t: TestContext, config: object = {}, env: Record<string, string> = {}) {
  const upstreams = await startUpstreams(t, ['red']);
  const jwt = { server: { workers: 2 }, middleware: { auth: { auth_type: 'jwt' } }, ...config };
  return startInstance(t, upstreams, jwt, null, env);
}

export function post(
  instance: Instance,
  name: string,
  body: unknown,
  headers: Record<string, string> = JSON_TYPE,
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${instance.url}/auth/${name}`, { method: 'POST', headers, body: text });
}

export async function tokensOf(answer: Response): Promise<Tokens> {
  return (await answer.json()) as Tokens;
}

export function bearer(token: string) {
  return { Authorization: `Bearer ${token}` };
}

/** The statuses of as many requests as reach every worker. */
export async function everywhere({ url }: Instance, token: string): Promise<Record<string, number>> {
  const samples: Sample[] = [];
  for (let nth = 0; nth < 20; nth++) samples.push(await ask(url, { headers: bearer(token) }));
  return tally(samples.map(({ status }) => status));
}
