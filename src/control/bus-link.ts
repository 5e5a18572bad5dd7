import { type BusLinkState, busLinkMachine } from '#actors/bus-link/machine.ts';
import { type CompiledActor, compile } from '#actors/compile/compile.ts';
import type { Bus, BusState } from '#bus/contract.ts';
import type { Clock } from '#core/clock.ts';
import type { Log } from '#telemetry/log.ts';

const machine = compile(busLinkMachine);

const LINES: Readonly<Record<string, readonly ['info' | 'warn', text: string]>> = {
  synced: ['info', 'cluster: in touch with the other instances'],
  isolated: ['warn', 'cluster: cut off from the bus; serving on by what is known and by own checks'],
  resyncing: ['info', 'cluster: the bus is back; listening to the other instances'],
};

export type BusLinkOptions = {
  readonly bus: Pick<Bus, 'state' | 'onState'>;
  /** In which every instance says all that it has to say; milliseconds. */
  readonly roundMs: number;
  /** Messages pass again, or for the first time. */
  readonly onOpen: () => void;
  readonly clock: Clock;
  readonly log: Log;
};

/** How this instance stands to the others of its cluster. Each change is a line of the log. */
export class BusLink implements Disposable {
  readonly #actor: CompiledActor<typeof busLinkMachine>;
  readonly #subscription: Disposable;

  constructor({ bus, roundMs, onOpen, clock, log }: BusLinkOptions) {
    this.#actor = machine.createActor({
      input: { roundMs },
      clock,
      onDone: () => {},
      onError: (error) =>
        log.error({ err: error }, 'cluster: a machine has failed by a mistake in Signalbox'),
      onTransition: (from, to) => {
        const line = LINES[to];
        if (line !== undefined) log[line[0]](line[1]);
        if (from === 'connecting' || to === 'resyncing') onOpen();
      },
    });
    this.#actor.start();
    this.#subscription = bus.onState((state) => this.#hear(state));
    this.#hear(bus.state);
  }

  get state(): BusLinkState {
    return this.#actor.state as BusLinkState;
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
    // Leaves no timer behind.
    this.#actor.send({ type: 'bus.closed' });
  }

  #hear(state: BusState): void {
    if (state === 'synced') this.#actor.send({ type: 'bus.synced' });
    if (state === 'isolated') this.#actor.send({ type: 'bus.isolated' });
  }
}
