import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ControlLine } from '#http/control-line.ts';
import { createLocals, type LocalsOptions } from '#http/locals.ts';
import { LimitTable } from '#shared/limit-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const METRICS = { enabled: true, listener: 'admin', endpoint: '/metrics' } as const;

function namesOf(different: Partial<LocalsOptions> = {}): string[] {
  const clock = new VirtualClock();
  const locals = createLocals({
    metrics: METRICS,
    hasAccounts: false,
    control: new ControlLine(() => {}, clock),
    limits: LimitTable.create({ keysMax: 1024, hashKey: [1, 2] }),
    ipv6PrefixBits: 64,
    clock,
    ...different,
  });
  return locals.map(({ name }) => name);
}

describe('what is answered without an upstream', () => {
  it('is health, and what the server as a whole is asked for', () => {
    assert.deepEqual(namesOf(), ['/health', '*']);
  });

  it('is the metrics, where clients may have them', () => {
    assert.deepEqual(namesOf({ metrics: { ...METRICS, listener: 'proxy' } }), ['/health', '*', '/metrics']);
    assert.deepEqual(namesOf({ metrics: { ...METRICS, listener: 'proxy', enabled: false } }), [
      '/health',
      '*',
    ]);
  });

  it('is all about accounts, where there are some, and a 404 for the rest below /auth', () => {
    const names = namesOf({ hasAccounts: true });
    assert.ok(names.includes('/.well-known/jwks.json'));
    assert.ok(names.includes('/auth/login'));
    assert.equal(names.at(-1), '/auth');
  });
});
