import { SignalboxError } from '#core/errors.ts';
import type { Context, MachineEvent } from './program.ts';

/**
 * What guards, actions, delays and inputs are called with: one and the same for all calls of a run, as none has a use
 * for it when the call is over.
 */
export class Args {
  context: Context;
  event: MachineEvent;

  constructor(context: Context, event: MachineEvent) {
    this.context = context;
    this.event = event;
  }
}

/** What the context function is called with. */
export class Beginning {
  readonly input: unknown;

  constructor(input: unknown) {
    this.input = input;
  }
}

function missing(name: string): SignalboxError {
  return new SignalboxError(
    'machine_unsupported',
    'signalbox',
    `\`${name}\` is not there in a compiled machine, which has no actors besides its steps: use context and events`,
  );
}

/**
 * Stands where XState hands out its actors: whoever reaches for one learns why there is none. No base class, whose
 * constructor would be looked for each time.
 */
export function confine(prototype: object): void {
  for (const name of ['self', 'system', 'spawn', 'receive', 'emit']) {
    const get = () => {
      throw missing(name);
    };
    Object.defineProperty(prototype, name, { get });
  }
}

confine(Args.prototype);
confine(Beginning.prototype);
