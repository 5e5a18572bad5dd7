import { fieldName } from './field-names.ts';
import { interned } from './own-text.ts';
import { RecentTexts } from './recent-texts.ts';

const FORWARDED_FOR = fieldName('X-Forwarded-For');
const FORWARDED_HOST = fieldName('X-Forwarded-Host');
const FORWARDED_PROTO = fieldName('X-Forwarded-Proto');

/** Of the fields that begin like this, in order. */
export const FORWARDED_NAMES = [FORWARDED_PROTO, FORWARDED_HOST, FORWARDED_FOR];

type Scheme = 'http' | 'https';

/**
 * What an upstream is told of how a request came here, up to where X-Forwarded-For says from whom: the same for all
 * clients of a host. Most requests are for one of few hosts, for which that is put together once. `host` is not empty,
 * and text as it may stand in a field.
 */
export function forwardedStart(scheme: Scheme, host: string): string {
  return known[scheme].find(host) ?? startOf(scheme, host);
}

const known = {
  http: new RecentTexts((host) => interned(startOf('http', host))),
  https: new RecentTexts((host) => interned(startOf('https', host))),
};

function startOf(scheme: Scheme, host: string): string {
  return `${FORWARDED_PROTO.start}${scheme}${FORWARDED_HOST.start}${host}${FORWARDED_FOR.start}`;
}
