/** Prometheus' text format (0.0.4) read back, strictly: what it does not know is an error. */
import { spawnSync } from 'node:child_process';

export type Labels = Readonly<Record<string, string>>;

export type Sample = { readonly name: string; readonly labels: Labels; readonly value: number };

const COMMENT = /^# (?:(?:HELP|UNIT|TYPE) [a-zA-Z_][a-zA-Z0-9_]* |no registered metrics$)/;
const SAMPLE = /^([a-zA-Z_][a-zA-Z0-9_]*)(?:\{(.*)\})? (\S+)$/s;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/y;

export function parseExposition(text: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !COMMENT.test(line))
    .map((line) => {
      const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? fail(line);
      return { name, labels: parseLabels(labels), value: value === '+Inf' ? Infinity : Number(value) };
    });
}

/** The values of all samples of that name that have at least these labels, added up. */
export function total(samples: readonly Sample[], name: string, labels: Labels = {}): number {
  return samples
    .filter(
      (it) => it.name === name && Object.entries(labels).every(([key, text]) => it.labels[key] === text),
    )
    .reduce((sum, { value }) => sum + value, 0);
}

/** What Prometheus' own tool finds wrong with an exposition; '' for nothing. */
export function promtoolComplaints(exposition: string): string {
  const { error, status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], {
    input: exposition,
    encoding: 'utf8',
  });
  if (error !== undefined) {
    throw new Error(
      'promtool could not be run; it is in the Debian package `prometheus` (see scripts/system-packages.sh)',
      { cause: error },
    );
  }
  return status === 0 ? '' : `${stdout}${stderr}`;
}

function parseLabels(text: string): Labels {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name = '', value = ''] = LABEL.exec(text) ?? fail(text);
    labels[name] = value.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
  }
  return labels;
}

function fail(text: string): never {
  throw new Error(`no Prometheus exposition: ${text}`);
}
