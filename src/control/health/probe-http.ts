import { Client, type Dispatcher } from 'undici';
import type { Clock } from '#core/clock.ts';
import { formatEndpoint } from '#core/endpoint.ts';
import type { HttpProbe } from '#core/health/check.ts';
import { httpOutcome, PROBE_BODY_BYTES_MAX } from '#core/health/http-outcome.ts';
import type { Outcome } from '#core/health/tally.ts';
import type { Upstream } from '#core/table.ts';
import { upstreamConnector } from '#http/upstream-connector.ts';

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
  const scheme = upstream.tls === null ? 'http' : 'https';
  const client = new Client(`${scheme}://${formatEndpoint(upstream)}`, {
    connect: upstreamConnector(upstream, timeoutMs, clock),
    // The machine that asked for this probe ends it in time.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: HEAD_BYTES_MAX,
    allowH2: false,
  });
  try {
    const { statusCode, body } = await client.request({
      method: probe.method,
      path: probe.path,
      headers: headersOf(upstream, probe),
      reset: true,
      signal,
    });
    body.on('error', () => {});
    const text = probe.expected.text === null ? '' : await beginningOf(body);
    return httpOutcome(probe.expected, statusCode, text);
  } finally {
    void client.destroy();
  }
}

function headersOf(upstream: Upstream, { headers }: HttpProbe): Record<string, string> {
  const own = { 'user-agent': PROBE_USER_AGENT, accept: '*/*', host: hostOf(upstream) };
  return { ...own, ...Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])) };
}

/** There is no client whose Host could be passed on. */
function hostOf(upstream: Upstream): string {
  const { host, hostName: address = upstream.address, port } = upstream;
  return host.kind === 'fixed' ? host.value : formatEndpoint({ address, port });
}

async function beginningOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= PROBE_BODY_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).subarray(0, PROBE_BODY_BYTES_MAX).toString('utf8');
}
