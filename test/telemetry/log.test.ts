import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createLog } from '#telemetry/log.ts';

/** What a log writes to a file. */
function written(isTerminal: boolean, use: (log: ReturnType<typeof createLog>) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-log-'));
  const file = join(folder, 'log');
  const fd = openSync(file, 'w');
  use(createLog({ level: 'info' }, { fd, isTerminal }));
  closeSync(fd);
  const text = readFileSync(file, 'utf8');
  rmSync(folder, { recursive: true });
  return text;
}

describe('the log', () => {
  it('is JSON for programs, a line each', () => {
    const [first = '', second = '', ...rest] = written(false, (log) => {
      log.info({ port: 80 }, 'serving');
      log.debug('unsaid');
      log.warn('zoë\nx');
    }).split('\n');
    assert.deepEqual({ ...JSON.parse(first), time: 0 }, { level: 30, time: 0, port: 80, msg: 'serving' });
    assert.equal(JSON.parse(second).msg, 'zoë\nx');
    assert.deepEqual(rest, ['']);
  });

  it('is text for people', () => {
    const text = written(true, (log) => log.info({ port: 80 }, 'serving'));
    assert.match(text, /INFO.*serving/);
    assert.match(text, /port.*80/);
  });

  it('costs nothing but its lines where it cannot be written', () => {
    // An error that nobody listened for ended the instance; on a terminal, there was no listener.
    const fd = openSync('/dev/full', 'w');
    for (const isTerminal of [false, true]) createLog({ level: 'info' }, { fd, isTerminal }).info('lost');
    closeSync(fd);
    for (const isTerminal of [false, true])
      createLog({ level: 'info' }, { fd: 9999, isTerminal }).info('lost');
  });
});
