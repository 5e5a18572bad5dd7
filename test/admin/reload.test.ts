import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { reloadRoutes } from '#admin/reload.ts';
import { ConfigError } from '#config/diagnostics.ts';
import { RegistryError } from '#control/registry/errors.ts';
import type { Reloaded } from '#control/reloads.ts';
import { load, UPSTREAMS } from '../config/support.ts';
import { sampleRecord } from '../core/registry/sample.ts';
import { serveAdmin } from './listener.ts';

const tabled = () => Promise.resolve(true);
const POST = { method: 'POST' };

describe('POST /api/reload', () => {
  it('says what has changed, what takes a restart, and what there is to remark', async (t) => {
    const config = load(`${UPSTREAMS}redis: {}`);
    const [blue, red] = ['blue', 'red'].map((name) => sampleRecord({ name }));
    assert.ok(blue !== undefined && red !== undefined);
    const upstreams = { add: [blue], change: [], remove: [red] };
    const reloaded: Reloaded = { config, upstreams, awaitingRestart: ['server.workers'] };
    const reloads = { reload: () => Promise.resolve(reloaded) };
    const { ask } = await serveAdmin(t, reloadRoutes({ reloads, tabled }));
    const { status, body } = await ask('/api/reload', POST);
    assert.equal(status, 200);
    const { warnings, ...rest } = JSON.parse(body);
    assert.deepEqual(rest, {
      file: config.file,
      checksum: config.checksum,
      upstreams: { added: ['default/blue'], changed: [], removed: ['default/red'] },
      awaiting_restart: ['server.workers'],
    });
    assert.match(warnings[0], /proxy\.yaml:2:1: warning: redis/);
  });

  it('refuses with every mistake and its place', async (t) => {
    const diagnostic = { severity: 'error', file: 'a.yaml', path: 'server' } as const;
    const error = new ConfigError([
      { ...diagnostic, position: { line: 2, column: 3 }, message: 'one' },
      { ...diagnostic, position: null, path: '', message: 'two' },
    ]);
    const { ask } = await serveAdmin(
      t,
      reloadRoutes({ reloads: { reload: () => Promise.reject(error) }, tabled }),
    );
    const { status, headers, body } = await ask('/api/reload', POST);
    assert.deepEqual([status, headers['content-type']], [422, 'application/problem+json']);
    const { errors, error: text } = JSON.parse(body);
    assert.deepEqual(errors, [
      { file: 'a.yaml', line: 2, column: 3, path: 'server', detail: 'one' },
      { file: 'a.yaml', line: null, column: null, path: '', detail: 'two' },
    ]);
    assert.match(text, /served on:\na\.yaml: two\na\.yaml:2:3: server: one$/);
  });

  it('refuses for a while when the registry cannot be changed', async (t) => {
    const reload = () => Promise.reject(new RegistryError('registry_unavailable', 'cut off'));
    const { ask } = await serveAdmin(t, reloadRoutes({ reloads: { reload }, tabled }));
    const { status, headers, body } = await ask('/api/reload', POST);
    assert.deepEqual([status, headers['retry-after']], [503, '1']);
    assert.match(JSON.parse(body).detail, /was not changed: cut off/);
  });
});
