import assert from 'node:assert/strict';
import type { AccountStore, NewSession } from '#accounts/store/contract.ts';
import { ABSOLUTE_MS, GRACE_MS, IDLE_MS, NOW, present } from '../fixture.ts';

export type Step =
  /** The newest token, or one that many before it. */
  | { readonly kind: 'present'; readonly age: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'revoke' | 'clean up' };

type Token = { readonly hash: string; readonly issuedAtMs: number };

/** A session's tokens as a list, of which only the last one is good: what rotation comes down to. */
export class FamilyModel {
  readonly #sessionId: string;
  readonly #tokens: Token[];
  #nowMs = NOW;
  #isRevoked = false;

  constructor({ id, token }: NewSession) {
    this.#sessionId = id;
    this.#tokens = [{ hash: token.hash, issuedAtMs: NOW }];
  }

  /** Does a step in the store as well, and fails if that says anything else. */
  async step(store: AccountStore, step: Step): Promise<void> {
    switch (step.kind) {
      case 'present':
        return this.#present(store, step.age);
      case 'wait':
        this.#nowMs += step.ms;
        return;
      case 'revoke':
        await store.sessions.revoke(this.#sessionId, 'logout', this.#nowMs);
        this.#isRevoked = true;
        return;
      case 'clean up':
        await store.cleanUp(this.#nowMs);
    }
  }

  async #present(store: AccountStore, age: number): Promise<void> {
    const index = Math.max(0, this.#tokens.length - 1 - age);
    const request = present(this.#tokens[index]?.hash ?? '', this.#nowMs);
    const rotation = await store.sessions.rotate(request);
    assert.ok(this.#expected(index).includes(rotation.outcome), rotation.outcome);
    if (rotation.outcome === 'rotated') {
      this.#tokens.push({ hash: request.successor.hash, issuedAtMs: this.#nowMs });
    }
    if (rotation.outcome === 'repeated') {
      assert.equal(rotation.sealed, `sealed ${this.#tokens.at(-1)?.hash}`);
    }
  }

  /** What may be said of a token; one that has expired may be forgotten. */
  #expected(index: number): string[] {
    const [token, successor] = this.#tokens.slice(index);
    const isSessionOver = this.#nowMs >= NOW + ABSOLUTE_MS;
    const isOver = isSessionOver || this.#nowMs >= (token?.issuedAtMs ?? 0) + IDLE_MS;
    const forgotten = isOver ? ['unknown'] : [];
    if (this.#isRevoked) return ['revoked', ...forgotten];
    if (isSessionOver) return ['expired', ...forgotten];
    if (successor === undefined) return isOver ? ['expired', 'unknown'] : ['rotated'];

    const isLast = index + 1 === this.#tokens.length - 1;
    if (isLast && this.#nowMs < successor.issuedAtMs + GRACE_MS) return ['repeated'];
    return ['reused', ...forgotten];
  }
}
