import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { breakOff } from '../../../src/http/transport/reset-socket.ts';
import { eventually } from '../../support/wait.ts';

/** Both ends of a connection over TCP. */
async function pair(t: TestContext): Promise<{ ours: Socket; theirs: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const theirs = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [ours] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    ours.destroy();
    theirs.destroy();
    server.close();
  });
  return { ours, theirs };
}

/** Resolves to how `socket` learns of the end: `end`, or the code of an error. */
function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on('end', () => resolve('end')).on('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(code));
    socket.resume();
  });
}

const NO_PROC = process.platform === 'linux' ? false : 'descriptors are counted in /proc';

describe('a connection that is broken off', () => {
  it('is reset', async (t) => {
    const { ours, theirs } = await pair(t);
    const end = endOf(theirs);
    ours.write('a part');
    breakOff(ours);
    assert.equal(await end, 'ECONNRESET');
  });

  it('is reset while its last bytes wait', async (t) => {
    const { ours, theirs } = await pair(t);
    ours.end(Buffer.alloc(50_000_000));
    breakOff(ours);
    assert.equal(await endOf(theirs), 'ECONNRESET');
  });

  it('is closed when its end is on its way, and leaves no descriptor', { skip: NO_PROC }, async (t) => {
    const { ours, theirs } = await pair(t);
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    const errors: unknown[] = [];
    ours.on('error', (error) => errors.push(error));
    const end = endOf(theirs);
    ours.end('all of it');
    breakOff(ours);
    assert.equal(await end, 'end');
    theirs.end();
    await eventually('both descriptors are closed', () => descriptors() <= before - 2);
    assert.deepEqual(errors, []);
  });
});
