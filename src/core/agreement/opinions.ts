import { mergeOpinions, type Opinion, type StampedOpinion, type Verdict } from './opinion.ts';
import { verdictOf } from './verdict.ts';

/** An opinion that was not heard again for so long has no vote; heartbeats repeat it every second. */
export const OPINION_MS_MAX = 3_000;

type Held = {
  opinion: StampedOpinion;
  /** On the own monotonic clock: nobody else's is believed. */
  heardMs: number;
  isFresh: boolean;
};

/** One other instance's vote. */
export type Vote = { readonly instance: string; readonly opinion: Opinion; readonly heardMs: number };

/**
 * The opinions that an instance has, and has heard, of the upstreams that it follows. It holds at most one of
 * each instance for each of those: what is said of others is not kept. Opinions that are too old keep their
 * place, without a vote, so that the message that they came with cannot bring them back.
 */
export class Opinions {
  readonly #own = new Map<string, Opinion>();
  /** By upstream and instance. */
  readonly #heard = new Map<string, Map<string, Held>>();

  follow(upstream: string): void {
    if (!this.#heard.has(upstream)) this.#heard.set(upstream, new Map());
  }

  unfollow(upstream: string): void {
    this.#heard.delete(upstream);
    this.#own.delete(upstream);
  }

  say(upstream: string, opinion: Opinion): void {
    this.#own.set(upstream, opinion);
  }

  own(upstream: string): Opinion | undefined {
    return this.#own.get(upstream);
  }

  ownOf(upstreams: ReadonlySet<string> | null): (readonly [upstream: string, opinion: Opinion])[] {
    const all = [...this.#own];
    return upstreams === null ? all : all.filter(([upstream]) => upstreams.has(upstream));
  }

  /** Whether anything has changed for whoever counts votes. */
  hear(upstream: string, instance: string, opinion: StampedOpinion, nowMs: number): boolean {
    const byInstance = this.#heard.get(upstream);
    if (byInstance === undefined) return false;
    const held = byInstance.get(instance);
    if (held === undefined) {
      byInstance.set(instance, { opinion, heardMs: nowMs, isFresh: true });
      return true;
    }
    const merged = mergeOpinions(held.opinion, opinion);
    if (merged === held.opinion) return false;
    const isChange = !held.isFresh || merged.verdict !== held.opinion.verdict;
    byInstance.set(instance, { opinion: merged, heardMs: nowMs, isFresh: true });
    return isChange;
  }

  /** Takes their votes from opinions that are too old; returns the upstreams concerned. */
  expire(nowMs: number): string[] {
    const concerned: string[] = [];
    for (const [upstream, byInstance] of this.#heard) {
      for (const held of byInstance.values()) {
        if (!held.isFresh || nowMs - held.heardMs < OPINION_MS_MAX) continue;
        held.isFresh = false;
        concerned.push(upstream);
      }
    }
    return concerned;
  }

  /** Drops all that an instance has said; returns the upstreams concerned. */
  forget(instance: string): string[] {
    const concerned: string[] = [];
    for (const [upstream, byInstance] of this.#heard) {
      if (byInstance.delete(instance)) concerned.push(upstream);
    }
    return concerned;
  }

  verdict(upstream: string): Verdict {
    const votes = this.votes(upstream).map(({ opinion }) => opinion.verdict);
    return verdictOf([...votes, this.#own.get(upstream)?.verdict ?? 'unknown']);
  }

  /** Those of others that count. */
  votes(upstream: string): Vote[] {
    const byInstance = this.#heard.get(upstream) ?? [];
    return [...byInstance]
      .filter(([, { isFresh }]) => isFresh)
      .map(([instance, { opinion, heardMs }]) => ({ instance, opinion, heardMs }));
  }
}
