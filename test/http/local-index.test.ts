import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { RequestHead } from '#actors/request/exchange.ts';
import { controlForms, nothingBelow } from '#http/control-form.ts';
import { ControlLine } from '#http/control-line.ts';
import { controlPage, health, type Local, serverOptions } from '#http/local.ts';
import { LocalIndex } from '#http/local-index.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const clock = new VirtualClock();
const control = new ControlLine(() => {}, clock);
const forms = controlForms(['/auth/login'], { control, limitSessions: () => 0, ipv6PrefixBits: 64, clock });
const LOCALS: Local[] = [
  health,
  serverOptions,
  controlPage('/metrics', control),
  controlPage('/m', control),
  ...forms,
  nothingBelow('/auth'),
];

function headOf(target: string, path = target): RequestHead {
  return { method: 'GET', target, path, headers: [] } as unknown as RequestHead;
}

describe('the index of locals', () => {
  const index = new LocalIndex(LOCALS);

  it('finds who answers', () => {
    assert.equal(index.find(headOf('/health')), health);
    assert.equal(index.find(headOf('*')), serverOptions);
    assert.equal(index.find(headOf('/auth/login'))?.name, '/auth/login');
    assert.equal(index.find(headOf('/auth/other'))?.name, '/auth');
    assert.equal(index.find(headOf('/m?q'))?.name, '/m');
    assert.equal(index.find(headOf('/x/../auth/login', '/auth/login'))?.name, '/auth/login');
    assert.equal(index.find(headOf('/api')), null);
  });

  it('finds the first that answers, whatever is asked for', () => {
    const words = fc.constantFrom('/', 'a', 'au', 'auth', 'login', 'health', 'm', 'metrics', '?', 'x', '*');
    const texts = fc.array(words, { maxLength: 5 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(texts, texts, (target, path) => {
        const head = headOf(target, path);
        assert.equal(index.find(head), LOCALS.find((local) => local.answers(head)) ?? null);
      }),
    );
  });
});
