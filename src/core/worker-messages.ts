/** What the control plane and a worker say to each other. The shared memory goes with the start. */
import type { Settings } from './settings.ts';
import type { Table } from './table.ts';

export type WorkerStart<Memory> = {
  /** From 0; the worker's own columns in shared memory. */
  readonly worker: number;
  readonly settings: Settings;
  readonly table: Table;
  readonly memory: Memory;
  readonly reusePort: boolean;
};

export type ToWorker =
  /** Serve new requests from this table. */
  | { readonly type: 'table'; readonly table: Table }
  /** Accept no more, finish what is under way, say `drained`. */
  | { readonly type: 'drain' }
  /** End every connection now. */
  | { readonly type: 'cut' };

export type FromWorker =
  | { readonly type: 'listening' }
  /** `code` and `message` of the system's error. */
  | { readonly type: 'refused'; readonly code: string; readonly message: string }
  | { readonly type: 'drained' };
