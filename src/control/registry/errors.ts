import { type Blame, SignalboxError } from '#core/errors.ts';
import type { UpstreamRecord } from '#core/registry/record.ts';
import type { Versioned } from '#core/registry/replica.ts';

const BLAME = {
  /** There is no such upstream. */
  registry_missing: 'client',
  /** Somebody else was first: `current` is what there is now. */
  registry_conflict: 'client',
  registry_full: 'client',
  registry_too_large: 'client',
  /** The registry cannot be reached or is being filled: nothing was changed, or it is not known whether. */
  registry_unavailable: 'operator',
} as const satisfies Record<string, Blame>;

export type RegistryErrorCode = keyof typeof BLAME;

/** Why something could not be written to the registry. */
export class RegistryError extends SignalboxError {
  declare readonly code: RegistryErrorCode;
  /** Null where there is nothing, or nothing that can be read. */
  readonly current: Versioned<UpstreamRecord> | null;

  constructor(
    code: RegistryErrorCode,
    message: string,
    current: Versioned<UpstreamRecord> | null = null,
    options?: ErrorOptions,
  ) {
    super(code, BLAME[code], message, options);
    this.name = 'RegistryError';
    this.current = current;
  }
}
