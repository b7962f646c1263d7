import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { startBackend, type TestBackend } from '../support/backend.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  FrameClient,
  fields,
  frame,
  HEADERS,
  section,
} from '../support/http2-frames.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startViaduct } from '../support/viaduct.ts';

/** The password of jane is "secret". */
const HASH = '$5$salt$';

/** The names that only handlers may send to the backend, in the spellings that CGI takes for the same name. */
const SPELLINGS = ['X-Remote-User', 'X-Admin', 'X-User', 'X-Internal', 'X-Set', 'X-Own-Name'].flatMap((name) => [
  name,
  name.toLowerCase(),
  name.replaceAll('-', '_'),
  name.replace('-', '_'),
]);
const FORGED = 'forged';
const KEPT = 'X-Kept';

function configuration(backend: string, service: string): string {
  const proxy = `proxy = "${backend}"\nproxy_options = { underscores_in_headers = true }`;
  const removed = 'remove = ["X-Internal", "X-Remote-User", "X-Admin", "X-User", "X_Own_Name"]';
  return [
    `headers = { request = { ${removed}, set = { X-Set = "ours" } } }`,
    `[[route]]\npath = "/asked/*"\nheaders = false\n${proxy}`,
    `forward_auth = { url = "${service}/", copy_headers = ["X-Remote-User", "X-Admin"] }`,
    `[[route]]\npath = "/password/*"\nheaders = false\n${proxy}`,
    `basic_auth = { users = { jane = "${HASH}${'a'.repeat(43)}" }, user_header = "X-Own-Name" }`,
    `[[route]]\npath = "/open/*"\nheaders = false\n${proxy}`,
    `[[route]]\n${proxy}`,
  ].join('\n');
}

/** The names that a route keeps away from its backend. */
const ROUTES: readonly (readonly [path: string, gone: RegExp])[] = [
  ['/asked/x', /^x[-_](?:remote[-_]user|admin|own[-_]name)$/i],
  ['/open/x', /^x[-_](?:remote[-_]user|admin|own[-_]name)$/i],
  ['/rules/x', /^x[-_](?:remote[-_]user|admin|own[-_]name|user|internal|set)$/i],
];

describe('fields that only handlers may send', () => {
  const suite = suiteLifetime();
  let backend: TestBackend;
  let port = 0;

  before(async () => {
    backend = await startBackend(suite, {
      onData({ socket, received }) {
        if (/\r\n0\r\n(?:.*\r\n)?\r\n$/s.test(received))
          socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
      },
    });
    const service = await startBackend(suite, () => 'HTTP/1.1 204 No Content\r\nX-Remote-User: jane\r\n\r\n');
    const directory = temporaryDirectory(suite);
    writeFileSync(join(directory, 'viaduct.toml'), configuration(backend.url, service.url));
    ({ port } = await startViaduct(suite, ['web'], { cwd: directory }));
  });

  /** Sends `head` and `trailers` with the forged value. Returns what came to the backend. */
  async function send(
    protocol: 'HTTP/1.1' | 'HTTP/2',
    path: string,
    head: readonly string[],
    trailers: readonly string[],
  ): Promise<string> {
    const seen = backend.connections.length;
    if (protocol === 'HTTP/1.1') {
      const lines = (names: readonly string[]) => names.map((name) => `${name}: ${FORGED}\r\n`).join('');
      const client = await SocketClient.open(port);
      client.send(
        `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n${lines(head)}\r\n1\r\nx\r\n0\r\n${lines(trailers)}\r\n`,
      );
      assert.equal(await client.untilClosed(), 204);
    } else {
      const pairs = (names: readonly string[]) => names.map((name) => [name.toLowerCase(), FORGED] as const);
      const client = await FrameClient.open(port);
      client.send(
        frame(HEADERS, END_HEADERS, 1, section(fields({ ':method': 'POST', ':path': path }, pairs(head)))),
        frame(DATA, 0, 1, 'x'),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, section(pairs(trailers))),
      );
      await client.until('the answer', ({ type, flags }) => type === HEADERS && (flags & END_STREAM) !== 0);
      client.close();
    }
    return backend.connections[seen]?.received ?? '';
  }

  for (const protocol of ['HTTP/1.1', 'HTTP/2'] as const) {
    for (const [path, gone] of ROUTES) {
      it(`do not come from a client, in the head or in trailers: ${path} over ${protocol}`, async () => {
        const names = SPELLINGS.filter((name) => gone.test(name));
        for (const name of names) {
          for (const [head, trailers] of [
            [[name, KEPT], []],
            [[], [name, KEPT]],
            [[name], [name, KEPT]],
          ] as const) {
            const received = await send(protocol, path, head, trailers);
            assert.match(received, /^X-Kept: forged\r$/im, `${name} in ${JSON.stringify({ head, trailers })}`);
            const forged = received.match(/^.*: forged\r$/gim)?.filter((line) => !/^x-kept/i.test(line));
            assert.deepEqual(forged, [], `${name} in ${JSON.stringify({ head, trailers })}`);
          }
        }
      });
    }
  }
});
