/**
 * What an instance knows of its cluster: who is there, what they say of the upstreams, and what follows from
 * it. It holds others to what they said last, as long as that is fresh by the own clock; so instances that
 * have heard the same come to the same verdicts, and an instance that hears nobody has its own opinion alone.
 */
import type { MemberView } from '../cluster-view.ts';
import { type Introduction, Members } from './members.ts';
import { isObserver } from './observers.ts';
import type { Opinion, Verdict } from './opinion.ts';
import { Opinions, type Vote } from './opinions.ts';
import type { Stamp } from './stamp.ts';

/** What an instance says at a time. It need not name all of its opinions: the others stand as they were. */
export type Word = {
  readonly from: string;
  readonly stamp: Stamp;
  readonly introduction: Introduction;
  readonly isLeaving: boolean;
  readonly opinions: readonly (readonly [upstream: string, opinion: Opinion])[];
};

/** What a word, or its absence, has changed. */
export type News = {
  readonly hasJoined: boolean;
  readonly hasLeft: boolean;
  /** Upstreams whose votes have changed. */
  readonly upstreams: readonly string[];
};

/** What has become of words. */
export type AgreementCounts = {
  heeded: number;
  /** They were not later than what was heard of the same instance before. */
  replayed: number;
  /** There are as many instances as there may be. */
  crowded: number;
};

const NO_NEWS: News = { hasJoined: false, hasLeft: false, upstreams: [] };

export class Agreement {
  readonly instance: string;
  readonly counts: AgreementCounts = { heeded: 0, replayed: 0, crowded: 0 };
  readonly #observers: number;
  readonly #members = new Members();
  readonly #opinions = new Opinions();

  /** Each upstream is probed by `observers` of the cluster's instances, or by all if there are fewer. */
  constructor(instance: string, observers: number) {
    this.instance = instance;
    this.#observers = observers;
  }

  /** Counts votes on this upstream from now on. */
  follow(upstream: string): void {
    this.#opinions.follow(upstream);
  }

  unfollow(upstream: string): void {
    this.#opinions.unfollow(upstream);
  }

  /** The instance's own opinion. */
  say(upstream: string, opinion: Opinion): void {
    this.#opinions.say(upstream, opinion);
  }

  own(upstream: string): Opinion | undefined {
    return this.#opinions.own(upstream);
  }

  /** Those of some upstreams, or of all: what there is to say. */
  ownOpinions(upstreams: ReadonlySet<string> | null): (readonly [upstream: string, opinion: Opinion])[] {
    return this.#opinions.ownOf(upstreams);
  }

  /** Takes another instance's word, at `nowMs` of the own monotonic clock. */
  hear(word: Word, nowMs: number): News {
    const { from, stamp } = word;
    if (word.isLeaving) return this.#hearLeaving(from, stamp, nowMs);
    const hearing = this.#members.hear(from, stamp, word.introduction, nowMs);
    this.counts[hearing === 'joined' || hearing === 'seen' ? 'heeded' : hearing]++;
    if (!this.#members.has(from)) return NO_NEWS;
    const changed = word.opinions.filter(([upstream, { verdict, reason }]) =>
      this.#opinions.hear(upstream, from, { verdict, reason, stamp }, nowMs),
    );
    const upstreams = changed.map(([upstream]) => upstream);
    return { hasJoined: hearing === 'joined', hasLeft: false, upstreams };
  }

  /** Lets go of what is too old at `nowMs`. */
  expire(nowMs: number): News {
    const gone = this.#members.expire(nowMs);
    const upstreams = [
      ...this.#opinions.expire(nowMs),
      ...gone.flatMap((instance) => this.#opinions.forget(instance)),
    ];
    return { hasJoined: false, hasLeft: gone.length > 0, upstreams };
  }

  verdict(upstream: string): Verdict {
    return this.#opinions.verdict(upstream);
  }

  /** Of other instances. */
  votes(upstream: string): Vote[] {
    return this.#opinions.votes(upstream);
  }

  /** Whether it is among this instance's duties to probe the upstream. */
  isObserver(upstream: string): boolean {
    return isObserver(this.instance, upstream, this.#members.ids, this.#observers);
  }

  /** The registry's revision that the instance itself has come to; others lag behind it, or it behind them. */
  noteRevision(revision: number): void {
    this.#members.noteRevision(revision);
  }

  /** The other instances. */
  members(nowMs: number): MemberView[] {
    return this.#members.views(nowMs);
  }

  #hearLeaving(from: string, stamp: Stamp, nowMs: number): News {
    if (this.#members.leave(from, stamp, nowMs) === 'replayed') {
      this.counts.replayed++;
      return NO_NEWS;
    }
    this.counts.heeded++;
    return { hasJoined: false, hasLeft: true, upstreams: this.#opinions.forget(from) };
  }
}
