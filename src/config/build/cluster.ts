import { resolve } from 'node:path';
import type { z } from 'zod';
import { defaultPrefix, parseNatsUrl } from '#bus/settings.ts';
import { messageOf } from '#core/errors.ts';
import { newSuffix } from '#core/ids.ts';
import type { BusAuth, BusSettings, BusTls, InstanceSettings } from '#core/settings.ts';
import type { Environment } from '../env.ts';
import { Cluster, INSTANCE_ID, INSTANCE_ID_EXPECTED } from '../schema/cluster.ts';
import type { Config } from '../schema.ts';

type NatsConfig = NonNullable<z.output<typeof Cluster>['nats']>;

/** Leaves room for the random digits. */
const HOST_CHARS_MAX = 56;

/** `host` is the machine's name. */
export function buildInstance(config: Config, env: Environment, host: string): InstanceSettings {
  const { name, instance_id, observers } = config.cluster ?? Cluster.parse({});
  const id = instance_id ?? (env['SIGNALBOX_INSTANCE_ID'] || defaultId(host));
  return { id, cluster: name, observers };
}

/** Two instances of one machine, or of two containers that are called alike, must not take each other's part. */
function defaultId(host: string): string {
  const word = host.replaceAll(/[^\w-]/g, '-').replace(/^[_-]+/, '');
  return `${word.slice(0, HOST_CHARS_MAX) || 'instance'}-${newSuffix()}`;
}

/** Relative paths start at `folder`. Null where neither the file nor the environment names a server. */
export function buildBus(
  config: Config,
  env: Environment,
  { id, cluster }: InstanceSettings,
  folder: string,
): BusSettings | null {
  const { url, prefix, tls, ...login }: NatsConfig = config.cluster?.nats ?? {};
  const address = url ?? (env['NATS_URL'] ? parseNatsUrl(env['NATS_URL']) : null);
  if (address === null) return null;
  return {
    servers: address.servers,
    prefix: prefix ?? defaultPrefix(cluster),
    clientName: `signalbox ${id}`,
    auth: buildLogin(login, folder) ?? address.auth,
    tls: tls === undefined ? address.tls : buildTls(tls, folder),
  };
}

/** Null where the section gives none. */
function buildLogin(
  { user, password, token, credentials_file }: Omit<NatsConfig, 'url' | 'prefix' | 'tls'>,
  folder: string,
): BusAuth | null {
  if (user !== undefined && password !== undefined) return { kind: 'password', user, password };
  if (token !== undefined) return { kind: 'token', token };
  return credentials_file === undefined ? null : { kind: 'creds', file: resolve(folder, credentials_file) };
}

function buildTls({ ca_file, cert_file, key_file }: NonNullable<NatsConfig['tls']>, folder: string): BusTls {
  const path = (name: string | undefined) => (name === undefined ? null : resolve(folder, name));
  return { caFile: path(ca_file), certFile: path(cert_file), keyFile: path(key_file) };
}

/** What is wrong with the environment, as far as it is used. */
export function mistakesInCluster(config: Config, env: Environment): string[] {
  const { instance_id, nats } = config.cluster ?? {};
  const mistakes: string[] = [];
  const id = env['SIGNALBOX_INSTANCE_ID'];
  if (instance_id === undefined && id && !INSTANCE_ID.test(id)) {
    mistakes.push(`${variable('SIGNALBOX_INSTANCE_ID')} cannot be used: expected ${INSTANCE_ID_EXPECTED}`);
  }
  if (nats?.url !== undefined) return mistakes;
  const url = env['NATS_URL'];
  if (url) {
    const problem = problemWithUrl(url);
    if (problem !== null) mistakes.push(`${variable('NATS_URL')} cannot be used: ${problem}`);
  } else if (nats !== undefined) {
    mistakes.push(`\`cluster.nats\` has no \`url\`, and ${variable('NATS_URL')} is not set, either`);
  }
  return mistakes;
}

function problemWithUrl(url: string): string | null {
  try {
    parseNatsUrl(url);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

function variable(name: string): string {
  return `the environment variable \`${name}\``;
}
