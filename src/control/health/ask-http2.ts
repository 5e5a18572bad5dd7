import type { Duplex } from 'node:stream';
import type { Clock } from '#core/clock.ts';
import { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';
import type { Upstream } from '#core/table.ts';
import { H2Pool } from '#http/h2-dispatcher/h2-pool.ts';
import type { TransportController, TransportHandler, TransportRequest } from '#http/transport.ts';
import { upstreamOpener } from '#http/upstream-connector.ts';

export type Http2Answer = {
  readonly status: number;
  readonly headers: Fields;
  readonly trailers: FlatHeaders;
  /** Its beginning, of `bodyBytesMax` at most. */
  readonly body: Buffer;
};

export type AskOptions = {
  /** Once so much of its body has come, the answer counts as complete; with 0, once its head has. */
  readonly bodyBytesMax: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

/** For one request, on a connection of its own. */
const SETTINGS = {
  connectionsMax: 1,
  keepAliveMs: 1,
  responseHeadBytesMax: 16 * 1024,
  responseHeaderCountMax: 256,
} as const;

/** One request in HTTP/2, whatever the upstream's protocol is. Rejects when there is no answer. */
export async function askHttp2(
  upstream: Upstream,
  request: TransportRequest,
  { bodyBytesMax, timeoutMs, signal }: AskOptions,
  clock: Clock,
): Promise<Http2Answer> {
  const open = upstreamOpener({ ...upstream, protocol: 'h2' }, timeoutMs, clock);
  const scheme = upstream.tls === null ? 'http' : 'https';
  const pool = new H2Pool({ open, scheme, connectMs: timeoutMs, settings: SETTINGS, clock });
  const end = () => void pool.destroy();
  signal.addEventListener('abort', end, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      pool.dispatch(request, new AnswerCollector(bodyBytesMax, resolve, reject));
    });
  } finally {
    signal.removeEventListener('abort', end);
    await pool.destroy();
  }
}

class AnswerCollector implements TransportHandler {
  readonly #bodyBytesMax: number;
  readonly #resolve: (answer: Http2Answer) => void;
  readonly #reject: (error: Error) => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #headers = new Fields();

  constructor(bodyBytesMax: number, resolve: (answer: Http2Answer) => void, reject: (error: Error) => void) {
    this.#bodyBytesMax = bodyBytesMax;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(): void {}

  onResponseStart(controller: TransportController, status: number): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = controller.fields;
    if (this.#bodyBytesMax === 0) this.#conclude([]);
  }

  onResponseData(_: TransportController, bytes: Buffer, from: number, to: number): void {
    this.#chunks.push(bytes.subarray(from, to));
    this.#bytes += to - from;
    if (this.#bytes >= this.#bodyBytesMax) this.#conclude([]);
  }

  onResponseEnd(controller: TransportController): void {
    this.#conclude(controller.rawTrailers);
  }

  onResponseError(_: TransportController | null, error: Error): void {
    this.#reject(error);
  }

  /** Never asked for. */
  onRequestUpgrade(_: TransportController, socket: Duplex): void {
    socket.destroy();
  }

  #conclude(trailers: FlatHeaders): void {
    const body = Buffer.concat(this.#chunks).subarray(0, this.#bodyBytesMax);
    this.#resolve({ status: this.#status, headers: this.#headers, trailers, body });
  }
}
