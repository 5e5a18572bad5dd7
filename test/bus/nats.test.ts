import { after, before } from 'node:test';
import { NatsServer } from '#test/support/nats.ts';
import { testBusContract } from './contract.ts';
import { joinCluster } from './members.ts';

const ends: (() => Promise<void>)[] = [];
let server: NatsServer;
let clusters = 0;

before(async () => {
  server = await NatsServer.start({ after: (end) => ends.push(end as () => Promise<void>) });
});
after(async () => {
  for (const end of ends) await end();
});

testBusContract('NATS bus', async (t) => {
  const prefix = `signalbox.cluster-${clusters++}`;
  const [first, second] = await Promise.all([
    joinCluster(t, { url: server.url, prefix }),
    joinCluster(t, { url: server.url, prefix }),
  ]);
  return { first: first.bus, second: second.bus, pass: () => {} };
});
