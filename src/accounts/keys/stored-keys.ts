import { createPublicKey, type KeyObject, type webcrypto } from 'node:crypto';
import type { JWK } from 'jose';
import type { KeyStore, SigningKey } from '#accounts/store/contract.ts';
import type { Clock } from '#core/clock.ts';
import { SignalboxError } from '#core/errors.ts';
import type { VerificationKey } from '#core/jwt/keyring.ts';
import { makeSigningKey } from './new-key.ts';
import { isPlain, readPrivatePart } from './private-part.ts';
import { liveKeys, PUBLISHED_BEFORE_MS, retirementMs, signingKey, stateOf } from './schedule.ts';
import type { KeyView, Signer, SigningKeys } from './signing-keys.ts';

export type StoredKeysOptions = {
  readonly store: KeyStore;
  /** Encrypts private parts; null: they are kept as they are. */
  readonly secret: KeyObject | null;
  readonly accessTokenSeconds: number;
  readonly clock: Clock;
};

/**
 * EdDSA keys in the database, which all instances share. They form a chain, each but the first replacing
 * another, so that of instances that start or rotate at once one makes the next key, and the others take it.
 */
export class StoredKeys implements SigningKeys {
  readonly #options: StoredKeysOptions;
  #keys: readonly SigningKey[] = [];
  /** The key that signs, decrypted. */
  #signer: Signer | null = null;

  constructor(options: StoredKeysOptions) {
    this.#options = options;
  }

  async read(): Promise<readonly VerificationKey[]> {
    const { store, clock } = this.#options;
    const nowMs = clock.wallMs();
    let keys = await store.list();
    if (keys.length === 0) {
      await this.#add(null, nowMs, nowMs);
      keys = await store.list();
    }
    this.#keys = await this.#retireReplaced(keys);
    return liveKeys(this.#keys, nowMs).map(verificationKey);
  }

  signer(): Signer {
    const key = signingKey(this.#keys, this.#options.clock.wallMs());
    if (key === undefined) throw new Error('a token was to be signed before the keys were read');
    if (this.#signer?.kid !== key.kid) {
      const { kid, privatePart } = key;
      this.#signer = { alg: 'EdDSA', kid, key: readPrivatePart(privatePart, kid, this.#options.secret) };
    }
    return this.#signer;
  }

  published(): readonly JWK[] {
    return liveKeys(this.#keys, this.#options.clock.wallMs()).map(({ kid, publicJwk }) => {
      const { kty, crv, x } = JSON.parse(publicJwk) as JWK;
      return { kty, crv, x, kid, alg: 'EdDSA', use: 'sig' } as JWK;
    });
  }

  list(): readonly KeyView[] {
    const nowMs = this.#options.clock.wallMs();
    return liveKeys(this.#keys, nowMs).map((key) => ({
      kid: key.kid,
      algorithm: 'EdDSA',
      state: stateOf(key, this.#keys, nowMs),
      isEncrypted: !isPlain(key.privatePart),
      createdAtMs: key.createdAtMs,
      activatesAtMs: key.activatesAtMs,
      retiresAtMs: key.retiresAtMs,
    }));
  }

  async rotate(): Promise<void> {
    await this.read();
    const nowMs = this.#options.clock.wallMs();
    const last = this.#keys.at(-1);
    if (last === undefined) throw rotating('the first key is being made');
    if (last.activatesAtMs > nowMs) {
      const seconds = Math.ceil((last.activatesAtMs - nowMs) / 1000);
      throw rotating(`the next key, ${last.kid}, is published, and signs in ${seconds} seconds`);
    }
    const isAdded = await this.#add(last.kid, nowMs, nowMs + PUBLISHED_BEFORE_MS);
    if (!isAdded) throw rotating('another instance has just made the next key');
    await this.read();
  }

  async #add(replaces: string | null, createdAtMs: number, activatesAtMs: number): Promise<boolean> {
    const { store, secret } = this.#options;
    return store.add(await makeSigningKey({ replaces, createdAtMs, activatesAtMs }, secret));
  }

  /** Says when each key ends that another one replaces, unless whoever made that one has said so already. */
  async #retireReplaced(keys: readonly SigningKey[]): Promise<readonly SigningKey[]> {
    const { store, accessTokenSeconds } = this.#options;
    const told: SigningKey[] = [];
    for (const key of keys) {
      const next = keys.find(({ replaces }) => replaces === key.kid);
      if (next === undefined || key.retiresAtMs !== null) told.push(key);
      else {
        const retiresAtMs = retirementMs(next, accessTokenSeconds);
        await store.retire(key.kid, retiresAtMs);
        told.push({ ...key, retiresAtMs });
      }
    }
    return told;
  }
}

function verificationKey({ kid, publicJwk }: SigningKey): VerificationKey {
  const key = createPublicKey({ key: JSON.parse(publicJwk) as webcrypto.JsonWebKey, format: 'jwk' });
  return { kid, alg: 'EdDSA', key };
}

function rotating(why: string): SignalboxError {
  return new SignalboxError('rotation_under_way', 'operator', `the keys are being rotated: ${why}`);
}
