import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clusterRoutes } from '#admin/cluster.ts';
import type { MemberView } from '#core/cluster-view.ts';
import { serveAdmin } from './listener.ts';

const OTHER: MemberView = {
  id: 'a',
  version: '0.0.9',
  revision: 6,
  checksum: '00',
  watchAgeMs: null,
  lastSeenMs: 12.3,
  lagMs: 400.2,
};

describe('the view of the cluster', () => {
  const report = { revision: 7, checksum: 'ff', watchAgeMs: 950 };
  const membership = { others: () => [OTHER] };
  const config = {
    report: {
      file: 'proxy.yaml',
      checksum: 'abcd',
      sinceMs: 5,
      isLastRefused: true,
      applied: 2,
      refused: 1,
    },
  };

  it('has every instance, itself included, with what it serves', async (t) => {
    const link = { state: 'synced' };
    const { ask } = await serveAdmin(
      t,
      clusterRoutes({ instance: 'b', version: '0.1.0', link, registry: { report }, membership, config }),
    );
    assert.deepEqual(JSON.parse((await ask('/api/cluster')).body), {
      instance: 'b',
      bus: 'synced',
      revision: 7,
      checksum: 'ff',
      config: { file: 'proxy.yaml', checksum: 'abcd', since_ms: 5, last_reload_refused: true },
      instances: [
        {
          id: 'a',
          revision: 6,
          checksum: '00',
          lag_ms: 400,
          last_seen_ms: 12,
          version: '0.0.9',
          watch_age_ms: null,
        },
        {
          id: 'b',
          revision: 7,
          checksum: 'ff',
          lag_ms: 0,
          last_seen_ms: 0,
          version: '0.1.0',
          watch_age_ms: 950,
        },
      ],
    });
  });

  for (const [state, said, lag] of [
    [null, 'none', 0],
    ['connecting', 'isolated', 950],
    ['isolated', 'isolated', 950],
    ['resyncing', 'isolated', 950],
  ] as const) {
    it(`says ${said} of the bus when it is ${state ?? 'not there'}`, async (t) => {
      const link = state === null ? null : { state };
      const { ask } = await serveAdmin(
        t,
        clusterRoutes({ instance: 'b', version: '0.1.0', link, registry: { report }, membership, config }),
      );
      const view = JSON.parse((await ask('/api/cluster')).body);
      assert.deepEqual([view.bus, view.instances[1].lag_ms], [said, lag]);
    });
  }
});
