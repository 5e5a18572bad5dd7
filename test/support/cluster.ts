/** Several real instances that share a NATS server, and what their admin API says. */
import assert from 'node:assert/strict';
import { type Cleanup, type Config, type Instance, startInstance, type Upstreams, until } from './process.ts';

export type Member = {
  readonly id: string;
  readonly revision: number;
  readonly checksum: string;
  readonly last_seen_ms: number;
};

export type ShownUpstream = {
  readonly pool: string;
  readonly name: string;
  readonly port: number;
  readonly weight: number;
  readonly state: string;
  readonly in_flight: number;
  readonly revision: number;
  readonly verdict: string;
  readonly opinions: readonly { readonly instance: string; readonly verdict: string }[];
};

/** An instance of the cluster whose NATS is at `url`. */
export function joinCluster(
  t: Cleanup,
  url: string,
  upstreams: Upstreams,
  config: Config = {},
  env: Readonly<Record<string, string>> = {},
): Promise<Instance> {
  return startInstance(t, upstreams, config, null, { NATS_URL: url, ...env });
}

export async function upstreamsOf(instance: Instance): Promise<readonly ShownUpstream[]> {
  const { upstreams } = (await (await fetch(`${instance.admin}/api/upstreams`)).json()) as {
    upstreams: ShownUpstream[];
  };
  return upstreams;
}

/** Names of the upstreams that the instance serves, in the order of the alphabet. */
export async function namesAt(instance: Instance): Promise<string> {
  return (await upstreamsOf(instance))
    .map(({ name }) => name)
    .toSorted()
    .join();
}

export async function clusterOf(instance: Instance) {
  const answer = await fetch(`${instance.admin}/api/cluster`);
  return (await answer.json()) as {
    instance: string;
    bus: string;
    revision: number;
    checksum: string;
    instances: readonly Member[];
  };
}

/** Waits until every instance serves exactly these upstreams. */
export async function untilAllServe(instances: readonly Instance[], names: string): Promise<void> {
  await until(`all serve ${names}`, async () => {
    const served = await Promise.all(instances.map(namesAt));
    return served.every((each) => each === names);
  });
  const checksums = await Promise.all(
    instances.map(async (instance) => (await clusterOf(instance)).checksum),
  );
  assert.equal(new Set(checksums).size, 1);
}

/** Asks the admin API to change something. */
export function change(
  { admin }: Instance,
  method: string,
  path: string,
  body: object | null = null,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${admin}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
}
