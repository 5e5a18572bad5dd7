import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { type Instance, runCommand, startInstance, until, writeConfig } from '#test/support/process.ts';
import { NOW, OTHER, otherTokenOf } from '#test/support/tokens.ts';
import { startUpstream } from '#test/support/upstream.ts';
import { KeyServer, publicJwk, publishing } from '../accounts/support.ts';

/** The sample tokens are of another day. */
const TODAY = Math.floor(Date.now() / 1000) - NOW;
const HOUR = { exp: NOW + TODAY + 3600 };

type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string };

/** One request whose headers are sent as they are given: name, value, name, value … */
function send(url: string, headers: readonly string[] = [], method = 'GET'): Promise<Answer> {
  const { host } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers: ['Host', host, ...headers] }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

const bearer = (token: string) => ['Authorization', `Bearer ${token}`];

/** An instance that accepts tokens of another issuer, before an upstream that shows what it was sent. */
async function scene(t: TestContext, config: object = {}, env: Record<string, string> = {}) {
  const issuer = await KeyServer.start(t, publishing([await publicJwk('ES256')]));
  const upstream = await startUpstream(t, 'red', (incoming, response) => {
    response.end(JSON.stringify(incoming.rawHeaders));
  });
  const jwt = { issuers: [{ issuer: OTHER.issuer, audience: OTHER.audience, jwks_uri: issuer.uri }] };
  const instance = await startInstance(
    t,
    [upstream],
    { server: { workers: 2 }, middleware: { auth: { auth_type: 'jwt' } }, jwt, ...config },
    null,
    env,
  );
  return { issuer, upstream, instance };
}

function keysOf(instance: Instance, action: 'list' | 'rotate') {
  return runCommand(['keys', action, '--admin', instance.admin]);
}

describe('a token', () => {
  it('[38] [45] tells the upstream who the client is, and stays here itself', async (t) => {
    const { instance } = await scene(t);
    const token = otherTokenOf({ claims: { ...HOUR, sub: 'ann', email: 'ann@example.com' } });
    const forged = ['X-User-ID', 'root', 'x_user_id', 'root', 'X-User-Email', 'root@example.com'];
    const { status, body } = await send(instance.url, [...forged, ...bearer(token), 'X-User_Issuer', 'me']);
    assert.equal(status, 200);
    const sent = JSON.parse(body) as string[];
    const told = sent.flatMap((name, at) => (/^x.user/i.test(name) ? [`${name}: ${sent[at + 1]}`] : []));
    assert.deepEqual(told, [
      'X-User-ID: ann',
      'X-User-Email: ann@example.com',
      `X-User-Issuer: ${OTHER.issuer}`,
    ]);
    assert.ok(!body.includes(token));
  });

  it('[38] is not needed on other routes, where clients cannot say who they are either', async (t) => {
    const routes = [{ path_prefix: '/open', auth: false }, {}];
    const { instance } = await scene(t, { routes });
    const { status, body } = await send(`${instance.url}/open`, ['X-User-ID', 'root', 'X_USER_ID', 'root']);
    assert.equal(status, 200);
    assert.doesNotMatch(body, /root/);
    assert.equal((await send(instance.url)).status, 401);
  });

  it('[19] that is forged, expired or nonsense is refused with the same answer', async (t) => {
    const { instance, upstream } = await scene(t);
    const expired = otherTokenOf({ claims: { exp: NOW + TODAY - 3600 } });
    const forged = otherTokenOf({ alg: 'RS256', header: { alg: 'ES256', kid: 'ES256' }, claims: HOUR });
    const answers = await Promise.all(
      [expired, forged, 'nonsense', 'a.b.c', 'x'.repeat(8193)].map((token) =>
        send(instance.url, bearer(token)),
      ),
    );
    const texts = answers.map(({ status, headers, body }) => {
      const { request_id, ...problem } = JSON.parse(body) as Record<string, unknown>;
      assert.equal(typeof request_id, 'string');
      return JSON.stringify([status, headers['www-authenticate'], headers['content-length'], problem]);
    });
    assert.equal(new Set(texts).size, 1);
    assert.match(texts[0] ?? '', /^\[401,"Bearer realm=\\"signalbox\\", error=\\"invalid_token\\""/);
    assert.equal(upstream.requests, 0);
  });

  it('[20] is asked for with a bare challenge, and is nowhere but in one Authorization header', async (t) => {
    const { instance } = await scene(t);
    const token = otherTokenOf({ claims: HOUR });
    const missing = await send(`${instance.url}/?access_token=${token}`);
    assert.equal(missing.status, 401);
    assert.equal(missing.headers['www-authenticate'], 'Bearer realm="signalbox"');
    assert.equal((await send(instance.url, ['Cookie', `access_token=${token}`])).status, 401);
    assert.equal((await send(instance.url, [...bearer(token), ...bearer(token)])).status, 400);
    assert.equal((await send(instance.url, ['authorization', `bEARER ${token}`])).status, 200);
  });

  it('[18] that is longer than a head may be is refused before it is looked at', async (t) => {
    const { instance } = await scene(t);
    assert.equal((await send(instance.url, bearer('x'.repeat(20_000)))).status, 431);
  });

  it('[35] is accepted by every worker, and while its issuer is down', async (t) => {
    const { issuer, instance } = await scene(t, { server: { workers: 4 } });
    assert.equal((await send(instance.url, bearer(otherTokenOf({ claims: HOUR })))).status, 200);
    assert.equal(issuer.requests, 1);
    issuer.answer = (incoming) => incoming.destroy();
    for (let request = 0; request < 16; request++) {
      const token = otherTokenOf({ claims: { ...HOUR, jti: `${request}` } });
      assert.equal((await send(instance.url, bearer(token))).status, 200);
    }
  });

  it('[35] with made-up key names is refused, and its issuer is left alone', async (t) => {
    const { issuer, instance } = await scene(t);
    await until('the keys are there', () => issuer.requests === 1);
    const made = Array.from({ length: 50 }, (_, kid) =>
      otherTokenOf({ header: { kid: `made up ${kid}` }, claims: HOUR }),
    );
    const answers = await Promise.all(made.map((token) => send(instance.url, bearer(token))));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([401]));
    assert.equal(issuer.requests, 1);
  });
});

