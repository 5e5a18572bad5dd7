import type { Bus } from '#bus/contract.ts';
import { MemoryBus } from '#bus/memory.ts';
import { NatsBus } from '#bus/nats.ts';
import type { Clock } from '#core/clock.ts';
import type { Random } from '#core/random.ts';
import type { BusSettings } from '#core/settings.ts';
import type { Log } from '#telemetry/log.ts';

/** The bus of an instance: NATS where one is configured; else the instance agrees with itself alone. */
export function openBus(
  settings: BusSettings | null,
  clock: Clock,
  random: Random,
  log: Log,
): Bus & AsyncDisposable {
  return settings === null ? new MemoryBus({ clock, log }) : new NatsBus({ settings, clock, random, log });
}
