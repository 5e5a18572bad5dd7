import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { didYouMean } from '#config/suggest.ts';

describe('didYouMean', () => {
  const keys = ['round_robin', 'random', 'least_conn', 'port', 'requests_per_minute'];

  it('finds what is a slip or two away, in whatever spelling', () => {
    for (const [typed, meant] of [
      ['roundrobin', 'round_robin'],
      ['Round-Robin', 'round_robin'],
      ['randon', 'random'],
      ['leastConns', 'least_conn'],
      ['prot', 'port'],
      ['requestsPerMin', 'requests_per_minute'],
    ] as const) {
      assert.equal(didYouMean(typed, keys), `; did you mean \`${meant}\`?`);
    }
  });

  it('keeps quiet about what is far from everything', () => {
    for (const typed of ['', 'x', 'host', 'upstreams', 'r'.repeat(1_000_000)])
      assert.equal(didYouMean(typed, keys), '');
  });
});
