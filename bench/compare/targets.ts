/** What is compared, each as its documentation advises for one core: how it is started, and with what. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Site = {
  /** Where configurations and data go. */
  readonly folder: string;
  readonly port: number;
  /** A second port, for whoever needs one of its own. */
  readonly adminPort: number;
  /** Equal upstreams: the first is the one of those who balance nothing. */
  readonly upstreams: readonly number[];
  /** Where whoever traces sends its traces. */
  readonly collector: number;
};

export type Target = {
  readonly name: string;
  readonly version: string;
  /** Whether it balances over several upstreams and fails over. */
  readonly isBalancing: boolean;
  /** Whether it forwards WebSockets as it is configured here. */
  readonly isTunnelling: boolean;
  /** The Authorization header that requests need, once it listens. */
  readonly authorize: (port: number) => Promise<string>;
  readonly command: (site: Site) => readonly string[];
  readonly env: (site: Site) => Readonly<Record<string, string>>;
};

const root = fileURLToPath(new URL('../..', import.meta.url));
const peers = fileURLToPath(new URL('./peers/', import.meta.url));
const requirePeer = createRequire(import.meta.url);

const JWT_SECRET = 'a secret of the benchmark, of more than 32 bytes';

export function allTargets(): Target[] {
  return [
    target('nginx', toolVersion('nginx', ['-v'], /nginx\/([\d.]+)/), nginx, { isTunnelling: true }),
    target('haproxy', toolVersion('haproxy', ['-v'], /version ([\d.]+)/), haproxy, { isTunnelling: true }),
    target('caddy', toolVersion('caddy', ['version'], /v?([\d.]+)/), caddy, { isTunnelling: true }),
    signalbox('signalbox bare', bareConfig),
    signalbox('signalbox bare, undici', undiciConfig),
    { ...signalbox('signalbox full', fullConfig), env: fullEnv, authorize: register },
    peer('http-proxy', 'http-proxy'),
    peer('fast-proxy', 'fast-proxy'),
    peer('fastify-http-proxy', '@fastify/http-proxy'),
    probe('node-http'),
    probe('node-undici'),
  ];
}

function target(
  name: string,
  version: string,
  command: Target['command'],
  traits: Partial<Target> = {},
): Target {
  const defaults = { isBalancing: true, isTunnelling: false, authorize: async () => '', env: () => ({}) };
  return { name, version, command, ...defaults, ...traits };
}

/** With the configuration as the program would be run; the log goes nowhere that costs. */
function signalbox(name: string, config: (site: Site) => object): Target {
  const { version } = requirePeer('../../package.json');
  const command = (site: Site) => {
    const file = write(site, 'proxy.yaml', JSON.stringify(config(site)));
    return [join(root, 'bin/signalbox'), 'start', '--config', file];
  };
  return target(name, version, command, { isTunnelling: true });
}

function peer(script: string, packageName: string): Target {
  const { version } = requirePeer(`${packageName}/package.json`);
  const isTunnelling = script !== 'fast-proxy';
  return target(script, version, nodeCommand(script), { isBalancing: false, isTunnelling });
}

function probe(script: string): Target {
  return target(`${script} (probe)`, process.versions.node, nodeCommand(script), { isBalancing: false });
}

function nodeCommand(script: string): Target['command'] {
  return ({ port, upstreams }) => [
    process.execPath,
    join(peers, `${script}.ts`),
    `${port}`,
    `${upstreams[0]}`,
  ];
}

// -- Signalbox ---------------------------------------------------------------------------------------

function bareConfig({ port, adminPort, upstreams }: Site) {
  return {
    server: { listen_address: '127.0.0.1', listen_port: port, workers: 1 },
    admin: { listen: `127.0.0.1:${adminPort}` },
    load_balancing: {
      upstreams: upstreams.map((it, index) => ({ name: `u${index}`, address: '127.0.0.1', port: it })),
    },
    log: { level: 'warn' },
  };
}

/** The same with undici's own clients to the upstreams. */
function undiciConfig(site: Site) {
  return { ...bareConfig(site), upstream_connections: { transport: 'undici' } };
}

/** The whole pipeline: tokens, a limit by user, balancing by load, metrics, and one trace in a hundred. */
function fullConfig(site: Site) {
  const bare = bareConfig(site);
  return {
    ...bare,
    load_balancing: { ...bare.load_balancing, strategy: 'p2c_ewma' },
    middleware: {
      auth: { enabled: true, auth_type: 'jwt' },
      rate_limit: { enabled: true, requests_per_minute: 60_000_000, burst_size: 60_000_000 },
    },
  };
}

/** Spans are sent as they are by default; a collector that takes them is there. */
function fullEnv({ collector }: Site) {
  return {
    JWT_SECRET,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector}`,
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.01',
  };
}

/** Registers somebody, who gets a token with it. */
async function register(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/auth/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: 'bench@example.com', password: 'Correct-Horse-7-Battery' }),
  });
  const answer = (await response.json()) as { access_token?: string };
  if (answer.access_token === undefined) throw new Error(`no token: ${JSON.stringify(answer)}`);
  return `Bearer ${answer.access_token}`;
}

// -- the others --------------------------------------------------------------------------------------

function nginx(site: Site): string[] {
  const servers = site.upstreams.map((port) => `server 127.0.0.1:${port} max_fails=1;`).join(' ');
  const file = write(
    site,
    'nginx.conf',
    `daemon off; worker_processes 1; pid ${site.folder}/nginx.pid; error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off; client_body_temp_path ${site.folder}; proxy_temp_path ${site.folder};
  keepalive_requests 1000000;
  upstream pool { ${servers} keepalive 64; keepalive_requests 1000000; }
  map $http_upgrade $connection_header { default upgrade; '' ''; }
  server {
    listen 127.0.0.1:${site.port};
    location / {
      proxy_pass http://pool; proxy_http_version 1.1;
      proxy_set_header Connection $connection_header; proxy_set_header Upgrade $http_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`,
  );
  return ['nginx', '-c', file, '-p', site.folder];
}

function haproxy(site: Site): string[] {
  const servers = site.upstreams.map((port, index) => `  server u${index} 127.0.0.1:${port}`).join('\n');
  const file = write(
    site,
    'haproxy.cfg',
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
  option forwardfor
  option redispatch 1
frontend in
  bind 127.0.0.1:${site.port}
  default_backend pool
backend pool
  balance roundrobin
  http-reuse always
${servers}
`,
  );
  return ['haproxy', '-db', '-q', '-f', file];
}

function caddy(site: Site): string[] {
  const upstreams = site.upstreams.map((port) => `127.0.0.1:${port}`).join(' ');
  const file = write(
    site,
    'Caddyfile',
    `{
  admin off
  auto_https off
  storage file_system ${site.folder}
}
http://127.0.0.1:${site.port} {
  bind 127.0.0.1
  reverse_proxy ${upstreams} {
    lb_policy round_robin
    lb_try_duration 1s
    fail_duration 10s
  }
}
`,
  );
  return ['caddy', 'run', '--config', file, '--adapter', 'caddyfile'];
}

function write({ folder }: Site, name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function toolVersion(command: string, args: readonly string[], pattern: RegExp): string {
  const { stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) throw new Error(`${command} is needed for comparison, and is not installed`);
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown';
}
