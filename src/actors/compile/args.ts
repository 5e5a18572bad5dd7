import { SignalboxError } from '#core/errors.ts';
import type { Context, MachineEvent } from './program.ts';

/** Stands where XState hands out its actors: whoever reaches for one learns why there is none. */
export abstract class Confined {
  get self(): never {
    throw missing('self');
  }

  get system(): never {
    throw missing('system');
  }

  get spawn(): never {
    throw missing('spawn');
  }

  get receive(): never {
    throw missing('receive');
  }

  get emit(): never {
    throw missing('emit');
  }
}

/**
 * What guards, actions, delays and inputs are called with: one and the same for all calls of a run, as none has a use
 * for it when the call is over.
 */
export class Args extends Confined {
  context: Context;
  event: MachineEvent;

  constructor(context: Context, event: MachineEvent) {
    super();
    this.context = context;
    this.event = event;
  }
}

/** What the context function is called with. */
export class Beginning extends Confined {
  readonly input: unknown;

  constructor(input: unknown) {
    super();
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
