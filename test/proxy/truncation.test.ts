import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import type { CgiProtocol } from '../../src/proxy/backend.ts';
import { startBackend } from '../support/backend.ts';
import { encodeRequest, readRecords, variablesOf } from '../support/cgi-frames.ts';
import { DATA, END_HEADERS, fields, frame, request, SETTINGS } from '../support/http2-frames.ts';
import type { ServeOptions } from '../support/serve-handler.ts';
import { serveProxy } from '../support/serve-proxy.ts';
import { eventually } from '../support/wait.ts';

type BackendProtocol = 'http' | CgiProtocol;

const CONTENT = 'x'.repeat(100_000);
const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\n';
const LENGTH = '200000';

/** Uploads that stop halfway. */
const UPLOADS: readonly [string, ServeOptions['protocol'] & string, string][] = [
  ['HTTP/1.1 with a length', 'HTTP/1.1', `${HEAD}Content-Length: ${LENGTH}\r\n\r\n${CONTENT}`],
  ['HTTP/1.1 in chunks', 'HTTP/1.1', `${HEAD}Transfer-Encoding: chunked\r\n\r\n186a0\r\n${CONTENT}\r\n`],
  ['HTTP/2', 'HTTP/2', streamed([])],
  ['HTTP/2 with a length', 'HTTP/2', streamed([['content-length', LENGTH]])],
  [
    'fastcgi',
    'fastcgi',
    encodeRequest(
      'fastcgi',
      variablesOf({ REQUEST_METHOD: 'POST', CONTENT_LENGTH: LENGTH }),
      CONTENT.slice(0, 60_000),
    ).slice(0, -8),
  ],
];

function streamed(more: readonly (readonly [string, string])[]): string {
  const open = request(1, fields({ ':method': 'POST' }, more), END_HEADERS);
  const frames = Array.from({ length: 6 }, () => frame(DATA, 0, 1, 'x'.repeat(10_000)));
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(SETTINGS, 0, 0),
    open,
    ...frames,
  ]).toString('latin1');
}

/** Whether a backend could take these octets for a whole request. */
const LOOKS_WHOLE: Readonly<Record<BackendProtocol, (octets: string) => boolean>> = {
  http: (octets) => {
    const start = octets.indexOf('\r\n\r\n') + 4;
    const length = /^content-length: (\d+)/im.exec(octets)?.[1];
    return length === undefined ? octets.endsWith('\r\n0\r\n\r\n') : octets.length - start >= Number(length);
  },
  fastcgi: (octets) => {
    const { types } = readRecords(octets);
    return types.at(-1) === 5 && octets.slice(-8, -2) === '\x01\x05\0\x01\0\0';
  },
  uwsgi: (octets) => contentOf(octets) >= Number(/CONTENT_LENGTH..(\d+)/s.exec(octets)?.[1] ?? 0),
  scgi: (octets) => contentOf(octets) >= Number(/^\d+:CONTENT_LENGTH\0(\d+)/.exec(octets)?.[1] ?? 0),
};

/** Octets of content, which consists of `x`. */
function contentOf(octets: string): number {
  return octets.length - octets.indexOf('xxx');
}

describe('an upload that breaks off', { concurrency: 4 }, () => {
  for (const [client, protocol, octets] of UPLOADS) {
    for (const backendProtocol of Object.keys(LOOKS_WHOLE) as BackendProtocol[]) {
      for (const bufferRequest of [false, true]) {
        for (const reset of [false, true]) {
          it(`over ${client}${reset ? ' with a reset' : ''} does not look whole to a backend of ${backendProtocol}${bufferRequest ? ' with a buffer' : ''}`, async (t) => {
            const backend = await startBackend(t, {});
            const cgi = backendProtocol === 'http' ? {} : { protocol: backendProtocol };
            const { port, connections, requests, answered } = await serveProxy(t, [{ ...backend.backend, ...cgi }], {
              bufferRequest,
              protocol,
            });
            const socket = connect({ port, host: '127.0.0.1' });
            socket.on('error', () => {});
            socket.resume();
            socket.write(octets, 'latin1');
            await eventually('the request has started', () => requests.length === 1);
            const streams = !bufferRequest && (backendProtocol === 'http' || !/chunks$|2$/.test(client));
            if (streams)
              await eventually(
                'the backend gets content',
                () => backend.connections[0]?.received.includes('xxx') === true,
              );
            if (reset) socket.resetAndDestroy();
            else socket.end();
            await eventually('the request is over', () => answered.length === 1);
            await eventually('the server has forgotten the connection', () => connections.size === 0);
            await eventually('the backend is free', () =>
              backend.connections.every((one) => one.socket.destroyed || one.socket.readableEnded),
            );
            for (const { received } of backend.connections) {
              assert.equal(LOOKS_WHOLE[backendProtocol](received), false, received.slice(0, 300));
            }
            if (!streams) assert.equal(backend.connections.length, 0);
          });
        }
      }
    }
  }
});
