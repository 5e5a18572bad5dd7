import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigError } from '#config/diagnostics.ts';
import { RegistryError } from '#control/registry/errors.ts';
import { Reloads } from '#control/reloads.ts';
import { keptLog } from '#test/support/log.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { load as configOf, UPSTREAMS } from '../config/support.ts';

const NOTHING = { add: [], change: [], remove: [] };

/** Reloads of a file whose text is what `file.text` is; each waits in `passing` until it is let go on. */
function scene(trust: (() => void) | null = null) {
  const file = { text: UPSTREAMS };
  const config = configOf(file.text);
  const passing: PromiseWithResolvers<typeof NOTHING>[] = [];
  const { log, lines } = keptLog();
  const clock = new VirtualClock();
  const reconfigure = () => {
    const pass = Promise.withResolvers<typeof NOTHING>();
    passing.push(pass);
    return pass.promise;
  };
  const reloads = new Reloads({ config, load: () => configOf(file.text), reconfigure, trust, clock, log });
  const passed = async (nth: number) => {
    while (passing[nth] === undefined) await Promise.resolve();
    return passing[nth];
  };
  return { reloads, file, passing, passed, clock, lines };
}

describe('reloads', () => {
  it('come one after the other, and who asks meanwhile shares the next one, which reads the latest', async () => {
    const { reloads, file, passing, passed } = scene();
    const first = reloads.reload();
    const pass = await passed(0);
    const second = reloads.reload();
    assert.equal(reloads.reload(), second);
    file.text = `${UPSTREAMS}health: {body: "2"}`;
    assert.equal(passing.length, 1);
    pass.resolve(NOTHING);
    (await passed(1)).resolve(NOTHING);
    assert.notEqual((await first).config.checksum, (await second).config.checksum);
    assert.equal((await second).config.table.healthBody, '2');
  });

  it('go on after one that was refused', async () => {
    const { reloads, file, passed, clock } = scene();
    const { checksum } = reloads.report;
    clock.advance(5);
    file.text = 'nonsense: 1';
    await assert.rejects(reloads.reload(), ConfigError);
    assert.equal(reloads.report.checksum, checksum);
    assert.deepEqual([reloads.report.isLastRefused, reloads.report.refused], [true, 1]);
    file.text = `${UPSTREAMS}health: {body: "2"}`;
    const reloaded = reloads.reload();
    (await passed(0)).resolve(NOTHING);
    await reloaded;
    assert.deepEqual([reloads.report.isLastRefused, reloads.report.applied], [false, 1]);
    assert.equal(reloads.report.sinceMs, clock.wallMs());
  });

  it('keep the old configuration when the registry cannot be changed', async () => {
    const { reloads, file, passed, lines } = scene();
    const { config } = reloads;
    file.text = `${UPSTREAMS}log: {level: error}`;
    const reloaded = reloads.reload();
    (await passed(0)).reject(new RegistryError('registry_unavailable', 'cut off'));
    await assert.rejects(reloaded, RegistryError);
    assert.equal(reloads.config, config);
    assert.match(lines.join(''), /"mistakes":\["cut off"\].*what was served is served on/);
  });
});
