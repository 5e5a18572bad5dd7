/**
 * How many attempts in a row have failed at each upstream, over all workers, exactly: Envoy's consecutive 5xx
 * and consecutive gateway failures. A row ends with an answer that is no failure; one of gateway failures ends
 * with any other server error, too.
 */
import type { FailureKind, Outcome } from '#core/outcome.ts';
import type { OutlierLimits } from '#core/table.ts';
import type { Rows } from './rows.ts';

/** Attempts that break off within so much time count as one: a process that ends takes all of its requests along. */
export const BROKEN_TOGETHER_MS = 100;

export class OutcomeCells {
  static readonly INTEGERS = 2;
  static readonly DOUBLES = 1;

  readonly #serverErrors: Int32Array;
  readonly #gatewayFailures: Int32Array;
  readonly #brokenAtMs: Float64Array;

  constructor(rows: Rows) {
    this.#serverErrors = rows.integers();
    this.#gatewayFailures = rows.integers();
    this.#brokenAtMs = rows.doubles();
  }

  /**
   * Counts an attempt. Tells which row has just reached its limit, or a multiple of it, to one caller of all
   * workers; else null. Plain reads where nothing failed and nothing fails.
   */
  record(slot: number, outcome: Outcome, limits: OutlierLimits): FailureKind | null {
    if (outcome !== 'gateway_failure') clear(this.#gatewayFailures, slot);
    if (outcome === 'ok') {
      clear(this.#serverErrors, slot);
      return null;
    }
    const isLimit5xx = hasReached(this.#serverErrors, slot, limits.consecutive5xx);
    const isGatewayLimit =
      outcome === 'gateway_failure' &&
      hasReached(this.#gatewayFailures, slot, limits.consecutiveGatewayFailures);
    if (isGatewayLimit) return 'gateway_failure';
    return isLimit5xx ? '5xx' : null;
  }

  /** Counts an attempt that broke off at `nowMs` (monotonic), or was given up: a gateway failure. As `record`. */
  recordBroken(slot: number, limits: OutlierLimits, nowMs: number): FailureKind | null {
    const isAlone = nowMs - (this.#brokenAtMs[slot] ?? 0) >= BROKEN_TOGETHER_MS;
    if (!isAlone) return null;
    this.#brokenAtMs[slot] = nowMs;
    return this.record(slot, 'gateway_failure', limits);
  }

  /** For the control plane: both rows begin anew. */
  forget(slot: number): void {
    clear(this.#gatewayFailures, slot);
    clear(this.#serverErrors, slot);
    this.#brokenAtMs[slot] = 0;
  }
}

/** Counts one more. With a limit of 0 there is none. */
function hasReached(row: Int32Array, slot: number, limit: number): boolean {
  const count = Atomics.add(row, slot, 1) + 1;
  return limit > 0 && count % limit === 0;
}

function clear(row: Int32Array, slot: number): void {
  if (row[slot] !== 0) Atomics.store(row, slot, 0);
}
