import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BusState } from '#bus/contract.ts';
import { StateTeller } from '#bus/state.ts';
import { BusLink } from '#control/bus-link.ts';
import { keptLog } from '#test/support/log.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const ROUND_MS = 1000;

function scene(first: BusState) {
  const clock = new VirtualClock();
  const teller = new StateTeller(first);
  const bus = { state: first, onState: (listener: (state: BusState) => void) => teller.add(listener) };
  const { log, lines } = keptLog();
  let opened = 0;
  const link = new BusLink({ bus, roundMs: ROUND_MS, onOpen: () => opened++, clock, log });
  return { clock, teller, link, lines, opened: () => opened };
}

describe('the link to the bus', () => {
  it('is what the bus was before anybody looked', () => {
    const { link, opened } = scene('synced');
    assert.equal(link.state, 'synced');
    assert.equal(opened(), 1);
  });

  it('says all anew when messages pass again, and each change in the log', () => {
    const { clock, teller, link, lines, opened } = scene('connecting');
    teller.change('synced');
    teller.change('isolated');
    assert.equal(opened(), 1);
    teller.change('synced');
    assert.deepEqual([link.state, opened()], ['resyncing', 2]);
    clock.advance(ROUND_MS);
    assert.equal(link.state, 'synced');
    assert.equal(lines.length, 4);
  });

  it('leaves nothing behind', () => {
    const { clock, teller, link } = scene('isolated');
    teller.change('synced');
    link[Symbol.dispose]();
    assert.equal(clock.timers, 0);
    teller.change('isolated');
    assert.equal(link.state, 'closed');
  });
});
