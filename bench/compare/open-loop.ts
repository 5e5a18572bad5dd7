/**
 * Asks at a fixed rate, whether answers come or not, and counts each request's time from when it was due:
 * a proxy that stalls is charged for everything that had to wait (no coordinated omission, Tene 2013).
 *
 *     node open-loop.ts PORT RATE SECONDS [AUTHORIZATION]
 *
 * Prints one line of JSON. HTTP/1.1 with Content-Length over CONNECTIONS kept connections.
 */
import { connect, type Socket } from 'node:net';

const CONNECTIONS = 64;
const SETTLE_MS = 2_000;
/** Waiting for a connection; beyond it the proxy is down, and counting on would only need memory. */
const WAITING_MAX = 100_000;

const [port = '', rate = '', seconds = '', authorization = ''] = process.argv.slice(2);
const head = authorization === '' ? '' : `Authorization: ${authorization}\r\n`;
const request = Buffer.from(`GET /1k HTTP/1.1\r\nHost: 127.0.0.1\r\n${head}\r\n`);
const total = Number(rate) * Number(seconds);
const latenciesMs = new Float64Array(total);
const free: Connection[] = [];
const due: number[] = [];
let begun = 0;
let answered = 0;
let errors = 0;

class Connection {
  #socket: Socket;
  #dueMs = 0;
  #text = '';
  #missing = -1;

  constructor() {
    this.#socket = this.#open();
  }

  ask(dueMs: number): void {
    this.#dueMs = dueMs;
    this.#socket.write(request);
  }

  #open(): Socket {
    const socket = connect(Number(port), '127.0.0.1').setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#dueMs > 0) errors++;
      this.#dueMs = 0;
      this.#text = '';
      this.#missing = -1;
      this.#socket = this.#open();
      release(this);
    });
    return socket;
  }

  #read(chunk: Buffer): void {
    if (this.#missing < 0) {
      this.#text += chunk.toString('latin1');
      const end = this.#text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/content-length: *(\d+)/i.exec(this.#text)?.[1] ?? 0);
      if (!this.#text.startsWith('HTTP/1.1 200')) errors++;
      this.#missing = length - (this.#text.length - end - 4);
      this.#text = '';
    } else {
      this.#missing -= chunk.length;
    }
    if (this.#missing > 0) return;
    latenciesMs[answered++] = performance.now() - this.#dueMs;
    this.#dueMs = 0;
    this.#missing = -1;
    release(this);
  }
}

function release(connection: Connection): void {
  const next = due.shift();
  if (next === undefined) free.push(connection);
  else connection.ask(next);
}

for (let i = 0; i < CONNECTIONS; i++) free.push(new Connection());
const startMs = performance.now() + 100;

function tick(): void {
  const nowMs = performance.now();
  while (begun < total) {
    const dueMs = startMs + (begun * 1000) / Number(rate);
    if (dueMs > nowMs) break;
    begun++;
    const connection = free.pop();
    if (connection !== undefined) connection.ask(dueMs);
    else if (due.length < WAITING_MAX) due.push(dueMs);
    else errors++;
  }
  const isOver = begun === total && answered + errors >= total;
  if (isOver || nowMs > startMs + Number(seconds) * 1000 + SETTLE_MS) report();
  else setImmediate(tick);
}

function report(): never {
  const sorted = latenciesMs.subarray(0, answered).toSorted();
  const at = (fraction: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0;
  const unanswered = total - answered;
  console.log(
    JSON.stringify({
      requests: answered,
      errors: Math.max(errors, unanswered),
      p50_ms: at(0.5),
      p99_ms: at(0.99),
      p999_ms: at(0.999),
    }),
  );
  process.exit(0);
}

tick();
