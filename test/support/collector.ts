/** A small OTLP receiver: takes traces over HTTP in protobuf, and keeps their spans. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { readTraces, type Span } from './otlp.ts';
import { until } from './process.ts';

/** The latest are kept. */
const SPANS_MAX = 100_000;

export class Collector {
  readonly spans: Span[] = [];
  /** Headers of each message. */
  readonly headers: IncomingMessage['headers'][] = [];
  /** What it answers with. */
  status = 200;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => void this.#take(request, response));
  }

  static async start(t: Pick<TestContext, 'after'>): Promise<Collector> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close().closeAllConnections());
    return new Collector(server);
  }

  /** What an instance needs in its environment to send here, without delay. */
  get env(): Record<string, string> {
    const address = this.#server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    return { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_BSP_SCHEDULE_DELAY: '50' };
  }

  /** The spans of a trace, parents before their children, when there are `count` of them. */
  async trace(traceId: string, count: number): Promise<Span[]> {
    const found = () => this.spans.filter((span) => span.traceId === traceId);
    await until(`${count} spans of the trace ${traceId} have come`, () => found().length >= count);
    return found().toSorted((a, b) => a.startMs - b.startMs || b.endMs - a.endMs);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (this.headers.length < SPANS_MAX) this.headers.push(request.headers);
    if (this.status === 200) this.spans.push(...readTraces(Buffer.concat(chunks)));
    if (this.spans.length > SPANS_MAX) this.spans.splice(0, this.spans.length - SPANS_MAX);
    response.writeHead(this.status, { 'Content-Type': 'application/x-protobuf' }).end();
  }
}
