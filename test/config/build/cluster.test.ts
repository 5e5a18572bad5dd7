import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { Environment } from '#config/env.ts';
import { load, UPSTREAMS, writeBeside } from '../support.ts';

const settingsOf = (text: string, env: Environment = {}) => load(UPSTREAMS + text, env).settings;
const idOf = (text: string, env: Environment = {}) => settingsOf(text, env).instance.id;

describe('the id of an instance', () => {
  it('differs from that of another one on the same machine', () => {
    // Both were called by the name of the machine, and each took the heartbeats of the other for its own.
    const [one, other] = [idOf(''), idOf('')];
    assert.notEqual(one, other);
    for (const id of [one, other]) {
      assert.match(id, /^[A-Za-z0-9][\w-]{0,56}-[0-9a-f]{6}$/);
      assert.ok(id.startsWith(hostname().slice(0, 3)), id);
    }
  });

  it('is what the configuration says, or else the environment', () => {
    const env = { SIGNALBOX_INSTANCE_ID: 'from-env', POD: 'box_7' };
    assert.equal(idOf('', env), 'from-env');
    assert.equal(idOf(`cluster: {instance_id: "\${POD}"}\n`, env), 'box_7');
    assert.notEqual(idOf('', { SIGNALBOX_INSTANCE_ID: '' }), '');
  });
});

describe('the bus', () => {
  it('is within the process where no server is named', () => {
    for (const env of [{}, { NATS_URL: '' }])
      assert.equal(settingsOf('cluster: {name: north}\n', env).bus, null);
  });

  it('is that of NATS_URL', () => {
    const settings = settingsOf('', { NATS_URL: 'nats://ann:pw@one:4333,two', SIGNALBOX_INSTANCE_ID: 'a' });
    assert.deepEqual(settings.bus, {
      servers: [
        { host: 'one', port: 4333 },
        { host: 'two', port: 4222 },
      ],
      prefix: 'signalbox.default',
      clientName: 'signalbox a',
      auth: { kind: 'password', user: 'ann', password: 'pw' },
      tls: null,
    });
  });

  it('is rather that of the configuration, with a prefix of the cluster', () => {
    const { bus, instance } = settingsOf('cluster: {name: north, nats: {url: "tls://token@one"}}\n', {
      NATS_URL: 'nats://two',
    });
    assert.equal(instance.cluster, 'north');
    assert.deepEqual(bus?.servers, [{ host: 'one', port: 4222 }]);
    assert.equal(bus.prefix, 'signalbox.north');
    assert.deepEqual(bus.auth, { kind: 'token', token: 'token' });
    assert.deepEqual(bus.tls, { caFile: null, certFile: null, keyFile: null });
  });

  it('has a login and files of its own, and any prefix', () => {
    const env = { NATS_URL: 'nats://ann:pw@one' };
    const auth = (nats: string) => settingsOf(`cluster: {nats: {${nats}}}\n`, env).bus?.auth;
    assert.deepEqual(auth('user: bob, password: x'), { kind: 'password', user: 'bob', password: 'x' });
    assert.deepEqual(auth('token: t'), { kind: 'token', token: 't' });
    const creds = writeBeside('bob.creds', 'creds');
    assert.deepEqual(auth('credentials_file: bob.creds'), { kind: 'creds', file: creds });

    for (const name of ['cert.pem', 'key.pem']) writeBeside(name, 'pem');
    const { bus } = settingsOf(
      'cluster: {nats: {tls: {cert_file: cert.pem, key_file: key.pem}, prefix: a.b-c}}\n',
      env,
    );
    const folder = dirname(creds);
    assert.deepEqual(bus?.tls, {
      caFile: null,
      certFile: join(folder, 'cert.pem'),
      keyFile: join(folder, 'key.pem'),
    });
    assert.equal(bus.prefix, 'a.b-c');
  });
});
