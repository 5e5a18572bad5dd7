import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { exportJWK } from 'jose';
import type { KeyStore } from '#accounts/store/contract.ts';
import { openStore } from '#accounts/store/open.ts';
import type { JwtSettings } from '#core/account-settings.ts';
import type { Clock } from '#core/clock.ts';
import { KEYS } from '#test/support/tokens.ts';

export function jwtSettings(changes: Partial<JwtSettings> = {}): JwtSettings {
  return {
    issuer: 'signalbox',
    audience: 'signalbox',
    secret: null,
    keySecret: null,
    accessTokenSeconds: 900,
    refreshTokenSeconds: 604_800,
    sessionSeconds: 2_592_000,
    refreshGraceSeconds: 10,
    leewaySeconds: 30,
    issuers: [],
    ...changes,
  };
}

/** Opens a database that no test has used; those who open it again share it. */
export async function newKeyStore(t: TestContext, clock: Clock): Promise<KeyStore> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-keys-'));
  const store = await openStore({ kind: 'sqlite', file: join(folder, 'accounts.db') }, clock);
  t.after(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  return store.keys;
}

/** A real endpoint that publishes keys, and can be told to answer otherwise. */
export class KeyServer {
  readonly uri: string;
  /** How often it was asked. */
  requests = 0;
  answer: RequestListener;

  private constructor(uri: string, answer: RequestListener) {
    this.uri = uri;
    this.answer = answer;
  }

  static async start(t: TestContext, answer: RequestListener): Promise<KeyServer> {
    const server = createServer((request, response) => {
      keyServer.requests++;
      keyServer.answer(request, response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the system gave no port');
    const keyServer = new KeyServer(`http://127.0.0.1:${address.port}/keys`, answer);
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    return keyServer;
  }
}

/** Answers with these keys. */
export function publishing(keys: readonly unknown[]): RequestListener {
  return (_, response) => {
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys }));
  };
}

/** A sample key as issuers publish it. */
export async function publicJwk(alg: keyof typeof KEYS, kid: string = alg) {
  return { ...(await exportJWK(KEYS[alg].publicKey)), kid, use: 'sig' };
}
