import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Clock } from '#core/clock.ts';
import { formatEndpoint } from '#core/endpoint.ts';
import { Fields } from '#core/fields.ts';
import type { HttpProbe } from '#core/health/check.ts';
import { httpOutcome, PROBE_BODY_BYTES_MAX } from '#core/health/http-outcome.ts';
import type { Outcome } from '#core/health/tally.ts';
import type { Upstream } from '#core/table.ts';
import { upstreamOpener } from '#http/upstream-connector.ts';

// Imported as a module it would bring undici's WebSocket along, 8 MB.
const { request } = process.getBuiltinModule('node:http');

/** By which upstreams tell probes from requests. */
export const PROBE_USER_AGENT = 'signalbox-health';

const HEAD_BYTES_MAX = 16 * 1024;

/** One request on a connection of its own. Rejects when there is no answer. */
export async function probeHttp(
  upstream: Upstream,
  probe: HttpProbe,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Outcome> {
  const { expected, method, path } = probe;
  if (upstream.protocol !== 'h2') return probeHttp1(upstream, probe, timeoutMs, clock, signal);
  const asked = { method, path, headers: Fields.of(Object.entries(headersOf(upstream, probe)).flat()) };
  const options = { bodyBytesMax: expected.text === null ? 0 : PROBE_BODY_BYTES_MAX, timeoutMs, signal };
  const { askHttp2 } = await import('./ask-http2.ts');
  const { status, body } = await askHttp2(upstream, asked, options, clock);
  return httpOutcome(expected, status, body.toString('utf8'));
}

async function probeHttp1(
  upstream: Upstream,
  probe: HttpProbe,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Outcome> {
  const open = upstreamOpener(upstream, timeoutMs, clock);
  const probing = request({
    method: probe.method,
    path: probe.path,
    headers: headersOf(upstream, probe),
    createConnection: () => open(null, () => {}),
    maxHeaderSize: HEAD_BYTES_MAX,
    signal,
  });
  try {
    const answer = await answerTo(probing.end());
    const text = probe.expected.text === null ? '' : await beginningOf(answer);
    return httpOutcome(probe.expected, answer.statusCode ?? 0, text);
  } finally {
    probing.destroy();
  }
}

function answerTo(probing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    probing.on('response', resolve);
    // Nobody asked for it, so it is no answer (RFC 9110 §15.2.2).
    probing.on('upgrade', () => reject(new Error('The upstream switched protocols.')));
    // Also after the answer: what ends it early is told by the answer itself.
    probing.on('error', reject);
  });
}

function headersOf(upstream: Upstream, { headers }: HttpProbe): Record<string, string> {
  const own = {
    host: hostOf(upstream),
    'user-agent': PROBE_USER_AGENT,
    accept: '*/*',
    connection: 'close',
  };
  return { ...own, ...Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])) };
}

/** There is no client whose Host could be passed on. */
export function hostOf(upstream: Upstream): string {
  const { host, hostName, address, port } = upstream;
  return host.kind === 'fixed' ? host.value : formatEndpoint({ address: hostName ?? address, port });
}

async function beginningOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= PROBE_BODY_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).subarray(0, PROBE_BODY_BYTES_MAX).toString('utf8');
}
