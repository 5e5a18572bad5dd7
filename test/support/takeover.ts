/** Instances that take over from one another. */
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { BIN, type Cleanup, Instance, until } from './process.ts';

/** Starts an instance with the file and the ports of another one; resolves when it serves beside it. */
export async function startBeside(t: Cleanup, other: Instance): Promise<Instance> {
  const child = spawn(BIN, ['start', '--takeover', '--config', other.file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SIGNALBOX_DATA_DIR: dirname(other.file) },
  });
  const instance = new Instance(child, other.file, other.port, Number(new URL(other.admin).port));
  t.after(() => instance.stop('SIGKILL'));
  await until('it serves beside the other one', () => {
    if (child.exitCode !== null) throw new Error(`it ended at once:\n${instance.output}`);
    return instance.output.includes('"serving"');
  });
  return instance;
}
