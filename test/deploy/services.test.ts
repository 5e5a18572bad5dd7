import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { loadConfig } from '#config/load.ts';
import { INSTANCE_INSTRUMENTS, WORKER_INSTRUMENTS } from '#core/metric-names.ts';
import { prometheusName } from '#telemetry/prometheus.ts';
import { BIN, ROOT } from '#test/support/process.ts';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-deploy-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe('the service of systemd', () => {
  const unit = readFileSync(join(ROOT, 'deploy/systemd/signalbox.service'), 'utf8');

  /** Runs systemd-analyze on the unit as it would be on this machine. */
  function analyze(t: TestContext, ...args: string[]) {
    const file = join(folderFor(t), 'signalbox.service');
    writeFileSync(file, unit.replaceAll('/opt/signalbox/bin/signalbox', BIN));
    const { error, status, stdout, stderr } = spawnSync('systemd-analyze', [...args, file], {
      encoding: 'utf8',
    });
    if (error !== undefined) {
      throw new Error('systemd-analyze is missing; scripts/system-packages.sh installs it', { cause: error });
    }
    return { status, output: `${stdout}${stderr}` };
  }

  it('is to systemd’s liking', (t) => {
    assert.deepEqual(analyze(t, 'verify'), { status: 0, output: '' });
  });

  it('exposes little', (t) => {
    const { status, output } = analyze(t, 'security', '--offline=true', '--threshold=20', '--no-pager');
    assert.equal(status, 0, output);
  });

  it('waits longer than an instance takes to drain', () => {
    const [, seconds = ''] = /^TimeoutStopSec=(\d+)s$/m.exec(unit) ?? [];
    const { shutdown } = loadConfig(join(ROOT, 'config/proxy.yaml'), {}).settings;
    assert.ok(Number(seconds) * 1000 > shutdown.lameDuckMs + shutdown.graceMs);
  });
});

describe('the manifests for Kubernetes', () => {
  const documents = ['signalbox.yaml', 'autoscaler.yaml'].flatMap((file) =>
    parseAllDocuments(readFileSync(join(ROOT, 'deploy/kubernetes', file), 'utf8')).map((it) => it.toJS()),
  );
  const find = (kind: string) => documents.find((it) => it.kind === kind);
  const pod = find('Deployment').spec.template.spec;
  const [container] = pod.containers;

  it('hold a configuration that can be used', (t) => {
    const file = join(folderFor(t), 'proxy.yaml');
    writeFileSync(file, find('ConfigMap').data['proxy.yaml']);
    const env = { POD_NAME: 'signalbox-5d9c7b-x2x4z', SIGNALBOX_ADMIN_TOKEN: 'x'.repeat(64) };
    const { settings, warnings } = loadConfig(file, { ...env, NATS_URL: 'nats://signalbox:p@nats:4222' });
    assert.deepEqual(warnings, []);
    const graceMs = settings.shutdown.lameDuckMs + settings.shutdown.graceMs;
    const preStopMs = container.lifecycle.preStop.sleep.seconds * 1000;
    assert.ok(pod.terminationGracePeriodSeconds * 1000 > preStopMs + graceMs);
    const ports = container.ports.map(({ containerPort }: { containerPort: number }) => containerPort);
    assert.deepEqual(ports, [settings.server.port, settings.admin.port]);
  });

  it('probe what probes may ask for', () => {
    assert.equal(container.readinessProbe.httpGet.path, '/readyz');
    assert.equal(container.livenessProbe.httpGet.path, '/livez');
  });

  it('run as nobody in particular, who can write nowhere', () => {
    assert.equal(pod.securityContext.runAsNonRoot, true);
    assert.equal(container.securityContext.readOnlyRootFilesystem, true);
    assert.deepEqual(container.securityContext.capabilities.drop, ['ALL']);
    assert.doesNotMatch(container.image, /:latest$|^[^:]*$/);
  });

  it('belong together', () => {
    const { matchLabels } = find('Deployment').spec.selector;
    assert.deepEqual(find('Deployment').spec.template.metadata.labels, matchLabels);
    assert.deepEqual(find('Service').spec.selector, matchLabels);
    assert.deepEqual(find('PodDisruptionBudget').spec.selector.matchLabels, matchLabels);
    assert.equal(find('HorizontalPodAutoscaler').spec.scaleTargetRef.name, find('Deployment').metadata.name);
  });

  it('scale by a metric that there is', () => {
    const [{ pods }] = find('HorizontalPodAutoscaler').spec.metrics;
    const names = [...Object.values(WORKER_INSTRUMENTS), ...Object.values(INSTANCE_INSTRUMENTS)].map(
      prometheusName,
    );
    assert.ok(names.includes(pods.metric.name));
    assert.match(
      readFileSync(join(ROOT, 'deploy/prometheus-adapter.yaml'), 'utf8'),
      new RegExp(`as: ${pods.metric.name} `),
    );
  });
});
