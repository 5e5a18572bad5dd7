import type { RecordedAttempt } from '#core/request-record.ts';
import type { Upstream } from '#core/table.ts';

type RecordedUpstream = Pick<RecordedAttempt, 'pool' | 'upstream' | 'scheme' | 'address' | 'port'>;

/** No name and no address holds it. */
const SEPARATOR = '\0';

/** An upstream as it stands in the record of an attempt, so that it is known when the table is no more. */
export function upstreamText({ pool, name, tls, address, port }: Upstream): string {
  return [pool, name, tls === null ? 'http' : 'https', address, port].join(SEPARATOR);
}

/** Of a text that had no room in its record, all is empty. */
export function readUpstreamText(text: string): RecordedUpstream {
  const [pool = '', upstream = '', scheme, address = '', port = '0'] = text.split(SEPARATOR);
  return { pool, upstream, scheme: scheme === 'https' ? 'https' : 'http', address, port: Number(port) };
}
