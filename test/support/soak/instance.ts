// An instance whose workers collect garbage often, and can be made to crash: `node --expose-gc instance.ts CONFIG`.
import { loadConfig } from '#config/load.ts';
import { createLog } from '#telemetry/log.ts';
import { Instance } from '../../../src/main.ts';

/** So that what the heap's figures show is in use. */
const COLLECT_MS = 2_000;

const config = loadConfig(process.argv[2] ?? '', {});
const workerEntry = new URL('./worker.ts', import.meta.url);
const instance = new Instance({ config, log: createLog(config.settings.log), workerEntry });
process.on('SIGTERM', () => instance.stop());
setInterval(() => globalThis.gc?.(), COLLECT_MS).unref();
await instance.stopped;
process.exit(0);
