import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultPrefix, parseNatsUrl, SERVERS_MAX } from '#bus/settings.ts';

describe('NATS_URL', () => {
  it('names servers, one or several', () => {
    const { servers, auth, tls } = parseNatsUrl('nats://one:4333, two ,nats://[::1]:4444');
    assert.deepEqual(servers, [
      { host: 'one', port: 4333 },
      { host: 'two', port: 4222 },
      { host: '::1', port: 4444 },
    ]);
    assert.deepEqual([auth, tls], [{ kind: 'none' }, null]);
  });

  it('may hold credentials, and ask for encryption', () => {
    assert.deepEqual(parseNatsUrl('nats://ann:12%3A34@one').auth, {
      kind: 'password',
      user: 'ann',
      password: '12:34',
    });
    assert.deepEqual(parseNatsUrl('nats://one,a-token@two').auth, { kind: 'token', token: 'a-token' });
    assert.deepEqual(parseNatsUrl('tls://one').tls, { caFile: null, certFile: null, keyFile: null });
  });

  it('is refused when it is wrong, without saying what it holds', () => {
    const wrong = [
      '',
      'http://one',
      'nats://',
      'nats://s3cret@',
      'nats://ann:s3cret%@one',
      'nats://one:99999',
    ];
    const tooMany = Array.from({ length: SERVERS_MAX + 1 }, () => 's3cret@one').join(',');
    for (const text of [...wrong, tooMany]) {
      assert.throws(
        () => parseNatsUrl(text),
        (error: Error & { code: string }) =>
          error.code === 'bus_bad_settings' && !/s3cret/.test(error.message),
        text,
      );
    }
  });
});

describe('the default prefix', () => {
  it('is of the cluster', () => assert.equal(defaultPrefix('north'), 'signalbox.north'));
});
