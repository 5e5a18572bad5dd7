import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLive, settingsAwaitingRestart } from '#config/live.ts';
import { load, UPSTREAMS } from './support.ts';

function awaiting(before: string, after: string): string[] {
  return settingsAwaitingRestart(load(UPSTREAMS + before).values, load(UPSTREAMS + after).values);
}

describe('a setting', () => {
  it('is live with all that is below it', () => {
    assert.deepEqual(['routes', 'routes[].auth', 'jwt.issuers[].audience'].map(isLive), [true, true, true]);
  });

  it('is not for a name that begins alike, or for what is beside it', () => {
    assert.deepEqual(['health_checks', 'jwt', 'jwt.issuer', 'log.access'].map(isLive), [
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('what takes a restart', () => {
  it('is named by the key that changed, in whatever form it is written', () => {
    assert.deepEqual(
      awaiting(
        'admin: {listen: "127.0.0.1:9901"}',
        'admin: {listen: "127.0.0.1:9902"}\nserver: {workers: 3}',
      ),
      ['server.workers', 'admin.listen'],
    );
    assert.deepEqual(awaiting('', 'server: {listen_port: 8080}'), []);
  });

  it('is a section that comes or goes', () => {
    assert.deepEqual(awaiting('', 'database: {url: "postgres://localhost/a"}'), ['database']);
    assert.deepEqual(awaiting('database: {url: "postgres://localhost/a"}', ''), ['database']);
  });

  it('is not what is live', () => {
    assert.deepEqual(awaiting('', 'server: {body_bytes_max: 1, head_ms: 5}'), ['server.head_ms']);
    assert.deepEqual(awaiting('', 'log: {level: debug}\ntimeouts: {connect_ms: 5}\nhealth: {body: "1"}'), []);
  });
});
