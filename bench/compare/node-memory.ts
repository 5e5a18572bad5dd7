/** What Node takes before it runs anything of a proxy's. */
import { setTimeout as delay } from 'node:timers/promises';
import { PROXY_CORE, Program } from './processes.ts';

const NOTHING = 'setInterval(() => {}, 1000)';
const WORKER = `new (require('node:worker_threads').Worker)(${JSON.stringify(NOTHING)}, { eval: true })`;
/** A start takes a tenth of it. */
const SETTLE_MS = 2_000;

export async function memoryOfNode(): Promise<{ bytes: number; with_worker_bytes: number }> {
  return { bytes: await residentBytes(NOTHING), with_worker_bytes: await residentBytes(WORKER) };
}

async function residentBytes(script: string): Promise<number> {
  await using program = new Program(PROXY_CORE, [process.execPath, '-e', script]);
  await delay(SETTLE_MS);
  return program.memoryBytes();
}
