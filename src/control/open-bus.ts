import type { Bus } from '#bus/contract.ts';
import { MemoryBus } from '#bus/memory.ts';
import type { Clock } from '#core/clock.ts';
import type { Random } from '#core/random.ts';
import type { BusSettings } from '#core/settings.ts';
import type { Log } from '#telemetry/log.ts';

/** The bus of an instance: NATS where one is configured; else the instance agrees with itself alone. */
export async function openBus(
  settings: BusSettings | null,
  clock: Clock,
  random: Random,
  log: Log,
): Promise<Bus & AsyncDisposable> {
  if (settings === null) return new MemoryBus({ clock, log });
  // Its client takes a while to load, for nothing where there is no NATS.
  const { NatsBus } = await import('#bus/nats.ts');
  return new NatsBus({ settings, clock, random, log });
}
