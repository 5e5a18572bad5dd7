import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { probeRoutes } from '#admin/routes.ts';
import { serveAdmin } from './listener.ts';

describe('probes', () => {
  it('say that the process lives, and whether it is ready', async (t) => {
    let isReady = false;
    const { ask } = await serveAdmin(
      t,
      probeRoutes(() => isReady),
    );
    assert.equal((await ask('/livez')).status, 200);
    assert.equal((await ask('/readyz')).status, 503);
    isReady = true;
    assert.equal((await ask('/readyz')).status, 200);
  });
});
