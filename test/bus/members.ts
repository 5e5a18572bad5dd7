import type { TestContext } from 'node:test';
import { NatsBus } from '#bus/nats.ts';
import { parseNatsUrl } from '#bus/settings.ts';
import { systemClock } from '#core/clock.ts';
import { systemRandom } from '#core/random.ts';
import type { BusSettings } from '#core/settings.ts';
import { keptLog } from '#test/support/log.ts';
import { until } from '#test/support/process.ts';

export type Member = { readonly bus: NatsBus; readonly lines: readonly string[] };

export type MemberOptions = Partial<BusSettings> & { readonly url: string };

/** A bus that ends with its test; it need not be connected yet. */
export function startMember(t: TestContext, { url, ...others }: MemberOptions): Member {
  const { log, lines } = keptLog();
  const settings = { prefix: 'signalbox.test', clientName: 'test', ...parseNatsUrl(url), ...others };
  const bus = new NatsBus({ settings, clock: systemClock, random: systemRandom, log });
  t.after(() => bus[Symbol.asyncDispose]());
  return { bus, lines };
}

export async function joinCluster(t: TestContext, options: MemberOptions): Promise<Member> {
  const member = startMember(t, options);
  await until('the bus is synced', () => member.bus.state === 'synced');
  return member;
}
