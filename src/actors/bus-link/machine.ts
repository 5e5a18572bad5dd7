/**
 * An instance and its bus.
 *
 *     connecting ─► synced ─► isolated ─► resyncing ─► synced
 *          └──────────────────►┘   ▲──────────┘      (closed, from each of them)
 *
 * What its shape guarantees: the way from `isolated` to `synced` leads through `resyncing`, so an instance
 * that was alone calls itself synced only after every other one has had the time to be heard.
 */
import { setup } from 'xstate';

export type BusLinkEvent =
  | { readonly type: 'bus.synced' }
  | { readonly type: 'bus.isolated' }
  /** The instance ends. */
  | { readonly type: 'bus.closed' };

export type BusLinkInput = {
  /** In which every instance says all that it has to say; milliseconds. */
  readonly roundMs: number;
};

export type BusLinkState = 'connecting' | 'synced' | 'isolated' | 'resyncing' | 'closed';

export const busLinkMachine = setup({
  types: {
    context: {} as BusLinkInput,
    events: {} as BusLinkEvent,
    input: {} as BusLinkInput,
  },
  delays: { ROUND: ({ context }) => context.roundMs },
}).createMachine({
  id: 'busLink',
  context: ({ input }) => input,
  initial: 'connecting',
  states: {
    connecting: {
      description: 'It is not known yet whether there is a bus.',
      on: {
        'bus.synced': { target: 'synced' },
        'bus.isolated': { target: 'isolated' },
        'bus.closed': { target: 'closed' },
      },
    },
    synced: {
      description: 'What others say is heard.',
      on: { 'bus.isolated': { target: 'isolated' }, 'bus.closed': { target: 'closed' } },
    },
    isolated: {
      description: 'Nobody is heard; the instance serves on by what it knows and finds out itself.',
      on: { 'bus.synced': { target: 'resyncing' }, 'bus.closed': { target: 'closed' } },
    },
    resyncing: {
      description: 'The bus is back, and the others are about to be heard.',
      on: { 'bus.isolated': { target: 'isolated' }, 'bus.closed': { target: 'closed' } },
      after: { ROUND: { target: 'synced' } },
    },
    closed: { type: 'final', description: 'The instance has ended.' },
  },
});
