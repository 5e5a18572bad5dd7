import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { portError, probePort } from '#control/port.ts';

const WHAT = 'proxy listener (server.listen_port)';

async function stranger(
  t: TestContext,
  options: { host: string; reusePort?: boolean; port?: number },
): Promise<number> {
  const server = createServer().listen({ port: 0, ...options });
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe('a port', () => {
  it('that is free may be shared by threads, and is free again afterwards', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    assert.deepEqual(await probePort(WHAT, '127.0.0.1', port), { reusePort: process.platform === 'linux' });
    assert.equal(await stranger(t, { host: '127.0.0.1', port }), port);
  });

  // A listener that shares its port would have shared it with us, too, and each had half of the clients.
  for (const reusePort of [false, true]) {
    it(`that a stranger has is refused in one line${reusePort ? ', even if the stranger would share it' : ''}`, async (t) => {
      const port = await stranger(t, { host: '127.0.0.1', reusePort });
      for (const address of ['127.0.0.1', '0.0.0.0']) {
        await assert.rejects(probePort(WHAT, address, port), {
          code: 'port_unavailable',
          blame: 'operator',
          message: `${WHAT}: ${address}:${port} is taken by another process; to see which: ss -ltnp 'sport = :${port}'`,
        });
      }
    });
  }

  it('of an address that this machine does not have is refused in one line', async () => {
    await assert.rejects(probePort(WHAT, '192.0.2.1', 8080), {
      message: `${WHAT}: 192.0.2.1:8080 is no address of this machine`,
    });
    await assert.rejects(probePort(WHAT, '2001:db8::1', 8080), {
      message: `${WHAT}: [2001:db8::1]:8080 is no address of this machine`,
    });
  });

  it('that this user may not have is refused with what to do', () => {
    const cause = Object.assign(new Error(), { code: 'EACCES' });
    const error = portError(WHAT, '0.0.0.0', 80, cause);
    assert.match(error.message, /^proxy listener .*0\.0\.0\.0:80 may not be listened on.* above 1023$/);
    assert.equal(error.cause, cause);
  });

  it('that fails in another way is refused with the code of the system', () => {
    assert.match(
      portError(WHAT, '::', 80, { code: 'EMFILE' }).message,
      /\[::\]:80 cannot be listened on \(EMFILE\)$/,
    );
  });
});
