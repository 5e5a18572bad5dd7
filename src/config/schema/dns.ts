import { isIP } from 'node:net';
import { z } from 'zod';
import { parseEndpoint } from '../hosts.ts';
import { expecting } from './section.ts';

const SERVERS_MAX = 8;

const DnsServer = expecting(
  z.string().refine(isDnsServer),
  'an IP address, with or without a port, such as `10.0.0.2` or `127.0.0.1:5353`',
);

export const Dns = z.strictObject({
  servers: expecting(z.array(DnsServer).max(SERVERS_MAX), `a list of at most ${SERVERS_MAX} servers`)
    .default([])
    .describe(
      'Who is asked for the addresses of upstreams that are given by host name. Default: they are resolved as the programs of this machine resolve names, the hosts file included.',
    ),
});

function isDnsServer(text: string): boolean {
  return isIP(text) !== 0 || isIP(parseEndpoint(text)?.address ?? '') !== 0;
}
