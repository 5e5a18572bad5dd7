/** How long it takes until all instances act on what one of them knows. Milliseconds, one for each try. */
import { setTimeout as delay } from 'node:timers/promises';
import { bearer, post, type Tokens, USER } from '../accounts.ts';
import { ask } from '../load.ts';
import { type Instance, until } from '../process.ts';
import {
  type Cluster,
  hearOpinions,
  isAgreed,
  jsonOf,
  untilVerdict,
  viewsOf,
  WatchedUpstream,
} from './scene.ts';

/** After so long without a request, none comes any more. */
const QUIET_MS = 400;

/** From when a majority had found out that an upstream is dead, to the last request that it was sent. */
export async function killed(cluster: Cluster, tries: number): Promise<number[]> {
  const { upstreams, instances } = cluster;
  const heard = await hearOpinions(cluster);
  const majority = Math.floor(instances.length / 2) + 1;
  const figures: number[] = [];
  for (let nth = 0; nth < tries; nth++) {
    const upstream = upstreams[nth % upstreams.length] as WatchedUpstream;
    upstream.isBroken = true;
    await until('it is found out', () => heard.calledDownMs(upstream, majority) !== undefined);
    const foundMs = heard.calledDownMs(upstream, majority) ?? 0;
    await quiet(upstream);
    figures.push(Math.max(0, upstream.lastMs - foundMs));
    upstream.isBroken = false;
    await untilVerdict(cluster, upstream.name, 'up');
  }
  return figures;
}

/** From when one instance answered that it drains an upstream, to the last request that it was sent. */
export async function drained({ upstreams, instances }: Cluster, tries: number): Promise<number[]> {
  const figures: number[] = [];
  for (let nth = 0; nth < tries; nth++) {
    const upstream = upstreams[nth % upstreams.length] as WatchedUpstream;
    const { admin } = instances[nth % instances.length] as Instance;
    const set = (state: string) =>
      jsonOf(`${admin}/api/upstreams/${upstream.name}`, { method: 'PATCH', body: JSON.stringify({ state }) });
    await set('drain');
    const answeredMs = performance.now();
    await quiet(upstream);
    figures.push(Math.max(0, upstream.lastMs - answeredMs));
    await set('ready');
    const readyMs = performance.now();
    await until('it is asked again', () => upstream.lastMs > readyMs);
  }
  return figures;
}

/** From when one instance answered that it has added an upstream, until each of them has sent it a request. */
export async function added({ t, instances }: Cluster, tries: number): Promise<number[]> {
  const figures: number[] = [];
  for (let nth = 0; nth < tries; nth++) {
    const upstream = await WatchedUpstream.start(t, `new${nth}`);
    const { admin } = instances[nth % instances.length] as Instance;
    const { name, port } = upstream;
    const record = { name, address: '127.0.0.1', port, weight: 256 };
    await jsonOf(`${admin}/api/upstreams`, { method: 'POST', body: JSON.stringify(record) });
    const answeredMs = performance.now();
    const served = instances.map(async ({ url }) => {
      await until(`${name} is served`, async () => (await ask(url)).body === name);
      return performance.now() - answeredMs;
    });
    figures.push(Math.max(...(await Promise.all(served))));
    await jsonOf(`${admin}/api/upstreams/${name}`, { method: 'DELETE' });
  }
  return figures;
}

/** From when one instance answered a logout, to the last request with its token that any of them let through. */
export async function loggedOut({ instances }: Cluster, tries: number): Promise<number[]> {
  const figures: number[] = [];
  const first = instances[0] as Instance;
  await post(first, 'register', USER);
  for (let nth = 0; nth < tries; nth++) {
    const instance = instances[nth % instances.length] as Instance;
    const { access_token: token, refresh_token } = (await (
      await post(instance, 'login', USER)
    ).json()) as Tokens;
    let isOver = false;
    let lastMs = 0;
    const clients = instances.map(async ({ url }) => {
      while (!isOver) {
        const sentMs = performance.now();
        if ((await ask(url, { headers: bearer(token) })).status === 200) lastMs = Math.max(lastMs, sentMs);
        await delay(2);
      }
    });
    await delay(50);
    const body = JSON.stringify({ refresh_token });
    const headers = { 'Content-Type': 'application/json', ...bearer(token) };
    const answer = await fetch(`${instance.url}/auth/logout`, { method: 'POST', headers, body });
    const answeredMs = performance.now();
    if (!answer.ok) throw new Error(`logout: ${answer.status} ${await answer.text()}`);
    await delay(QUIET_MS);
    isOver = true;
    await Promise.all(clients);
    figures.push(Math.max(0, lastMs - answeredMs));
  }
  return figures;
}

/** Requests let through within `seconds` when all instances together are offered `perSecond`. */
export async function accepted(
  { instances }: Cluster,
  perSecond: number,
  seconds: number,
  headers: Record<string, string>,
): Promise<number> {
  let count = 0;
  const startMs = performance.now();
  const open: Promise<void>[] = [];
  for (let nth = 0; nth < perSecond * seconds; nth++) {
    const waitMs = startMs + (nth * 1000) / perSecond - performance.now();
    if (waitMs > 1) await delay(waitMs);
    const { url } = instances[nth % instances.length] as Instance;
    open.push(
      ask(url, { headers }).then(({ status }) => {
        if (status === 200) count++;
      }),
    );
  }
  await Promise.all(open);
  return count;
}

/** From when NATS listens again, until every instance hears of all of them that they serve the same. */
export async function reunited(cluster: Cluster): Promise<number> {
  await cluster.nats.stop('SIGKILL');
  await until('each instance is alone', async () => {
    const views = await viewsOf(cluster);
    return views.every(({ bus, instances }) => bus === 'isolated' && instances.length === 1);
  });
  await cluster.nats.restart();
  const startMs = performance.now();
  await until('the instances agree', () => isAgreed(cluster), 20_000);
  return performance.now() - startMs;
}

/** Until nobody has asked it for a while. */
async function quiet(upstream: WatchedUpstream): Promise<void> {
  const startMs = performance.now();
  await until(
    `${upstream.name} is asked no more`,
    () => performance.now() - Math.max(upstream.lastMs, startMs) > QUIET_MS,
    5_000,
  );
}
