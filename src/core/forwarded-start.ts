import { fieldName } from './field-names.ts';
import { wholeText } from './own-text.ts';

/** Hosts that are known at once, and how long they may be. */
const WAYS = 16;
const LENGTH_MAX = 256;

/** Of so many hosts that are not known one is learned, so that what comes once takes little time. */
const LEARNED_OF = 8;

const FORWARDED_FOR = fieldName('X-Forwarded-For');
const FORWARDED_HOST = fieldName('X-Forwarded-Host');
const FORWARDED_PROTO = fieldName('X-Forwarded-Proto');

/** Of the fields that begin like this, in order. */
export const FORWARDED_NAMES = [FORWARDED_PROTO, FORWARDED_HOST, FORWARDED_FOR];

/**
 * What an upstream is told of how a request came here, up to where X-Forwarded-For says from whom: the same for all
 * clients of a host. Most requests are for one of few hosts, for which that is put together once.
 */
export class ForwardedStarts {
  readonly #scheme: 'http' | 'https';
  readonly #hosts = new Array<string>(WAYS).fill('');
  readonly #starts = new Array<string>(WAYS).fill('');
  #unknown = 0;

  constructor(scheme: 'http' | 'https') {
    this.#scheme = scheme;
  }

  /** `host` is not empty, and text as it may stand in a field. */
  of(host: string): string {
    const way = (host.length + host.charCodeAt(host.length - 1)) % WAYS;
    return this.#hosts[way] === host ? (this.#starts[way] as string) : this.#make(way, host);
  }

  #make(way: number, host: string): string {
    const start = `${FORWARDED_PROTO.start}${this.#scheme}${FORWARDED_HOST.start}${host}${FORWARDED_FOR.start}`;
    this.#unknown = (this.#unknown + 1) % LEARNED_OF;
    if (this.#unknown === 0 && host.length <= LENGTH_MAX) {
      this.#hosts[way] = wholeText(host);
      this.#starts[way] = wholeText(start);
    }
    return start;
  }
}
