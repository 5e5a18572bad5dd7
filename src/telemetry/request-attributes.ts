import type { Attributes } from '@opentelemetry/api';
import type { RequestRecord } from '#core/request-record.ts';

/** Ends that are nobody's success, whatever the status was. */
const FAILURES: ReadonlySet<string | null> = new Set(['truncated', 'crashed', 'lost']);

/** A request as OpenTelemetry's stable HTTP conventions describe it on its server's side. */
export function requestAttributes(record: RequestRecord): Attributes {
  const [path = '', query = ''] = splitTarget(record.target);
  const attributes: Attributes = {
    'http.request.method': record.method || '_OTHER',
    'url.path': path,
    'url.scheme': record.scheme,
    'network.protocol.version': record.protocol,
    'network.peer.address': record.peerAddress,
    'client.address': record.clientAddress,
    ...serverAddress(record),
    'http.request.body.size': record.requestBytes,
    'http.response.body.size': record.responseBytes,
    'signalbox.outcome': record.outcome ?? '',
    'signalbox.worker': record.worker,
  };
  if (record.tlsVersion !== null) {
    attributes['tls.protocol.name'] = 'tls';
    attributes['tls.protocol.version'] = record.tlsVersion.slice('TLSv'.length);
  }
  setText(attributes, 'url.query', query);
  setText(attributes, 'http.route', record.route);
  setText(attributes, 'user_agent.original', record.userAgent);
  setText(attributes, 'signalbox.auth', record.auth);
  setText(attributes, 'signalbox.identity', record.identity);
  setText(attributes, 'signalbox.refusal.cause', record.cause);
  setText(attributes, 'error.type', requestError(record));
  if (record.status > 0) attributes['http.response.status_code'] = record.status;
  if (record.limit !== 'none') attributes['signalbox.limit'] = record.limit;
  if (record.limitRemaining !== null) attributes['signalbox.limit.remaining'] = record.limitRemaining;
  return attributes;
}

/** What went wrong, or null. A client that left is no error, and neither is what clients do wrong. */
export function requestError({ status, cause, outcome }: RequestRecord): string | null {
  if (outcome !== null && FAILURES.has(outcome)) return outcome;
  if (status < 500) return null;
  return cause ?? String(status);
}

function splitTarget(target: string): [path: string, query: string] {
  const at = target.indexOf('?');
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}

/** What the client asked for, by its Host. */
function serverAddress({ host, scheme }: RequestRecord): Attributes {
  const [, literal, name, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(host) ?? [];
  const address = literal ?? name ?? '';
  if (address === '') return {};
  return { 'server.address': address, 'server.port': Number(port ?? (scheme === 'https' ? 443 : 80)) };
}

/** Sets what is known. */
export function setText(attributes: Attributes, name: string, value: string | null): void {
  if (value !== null && value !== '') attributes[name] = value;
}
