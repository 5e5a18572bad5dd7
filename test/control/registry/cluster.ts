import type { TestContext } from 'node:test';
import { setImmediate as yieldToPromises } from 'node:timers/promises';
import { MemoryBus } from '#bus/memory.ts';
import { RegistryEdits } from '#control/registry/edits.ts';
import { Registry } from '#control/registry/registry.ts';
import type { UpstreamDraft } from '#core/registry/record.ts';
import { keptLog } from '#test/support/log.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

export type Member = {
  readonly registry: Registry;
  readonly edits: RegistryEdits;
  readonly lines: readonly string[];
  /** Names of the upstreams that it serves, in the order of the alphabet. */
  names(): string[];
};

/** Instances in one process, on one bus and one clock that both are the test's. */
export class Cluster {
  readonly clock = new VirtualClock();
  readonly bus = new MemoryBus({ clock: this.clock, log: keptLog().log });
  readonly #t: TestContext;

  constructor(t: TestContext) {
    this.#t = t;
    t.after(() => this.bus[Symbol.asyncDispose]());
  }

  /** Resolves when the instance serves the registry. */
  async join(instance: string, configured: readonly UpstreamDraft[]): Promise<Member> {
    const { log, lines } = keptLog();
    const { bus, clock } = this;
    const registry = new Registry({ bus, instance, configured, file: `${instance}.yaml`, clock, log });
    this.#t.after(() => registry[Symbol.asyncDispose]());
    await registry.opened(new AbortController().signal);
    await this.settle();
    const names = () => registry.served.records.map(({ name }) => name).sort();
    return { registry, edits: new RegistryEdits(registry), lines, names };
  }

  /** Lets everything happen that waits for no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) await yieldToPromises();
  }
}
