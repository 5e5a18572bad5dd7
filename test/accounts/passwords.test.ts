import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import argon2 from 'argon2';
import { argon2id, type Hasher, Passwords } from '#accounts/passwords.ts';

describe('passwords', () => {
  it('[1] are hashed by argon2id with 19 MiB, two passes and one lane, and a salt of their own', async () => {
    const passwords = new Passwords(2);
    const [one, other] = [await passwords.hash('Secret12'), await passwords.hash('Secret12')];
    assert.match(one ?? '', /^\$argon2id\$v=19\$m=19456,p=1,t=2\$/);
    assert.notEqual(one, other);
    assert.equal(await passwords.verify(one, 'Secret12'), true);
    assert.equal(await passwords.verify(one, 'secret12'), false);
    assert.equal(passwords.isOutdated(one ?? ''), false);
  });

  it('[1] whose hash was made with less are known to be', async () => {
    const weak = await argon2.hash('Secret12', { memoryCost: 8192, timeCost: 2, parallelism: 1 });
    assert.equal(argon2id.isOutdated(weak), true);
  });

  it('[6] [42] of nobody cost as much, and are never right', async () => {
    const asked: string[] = [];
    const hasher: Hasher = {
      ...argon2id,
      verify: async (hash) => {
        asked.push(hash);
        return true;
      },
    };
    assert.equal(await new Passwords(2, hasher).verify(null, 'Secret12'), false);
    assert.match(asked[0] ?? '', /^\$argon2id\$v=19\$m=19456,p=1,t=2\$/);
    assert.equal(await argon2id.verify(asked[0] ?? '', 'Secret12'), false);
  });

  it('[5] are hashed a few at a time; a few wait, and there is no room for more', async () => {
    let running = 0;
    let most = 0;
    const ends: (() => void)[] = [];
    const hasher: Hasher = {
      ...argon2id,
      hash: async () => {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => ends.push(resolve));
        running--;
        return 'hash';
      },
    };
    const passwords = new Passwords(64, hasher);
    const begun = Array.from({ length: 100 }, () => passwords.hash('Secret12'));
    const accepted = begun.filter((one) => one !== null);
    assert.equal(accepted.length, 18);
    let isOver = false;
    const all = Promise.all(accepted).then(() => {
      isOver = true;
    });
    while (!isOver) {
      ends.shift()?.();
      await Promise.resolve();
    }
    await all;
    assert.equal(most, 2);
  });
});
