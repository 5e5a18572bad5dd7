import { Agent, request } from 'node:http';

export type Sample = {
  /** 0 when the connection failed before an answer. */
  readonly status: number;
  readonly body: string;
  readonly error: string;
  readonly ms: number;
};

export type RequestOptions = {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly agent?: Agent;
  /** Before it is sent. */
  readonly wait?: Promise<void>;
};

/** One request, whose failure is a result and no exception. */
export async function ask(url: string, options: RequestOptions = {}): Promise<Sample> {
  await options.wait;
  const startMs = performance.now();
  return new Promise((resolve) => {
    const end = (status: number, body: string, error: string) =>
      resolve({ status, body, error, ms: performance.now() - startMs });
    const outgoing = request(
      new URL(options.path ?? '/', url),
      { method: options.method ?? 'GET', headers: options.headers ?? {}, agent: options.agent },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => end(response.statusCode ?? 0, body, ''));
        response.on('error', (error) => end(response.statusCode ?? 0, body, error.message));
      },
    );
    outgoing.on('error', (error) => end(0, '', error.message));
    outgoing.end(options.body);
  });
}

/** Keeps `connections` busy, each with one request after the other, until `isOver`; tells every result. */
export async function load(
  url: string,
  connections: number,
  isOver: () => boolean,
  make: (sequence: number) => RequestOptions = () => ({}),
): Promise<Sample[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const samples: Sample[] = [];
  let sequence = 0;
  const client = async () => {
    while (!isOver()) samples.push(await ask(url, { ...make(sequence++), agent }));
  };
  await Promise.all(Array.from({ length: connections }, client));
  agent.destroy();
  return samples;
}

/** Exactly `total` requests over that many connections. */
export function burst(
  url: string,
  connections: number,
  total: number,
  make: (sequence: number) => RequestOptions = () => ({}),
): Promise<Sample[]> {
  let begun = 0;
  return load(url, connections, () => begun++ >= total, make);
}

/** How often each of the texts came. */
export function tally(texts: readonly (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}
