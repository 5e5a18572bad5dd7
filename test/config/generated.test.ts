import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { renderJsonSchema } from '#config/json-schema.ts';
import { loadConfig } from '#config/load.ts';
import { renderReference } from '#config/reference.ts';
import { createAuthority } from '#test/support/certificates.ts';
import { writeBeside } from './support.ts';

const root = `${import.meta.dirname}/../..`;

function expectFresh(file: string, rendered: string): void {
  const isFresh = readFileSync(`${root}/${file}`, 'utf8') === rendered;
  assert.ok(isFresh, `${file} is stale: run \`npm run generate\` and commit what it writes`);
}

describe('what is generated from the schema', () => {
  it('is up to date for editors', () => expectFresh('config/schema.json', renderJsonSchema()));
  it('is up to date for readers', () => expectFresh('docs/configuration.md', renderReference()));

  it('has a meaning for every key', () => {
    assert.doesNotMatch(renderReference(), /\|\s*\|$/m);
  });
});

describe('config/proxy.yaml', () => {
  const sample = `${root}/config/proxy.yaml`;

  it('loads without a remark', () => {
    const { table, warnings } = loadConfig(sample, {});
    assert.deepEqual(warnings, []);
    assert.deepEqual(
      table.pools['default']?.upstreams.map(({ port }) => port),
      [3000, 3001, 3002],
    );
  });

  it('loads with all that it shows in comments', (t) => {
    const authority = createAuthority(t);
    const { cert, key } = authority.issue('DNS:one.example');
    writeBeside('server.pem', cert);
    writeBeside('server.key', key);
    writeBeside('clients-ca.pem', authority.pem);
    const text = readFileSync(sample, 'utf8').replaceAll(/^( *)#(?=[a-z-])/gm, '$1');
    const secrets = { SIGNALBOX_TOKEN: 'token', SIGNALBOX_ADMIN_TOKEN: '0123456789abcdef' };
    const accounts = { JWT_SECRET: randomBytes(32).toString('hex'), DATABASE_URL: 'postgres://localhost/a' };
    const env = { ...secrets, ...accounts, NATS_URL: 'nats://localhost' };
    const { table, warnings } = loadConfig(writeBeside('all.yaml', text), env);
    assert.deepEqual(warnings, []);
    assert.equal(table.routes.length, 2);
  });
});
