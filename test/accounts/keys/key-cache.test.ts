import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { KeyCache, READ_AGAIN_MS } from '#accounts/keys/key-cache.ts';
import type { VerificationKey } from '#core/jwt/keyring.ts';
import { keptLog } from '#test/support/log.ts';
import { verificationKey } from '#test/support/tokens.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const EVERY_MS = 300_000;
const [A, B] = [verificationKey('EdDSA'), verificationKey('ES256')];

function cached(t: TestContext) {
  const clock = new VirtualClock();
  const { log, lines } = keptLog();
  const source = { keys: [A] as readonly VerificationKey[], problem: null as Error | null, reads: 0 };
  const count = { changes: 0 };
  const end = new AbortController();
  t.after(() => end.abort());
  const cache = new KeyCache(
    {
      issuer: 'https://login.example.com',
      everyMs: EVERY_MS,
      read: async () => {
        source.reads++;
        if (source.problem !== null) throw source.problem;
        return source.keys;
      },
    },
    () => count.changes++,
    end.signal,
    clock,
    log,
  );
  return { clock, lines, source, count, cache, end };
}

describe('the keys of an issuer', () => {
  it('[35] are kept, and told of when they change', async (t) => {
    const { source, count, cache } = cached(t);
    await cache.read();
    assert.deepEqual(cache.keys, [A]);
    await cache.read();
    assert.equal(count.changes, 1);
    source.keys = [A, B];
    await cache.read();
    assert.deepEqual(cache.keys, [A, B]);
    assert.equal(count.changes, 2);
  });

  it('[35] are looked for when a key is unknown, at most every 30 seconds', async (t) => {
    const { clock, source, cache } = cached(t);
    await cache.look();
    for (let unknown = 0; unknown < 100; unknown++) await cache.look();
    assert.equal(source.reads, 1);
    clock.advance(READ_AGAIN_MS - 1);
    await cache.look();
    assert.equal(source.reads, 1);
    clock.advance(1);
    await cache.look();
    assert.equal(source.reads, 2);
    assert.equal(READ_AGAIN_MS, 30_000);
  });

  it('[35] are looked for once, whoever asks meanwhile, and all get to know', async (t) => {
    const { source, cache } = cached(t);
    await Promise.all([cache.look(), cache.look(), cache.read(), cache.look()]);
    assert.equal(source.reads, 1);
    assert.deepEqual(cache.keys, [A]);
  });

  it('[35] serve on when they cannot be read, which is logged once', async (t) => {
    const { source, count, lines, cache } = cached(t);
    await cache.read();
    source.problem = new Error('connect ECONNREFUSED');
    for (let read = 0; read < 3; read++) await cache.read();
    assert.deepEqual(cache.keys, [A]);
    assert.equal(count.changes, 1);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /"level":40.*login\.example\.com.*ECONNREFUSED/);
    source.problem = null;
    await cache.read();
    assert.match(lines[1] ?? '', /can be read again/);
  });

  it('[35] are read from time to time, and sooner after a failure', async (t) => {
    const { clock, source, cache } = cached(t);
    await cache.read();
    void cache.keepFresh();
    await clock.advanceAsync(EVERY_MS - 1);
    assert.equal(source.reads, 1);
    source.problem = new Error('down');
    await clock.advanceAsync(1);
    assert.equal(source.reads, 2);
    await clock.advanceAsync(READ_AGAIN_MS);
    assert.equal(source.reads, 3);
    source.problem = null;
    await clock.advanceAsync(READ_AGAIN_MS);
    await clock.advanceAsync(READ_AGAIN_MS);
    assert.equal(source.reads, 4);
  });

  it('are not read any more at the end', async (t) => {
    const { clock, source, cache, end } = cached(t);
    const fresh = cache.keepFresh();
    end.abort();
    await fresh;
    assert.equal(source.reads, 0);
    assert.equal(clock.timers, 0);
  });

  it('[46] cannot forge lines of the log with what their issuer says', async (t) => {
    const { source, lines, cache } = cached(t);
    source.problem = new Error('no\r\n{"level":30,"msg":"all is well"}\n');
    await cache.read();
    assert.equal(lines.length, 1);
    assert.equal((lines[0] ?? '').trimEnd().split(/[\r\n]/).length, 1);
  });
});
