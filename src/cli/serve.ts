import { ConfigError } from '#config/diagnostics.ts';
import { systemEnvironment } from '#config/env.ts';
import { type LoadedConfig, loadConfig } from '#config/load.ts';
import { createLog, type Log } from '#telemetry/log.ts';
import { Instance } from '../main.ts';
import { EXIT, type ExitCode } from './exit.ts';

export type ServeOptions = {
  readonly config: LoadedConfig;
  /** Called once the instance serves. */
  readonly onReady?: () => void;
};

/**
 * Runs an instance until SIGTERM or SIGINT, and drains; a second signal ends at once. Resolves with the exit
 * code: 0 if everything under way was finished. Rejects with a SignalboxError if it cannot start. SIGHUP reads
 * the configuration again, and makes the registry what its pools list.
 */
export async function serve({ config, onReady }: ServeOptions): Promise<ExitCode> {
  // An instance does not end because nobody reads what it prints.
  process.stdout.removeAllListeners('error').on('error', () => {});
  const log = createLog(config.settings.log);
  const instance = new Instance({ config, log });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!instance.stop()) process.exit(EXIT.unclean);
    });
  }
  process.on('SIGHUP', () => void reload(config.file, instance, log));
  await instance.ready;
  onReady?.();
  const { isClean } = await instance.stopped;
  if (isClean) log.info('stopped; everything under way was finished');
  else log.warn('stopped; what was still under way was cut');
  return isClean ? EXIT.ok : EXIT.unclean;
}

/** A file that cannot be used changes nothing. */
async function reload(file: string, instance: Instance, log: Log): Promise<void> {
  try {
    await instance.apply(loadConfig(file, systemEnvironment()));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const mistakes = error.message.split('\n');
    log.error({ mistakes }, 'config: %s cannot be used; what was served is served on', file);
  }
}
