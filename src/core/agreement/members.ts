import type { MemberView, RegistryReport } from '../cluster-view.ts';
import { compareStamps, type Stamp } from './stamp.ts';

/** An instance that was not heard of for so long is out. */
export const MEMBER_MS_MAX = 3_000;
/** Instances of one cluster beside this one; whoever comes when all places are taken is not heard. */
export const MEMBERS_MAX = 255;
/** How long what a former member said last is remembered, so that nobody can say it again in its name. */
export const FORMER_MS_MAX = 600_000;
export const FORMER_MAX = 1024;

export type Introduction = RegistryReport & { readonly version: string };

type Member = Introduction & {
  readonly stamp: Stamp;
  readonly seenMs: number;
  /** Since it is behind the latest revision; null while it is not. */
  readonly behindSinceMs: number | null;
};

/**
 * `joined` and `seen` are news; the rest is not: `replayed`, for it is not later than what the instance said
 * before, or `crowded`, for there is no place.
 */
export type Hearing = 'joined' | 'seen' | 'replayed' | 'crowded';

/** The instances of the cluster, as this one knows them by their heartbeats; itself not included. */
export class Members {
  readonly #live = new Map<string, Member>();
  readonly #former = new Map<string, { readonly stamp: Stamp; readonly goneMs: number }>();
  #ownRevision = 0;

  get ids(): readonly string[] {
    return [...this.#live.keys()];
  }

  hear(id: string, stamp: Stamp, introduction: Introduction, nowMs: number): Hearing {
    const known = this.#live.get(id);
    const last = known?.stamp ?? this.#former.get(id)?.stamp;
    if (last !== undefined && compareStamps(stamp, last) <= 0) return 'replayed';
    if (known === undefined && this.#live.size >= MEMBERS_MAX) return 'crowded';
    const isBehind = introduction.revision < this.#latestRevision;
    const behindSinceMs = isBehind ? (known?.behindSinceMs ?? nowMs) : null;
    this.#live.set(id, { ...introduction, stamp, seenMs: nowMs, behindSinceMs });
    this.#former.delete(id);
    return known === undefined ? 'joined' : 'seen';
  }

  /** The instance says that it ends. */
  leave(id: string, stamp: Stamp, nowMs: number): Hearing {
    const last = this.#live.get(id)?.stamp ?? this.#former.get(id)?.stamp;
    if (last !== undefined && compareStamps(stamp, last) <= 0) return 'replayed';
    this.#part(id, stamp, nowMs);
    return 'seen';
  }

  has(id: string): boolean {
    return this.#live.has(id);
  }

  /** Those who are out now. */
  expire(nowMs: number): string[] {
    const gone = [...this.#live].filter(([, { seenMs }]) => nowMs - seenMs >= MEMBER_MS_MAX);
    for (const [id, { stamp }] of gone) this.#part(id, stamp, nowMs);
    for (const [id, { goneMs }] of this.#former) {
      if (nowMs - goneMs >= FORMER_MS_MAX) this.#former.delete(id);
    }
    return gone.map(([id]) => id);
  }

  /** The instance itself has come to this revision of the registry. */
  noteRevision(revision: number): void {
    this.#ownRevision = revision;
  }

  views(nowMs: number): MemberView[] {
    return [...this.#live].map(([id, member]) => ({
      id,
      version: member.version,
      revision: member.revision,
      checksum: member.checksum,
      watchAgeMs: member.watchAgeMs,
      lastSeenMs: nowMs - member.seenMs,
      lagMs: member.behindSinceMs === null ? 0 : nowMs - member.behindSinceMs,
    }));
  }

  get #latestRevision(): number {
    return Math.max(this.#ownRevision, ...[...this.#live.values()].map(({ revision }) => revision));
  }

  #part(id: string, stamp: Stamp, nowMs: number): void {
    this.#live.delete(id);
    this.#former.delete(id);
    this.#former.set(id, { stamp, goneMs: nowMs });
    // In the order in which they left: the first one is the one that left first.
    const [oldest] = this.#former.keys();
    if (this.#former.size > FORMER_MAX && oldest !== undefined) this.#former.delete(oldest);
  }
}
