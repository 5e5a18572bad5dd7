import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { startInstance } from '#test/support/process.ts';
import { startUpstreams } from '#test/support/upstream.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** What stands between fences of one language, in order. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, text = '']) => text,
  );
}

type Sections = Record<string, Record<string, unknown>>;

/** The example as far as it has grown: what a later block says of a section replaces or joins what was there. */
function grown(steps: number): Sections {
  const config: Sections = {};
  for (const text of blocks('yaml').slice(0, steps)) {
    for (const [section, keys] of Object.entries(parse(text) as Sections)) {
      config[section] = { ...config[section], ...keys };
    }
  }
  return config;
}

describe('the example in the README', () => {
  it('serves at every step of its growth, and answers as it says in the end', async (t) => {
    const upstreams = await startUpstreams(t, ['red', 'blue', 'green']);
    const steps = blocks('yaml').length;
    assert.equal(steps, 5);
    const [, token = ''] = /Bearer (\S+)'/.exec(blocks('console')[0] ?? '') ?? [];
    for (let step = 1; step <= steps; step++) {
      const { server: _, load_balancing: balancing, ...others } = grown(step);
      const listed = ((balancing?.['upstreams'] ?? []) as { name: string }[]).map((upstream) => ({
        ...upstream,
        port: upstreams.find(({ name }) => name === upstream.name)?.port,
      }));
      const instance = await startInstance(t, [], {
        ...others,
        load_balancing: { ...balancing, upstreams: listed },
      });
      const anonymous = await fetch(instance.url);
      const known = await fetch(instance.url, { headers: { Authorization: `Bearer ${token}` } });
      assert.equal(anonymous.status, others['middleware'] === undefined ? 200 : 401);
      assert.equal(known.status, 200);
      if (step < steps) continue;
      const shown = (blocks('console')[0] ?? '').matchAll(/^(X-[\w-]+|Via): /gm);
      for (const [, name = ''] of shown) assert.ok(known.headers.has(name), name);
      assert.equal(known.headers.get('x-rate-limit-limit'), '100');
    }
  });
});
