import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mistakesIn } from './support.ts';

/** `text` is a key of the pool in YAML, in line 2 from column 3. */
function expectMistakes(text: string, expected: readonly string[]): void {
  const config = `load_balancing:\n  ${text}\n  upstreams: [{url: "http://a"}]\n`;
  assert.deepEqual(
    mistakesIn(config).map((line) => line.trim()),
    expected,
  );
}

const AT = 'load_balancing.health_check';

describe('a health check', () => {
  it('has settings without effect', () => {
    expectMistakes('health_check: {path: /up, body: ok}', [
      `2:24: ${AT}.path: found \`/up\`: works with \`type: http\` only`,
      `2:35: ${AT}.body: found \`ok\`: works with \`type: http\` only`,
    ]);
    expectMistakes('health_check: {type: none, interval_ms: 500}', [
      `2:43: ${AT}.interval_ms: found 500: has no effect with \`type: none\``,
    ]);
    expectMistakes('health_check: {type: http, service: a.B}', [
      `2:39: ${AT}.service: found \`a.B\`: works with \`type: grpc\` only`,
    ]);
    expectMistakes('health_check: {type: http, method: HEAD, body: ok}', [
      `2:50: ${AT}.body: found \`ok\`: there is no body in the answer to a HEAD request`,
    ]);
  });

  it('has probes that would overlap', () => {
    expectMistakes('health_check: {timeout_ms: 2000}', [
      `2:30: ${AT}.timeout_ms: found 2000: must not be longer than \`interval_ms\`, 1000`,
    ]);
  });

  it('expects statuses that there are not', () => {
    const expected = 'expected a status from 200 to 599, or a range such as `200-299`';
    for (const status of ['100', '299-200', 'ok']) {
      const [mistake = ''] = mistakesIn(
        `load_balancing:\n  health_check: {type: http, expected_status: [${status}]}\n  upstreams: [{url: "http://a"}]\n`,
      );
      assert.ok(mistake.includes(expected), mistake);
    }
  });
});

describe('outlier detection', () => {
  it('has a longest time that is shorter than the first', () => {
    expectMistakes('outlier_detection: {max_ejection_ms: 10}', [
      '2:40: load_balancing.outlier_detection.max_ejection_ms: found 10: must not be shorter than `base_ejection_ms`, 30000',
    ]);
  });
});
