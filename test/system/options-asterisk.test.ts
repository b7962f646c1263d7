import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startBackend } from '../support/backend.ts';
import { FrameClient, fields, HEADERS, request } from '../support/http2-frames.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startViaduct } from '../support/viaduct.ts';

const ASTERISK = 'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** The routes of a site, and the status that `OPTIONS *` gets; 299 is the answer of the backend. */
const SITES: readonly [string, (url: string) => string, number][] = [
  ['reaches the backend of all paths', (url) => `[[route]]\npath = "/*"\nproxy = "${url}"\n`, 299],
  ['reaches the backend of a route without a path', (url) => `[[route]]\nproxy = "${url}"\n`, 299],
  [
    'passes the rules of that route',
    (url) => `[[route]]\npath = "/*"\naccess = { deny = ["all"] }\nproxy = "${url}"\n`,
    403,
  ],
  [
    'is answered by the server when no route is for all paths',
    (url) => `[[route]]\npath = "/a/*"\nproxy = "${url}"\n`,
    204,
  ],
  [
    'is answered by the server when the root and other paths have different routes',
    (url) =>
      `[[route]]\npath = "/"\naccess = { deny = ["all"] }\nproxy = "${url}"\n[[route]]\npath = "/*"\nproxy = "${url}"\n`,
    204,
  ],
  [
    'is answered by the server when a pattern is for the root',
    (url) => `[[route]]\npath_pattern = '^/$'\nproxy = "${url}"\n[[route]]\nproxy = "${url}"\n`,
    204,
  ],
  [
    'is answered by the server when a pattern is for names in the root',
    (url) => `[[route]]\npath_pattern = '^/[^/]+$'\nproxy = "${url}"\n[[route]]\nproxy = "${url}"\n`,
    204,
  ],
  [
    'passes the rules of the whole site',
    (url) => `access = { deny = ["all"] }\n[[route]]\npath = "/"\nproxy = "${url}"\n`,
    403,
  ],
  ['is answered by the server when there are only files', () => '[[route]]\npath = "/*"\nstatic = "."\n', 204],
];

describe('OPTIONS *', { concurrency: 2 }, () => {
  for (const [what, site, status] of SITES) {
    it(`${what}, over HTTP/1.1 and HTTP/2`, async (t) => {
      const backend = await startBackend(t, (head) =>
        head.startsWith('OPTIONS * HTTP/1.1\r\n')
          ? 'HTTP/1.1 299 Asterisk\r\nContent-Length: 0\r\n\r\n'
          : 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      );
      const directory = temporaryDirectory(t);
      writeFileSync(join(directory, 'viaduct.toml'), site(backend.url));
      const { port } = await startViaduct(t, ['web'], { cwd: directory });
      const client = await SocketClient.open(port);
      client.send(ASTERISK);
      assert.equal(await client.untilClosed(), status);
      const frames = await FrameClient.open(port);
      frames.send(request(1, fields({ ':method': 'OPTIONS', ':path': '*' })));
      const { payload } = await frames.until('the response', ({ type }) => type === HEADERS);
      const indexed: Readonly<Record<number, number>> = { 136: 200, 137: 204, 141: 404 };
      const literal = Number(/\d{3}/.exec(payload.subarray(0, 8).toString('latin1'))?.[0] ?? 0);
      assert.equal(indexed[payload[0] ?? 0] ?? literal, status, payload.toString('hex'));
      frames.close();
    });
  }
});