describe('the keys of an instance', () => {
  it('[33] are published, rotated and listed', async (t) => {
    const { instance } = await scene(t);
    const page = `${instance.url}/.well-known/jwks.json`;
    const { status, headers, body } = await send(page);
    assert.equal(status, 200);
    assert.equal(headers['cache-control'], 'public, max-age=300');
    assert.equal(headers['content-type'], 'application/jwk-set+json');
    const head = await send(page, [], 'HEAD');
    assert.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', `${body.length}`]);

    const listed = await keysOf(instance, 'list');
    assert.equal(listed.code, 0);
    assert.match(
      listed.stdout,
      /^kid +algorithm +state +encrypted +signs +ends\n\S{43} {2}EdDSA +signing +no/,
    );
    const rotated = await keysOf(instance, 'rotate');
    assert.match(rotated.stdout, /EdDSA +published +no +in 10 min\n$/);
    const again = await keysOf(instance, 'rotate');
    assert.equal(again.code, 69);
    assert.match(again.stderr, /^signalbox: the keys are being rotated: the next key, \S{43}, is published/);

    let keys: Record<string, string>[] = [];
    // Workers keep the page for a second.
    await until('the next key is published', async () => {
      ({ keys } = JSON.parse((await send(page)).body) as { keys: Record<string, string>[] });
      return keys.length === 2;
    });
    for (const key of keys) {
      assert.deepEqual(Object.keys(key).toSorted(), ['alg', 'crv', 'kid', 'kty', 'use', 'x']);
    }
  });

  it('[32] are encrypted when there is a secret, and the log has neither', async (t) => {
    const secret = randomBytes(32).toString('hex');
    const { instance } = await scene(t, {}, { SIGNALBOX_SECRET: secret });
    assert.match((await keysOf(instance, 'list')).stdout, /EdDSA +signing +yes/);
    await send(instance.url, bearer(otherTokenOf({ claims: HOUR })));
    assert.equal(await instance.stop(), 0);
    assert.ok(!instance.output.includes(secret));
    assert.doesNotMatch(instance.output, /not encrypted|eyJ/);
  });

  it('[34] are one secret with JWT_SECRET, which is neither published nor rotated', async (t) => {
    const secret = randomBytes(32).toString('hex');
    const { instance } = await scene(t, {}, { JWT_SECRET: secret });
    assert.equal((await send(`${instance.url}/.well-known/jwks.json`)).body, '{"keys":[]}\n');
    const rotated = await keysOf(instance, 'rotate');
    assert.equal(rotated.code, 69);
    assert.match(rotated.stderr, /put another one there \(jwt\.secret or JWT_SECRET\) and restart/);
    assert.ok(!instance.output.includes(secret));
  });

  it('[34] are not made of a secret that is short, or an example', async (t) => {
    const config = (secret: string) => ({
      load_balancing: { upstreams: [{ address: '127.0.0.1', port: 1 }] },
      middleware: { auth: { auth_type: 'jwt' } },
      jwt: { secret },
    });
    for (const secret of ['too-short', 'change-me-to-something-long-and-random-please']) {
      const { code, stderr } = await runCommand(['start', '--config', await writeConfig(t, config(secret))]);
      assert.equal(code, 78);
      assert.match(stderr, /jwt\.secret: found a text \(not shown\), expected at least 32 random bytes/);
      assert.ok(!stderr.includes(secret));
    }
  });

  it('are none where no route asks for tokens, which the command says', async (t) => {
    const upstream = await startUpstream(t, 'red');
    const instance = await startInstance(t, [upstream]);
    const { code, stderr } = await keysOf(instance, 'list');
    assert.equal(code, 69);
    assert.match(
      stderr,
      /^signalbox: this instance has no keys: no route of its configuration has auth_type jwt/,
    );
  });

  it('cannot be rotated by a page of another site', async (t) => {
    const { instance } = await scene(t);
    const rotate = `${instance.admin}/api/keys/rotate`;
    assert.equal((await send(rotate, ['Origin', 'https://evil.test'], 'POST')).status, 403);
    assert.equal((await send(rotate, ['Origin', 'null'], 'POST')).status, 403);
    assert.equal((await send(rotate, ['Origin', instance.admin], 'POST')).status, 201);
  });
});
