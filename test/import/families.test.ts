import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import { NO_NGINX } from '../support/nginx.ts';
import { freePort } from '../support/peer.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startImported } from './judge/imported-server.ts';
import { startRealNginx } from './judge/real-nginx.ts';

const HAS_IPV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

/** What follows `listen`, with PORT for the port. */
const LISTENS = [
  'listen [::]:PORT;',
  'listen [::]:PORT ipv6only=off;',
  'listen [::]:PORT; listen PORT;',
  'listen PORT;',
  'listen [::1]:PORT;',
];

describe('a listener of nginx and the imported one', { skip: NO_NGINX || !HAS_IPV6 }, () => {
  for (const listen of LISTENS) {
    it(`take connections by the same protocols: ${listen}`, async (t) => {
      const port = await freePort();
      const http = `server { ${listen.replaceAll('PORT', `${port}`)} return 204; }\n`;
      const places = temporaryDirectory(t);
      const nginx = await startRealNginx(t, places, http);
      if (typeof nginx === 'string') throw new Error(nginx);
      const wanted = await reachableAt(port);
      await nginx.stop();
      await startImported(t, places, `http {\n${http}}\n`);
      assert.deepEqual(await reachableAt(port), wanted);
      assert.ok(Object.values(wanted).includes(true));
    });
  }
});

async function reachableAt(port: number): Promise<Readonly<Record<string, boolean>>> {
  return { '127.0.0.1': await isReachable('127.0.0.1', port), '::1': await isReachable('::1', port) };
}

function isReachable(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (isOpen: boolean) => () => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', end(true)).once('error', end(false));
  });
}
