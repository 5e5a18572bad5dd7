import { flushCompileCache } from 'node:module';
import type { LoadedConfig } from '#config/load.ts';
import { systemClock } from '#core/clock.ts';
import { collectGarbage, LOADED_MS } from '#core/collect-garbage.ts';
import { createLog } from '#telemetry/log.ts';
import { Instance } from '../main.ts';
import { EXIT, type ExitCode } from './exit.ts';

export type ServeOptions = {
  readonly config: LoadedConfig;
  /** Whether another instance may have the ports: see InstanceOptions. */
  readonly isTakeover?: boolean;
  /** Called once the instance serves. */
  readonly onReady?: () => void;
};

/**
 * Runs an instance until SIGTERM or SIGINT, and drains; a second signal ends at once. Resolves with the exit
 * code: 0 if everything under way was finished. Rejects with a SignalboxError if it cannot start. SIGHUP puts
 * the configuration file, as it is by then, into effect.
 */
export async function serve({ config, isTakeover = false, onReady }: ServeOptions): Promise<ExitCode> {
  // By itself Node keeps what it has compiled only when it ends, and not if it is killed. The memory that this took is
  // free then: at once for the start to use, and again after what the start has loaded.
  flushCompileCache();
  // An instance does not end because nobody reads what it prints.
  process.stdout.removeAllListeners('error').on('error', () => {});
  const log = createLog(config.settings.log);
  const instance = new Instance({ config, log, isTakeover });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!instance.stop()) process.exit(EXIT.unclean);
    });
  }
  process.on('SIGHUP', () => void instance.reload());
  await instance.ready;
  flushCompileCache();
  systemClock.after(LOADED_MS, collectGarbage);
  onReady?.();
  const { isClean } = await instance.stopped;
  if (isClean) log.info('stopped; everything under way was finished');
  else log.warn('stopped; what was still under way was cut');
  return isClean ? EXIT.ok : EXIT.unclean;
}
