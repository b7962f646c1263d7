import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { makeProject } from '../support/project.ts';
import { startViaduct } from '../support/viaduct.ts';

/** A port that nobody listens on at present. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('the same port of all IPv4 and of all IPv6 hosts', () => {
  for (const order of ['0.0.0.0 [::]', '[::] 0.0.0.0']) {
    it(`answers both, in the order ${order}`, async (t) => {
      const port = await freePort();
      const cwd = makeProject(t, { 'viaduct.toml': '[[route]]\nrespond = { body = "here" }\n' });
      const listen = order
        .split(' ')
        .map((host) => `${host}:${port}`)
        .join(',');
      await startViaduct(t, ['web'], { cwd, listen });
      for (const host of ['127.0.0.1', '[::1]']) {
        const response = await fetch(`http://${host}:${port}/`);
        assert.equal(await response.text(), 'here');
      }
    });
  }
});
