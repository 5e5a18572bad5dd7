import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { validate } from 'dockerfile-utils';
import { parse } from 'yaml';
import { loadConfig } from '#config/load.ts';
import { ROOT } from '#test/support/process.ts';

type Service = {
  readonly image: string;
  readonly build?: string;
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, unknown>>;
};

const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
const compose = parse(text, { merge: true });
const services = Object.entries(compose.services as Record<string, Service>);
const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');

/** What `.env` and each instance's own variables come to. */
const SECRETS = {
  POSTGRES_PASSWORD: 'p',
  SIGNALBOX_ADMIN_TOKEN: 'x'.repeat(32),
  SIGNALBOX_SECRET: 'abcdefgh'.repeat(8),
};

function expanded(environment: Readonly<Record<string, string>> = {}): Record<string, string> {
  const values: Record<string, string> = SECRETS;
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      String(value).replaceAll(/\$\{(\w+):\?[^}]*\}/g, (_, variable) => values[variable] ?? ''),
    ]),
  );
}

describe('docker-compose.yml', () => {
  for (const [name, service] of services) {
    it(`pins the image of ${name}`, () => {
      assert.match(service.image, service.build === undefined ? /:v?\d+\.\d+(\.\d+)?[\w.-]*$/ : /:local$/);
    });

    it(`knows whether ${name} is well`, () => {
      assert.ok(service.healthcheck !== undefined || service.build !== undefined);
    });

    it(`lets nobody but this machine reach ${name}`, () => {
      for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/);
    });

    it(`mounts for ${name} what is there`, () => {
      for (const volume of service.volumes ?? []) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('./')) assert.ok(existsSync(join(ROOT, source)), `${source} is missing`);
        else assert.ok(source in compose.volumes, `the volume ${source} is not declared`);
      }
      for (const other of Object.keys(service.depends_on ?? {})) assert.ok(other in compose.services);
    });
  }

  it('is what docker compose takes', (t) => {
    const compose = (...args: string[]) =>
      spawnSync('docker', ['compose', ...args], {
        cwd: ROOT,
        encoding: 'utf8',
        env: { ...process.env, ...SECRETS, GRAFANA_PASSWORD: 'g' },
      });
    if (compose('version').status !== 0) return t.skip('docker compose is not installed');
    const { status, stderr } = compose('config', '--quiet');
    assert.equal(status, 0, stderr);
  });

  it('holds no secret', () => {
    for (const [, { environment }] of services) {
      for (const [name, value] of Object.entries(environment ?? {})) {
        if (/PASSWORD|TOKEN|SECRET/.test(name)) assert.match(value, /^\$\{\w+:\?[^}]*\}$/, name);
        assert.doesNotMatch(String(value), /:\/\/[^:]+:(?!\$\{)[^@]+@/, `${name} has a password`);
      }
    }
  });

  it('starts three instances that can use their configuration', () => {
    const instances = services.filter(([, { build }]) => build !== undefined);
    assert.equal(instances.length, 3);
    const ids = instances.map(([, { environment }]) => {
      const env = expanded(environment);
      const { settings, table, warnings } = loadConfig(join(ROOT, 'deploy/compose/proxy.yaml'), env);
      assert.deepEqual(warnings, []);
      assert.equal(settings.traces?.url, 'http://collector:4318/v1/traces');
      assert.equal(settings.database.kind, 'postgres');
      for (const { address } of table.pools['default']?.upstreams ?? [])
        assert.ok(address in compose.services);
      return settings.instance.id;
    });
    assert.deepEqual(ids, ['one', 'two', 'three']);
  });

  it('lets Prometheus ask exactly those', () => {
    const { scrape_configs } = parse(readFileSync(join(ROOT, 'otel/prometheus.yml'), 'utf8'));
    const [{ static_configs }] = scrape_configs;
    assert.deepEqual(
      static_configs[0].targets,
      services.filter(([, { build }]) => build !== undefined).map(([name]) => `${name}:9901`),
    );
  });
});

describe('the Dockerfile', () => {
  it('is one, in the eyes of a linter', () => {
    assert.deepEqual(validate(dockerfile), []);
    assert.notDeepEqual(validate(dockerfile.replace('EXPOSE 8080', 'EXPOSE http')), []);
  });

  it('copies what is there, and .dockerignore lets it', () => {
    const ignore = readFileSync(join(ROOT, '.dockerignore'), 'utf8');
    for (const [, paths = ''] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
      for (const path of paths.split(' ')) {
        assert.ok(existsSync(join(ROOT, path)), `${path} is missing`);
        assert.match(ignore, new RegExp(`^!${path}$`, 'm'));
      }
    }
  });

  it('copies all that the program reads', () => {
    const imported = [...readFileSync(join(ROOT, 'package.json'), 'utf8').matchAll(/"\.\/(\w+)\//g)];
    for (const [, folder = ''] of imported.filter(([, folder]) => folder !== 'test')) {
      assert.match(dockerfile, new RegExp(`^COPY ${folder} `, 'm'));
    }
  });

  it('does not run as root, and says whether it is well', () => {
    assert.match(dockerfile, /^USER [1-9]\d*:[1-9]\d*$/m);
    assert.match(dockerfile, /^HEALTHCHECK .*[\s\S]*\/readyz/m);
    assert.match(dockerfile, /^ARG NODE_IMAGE=node:\d+\.\d+\.\d+-/m);
  });
});
