import type { RequestKey } from '#core/table.ts';

type PlainKey = Exclude<RequestKey['kind'], 'header'>;

/** `client_ip`, `header:X-Tenant` and the like, as the schema lets them pass. */
export function buildRequestKey(key: PlainKey | `header:${string}`): RequestKey {
  if (isHeader(key)) return { kind: 'header', name: key.slice('header:'.length).toLowerCase() };
  return { kind: key };
}

function isHeader(key: string): key is `header:${string}` {
  return key.startsWith('header:');
}
