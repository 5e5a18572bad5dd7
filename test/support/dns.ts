import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';
import type { TestContext } from 'node:test';

export type Zone = Record<string, { addresses: readonly string[]; ttl: number }>;

const TYPES = { 1: 4, 28: 6 } as const;
const NAME_ERROR = 3;
const SERVER_FAILURE = 2;

/** A DNS server over UDP (RFC 1035 §4) that knows the A and AAAA records of one zone. */
export class DnsServer {
  readonly address: string;
  readonly zone: Zone;
  /** Whether it answers that it cannot answer. */
  isFailing = false;
  queries = 0;

  static async start(t: TestContext, zone: Zone): Promise<DnsServer> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    t.after(() => socket.close());
    return new DnsServer(socket, zone);
  }

  private constructor(socket: Socket, zone: Zone) {
    this.address = `127.0.0.1:${socket.address().port}`;
    this.zone = zone;
    socket.on('message', (query, peer) => socket.send(this.#answer(query), peer.port, peer.address));
  }

  #answer(query: Buffer): Buffer {
    this.queries++;
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const type = query.readUInt16BE(at + 1);
    const question = query.subarray(12, at + 5);
    const entry = this.zone[labels.join('.').toLowerCase()];
    const family = TYPES[type as keyof typeof TYPES];
    const addresses = this.isFailing ? [] : (entry?.addresses ?? []).filter((it) => isIP(it) === family);
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | (this.isFailing ? SERVER_FAILURE : entry ? 0 : NAME_ERROR), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(addresses.length, 6);
    const records = addresses.map((it) => record(type, entry?.ttl ?? 0, it));
    return Buffer.concat([header, question, ...records]);
  }
}

/** Its name points back to the question's. */
function record(type: number, ttl: number, address: string): Buffer {
  const data = isIP(address) === 4 ? Buffer.from(address.split('.').map(Number)) : ipv6(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function ipv6(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::');
  const words = (text: string) => text.split(':').filter((word) => word !== '');
  const [left, right] = [words(head), words(tail)];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const bytes = Buffer.alloc(16);
  for (const [index, word] of [...left, ...zeros, ...right].entries()) {
    bytes.writeUInt16BE(Number.parseInt(word, 16), index * 2);
  }
  return bytes;
}
