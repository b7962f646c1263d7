import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Response } from '../../../src/http/response.ts';
import type { CgiProtocol } from '../../../src/listen/address.ts';
import { encodeRequest, record, variablesOf } from '../../support/cgi-frames.ts';
import { createRandom } from '../../support/random.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { eventually } from '../../support/wait.ts';

const BEGIN = record(1, '\0\x01\0\0\0\0\0\0');

/** Invalid requests, and the reasons in the log. */
const GARBAGE: readonly (readonly [protocol: CgiProtocol, what: string, octets: string, reason: RegExp])[] = [
  ['uwsgi', 'another modifier', '\x05\x01\0\0\0', /modifier 5/],
  ['uwsgi', 'another second modifier', '\0\x01\0\x07\0', /second modifier 7/],
  ['uwsgi', 'HTTP', 'GET / HTTP/1.1\r\n\r\n', /modifier 71/],
  ['uwsgi', 'a name beyond the end', '\0\x03\0\0\xff\0a', /beyond the end/],
  ['uwsgi', 'a value beyond the end', '\0\x07\0\0\x01\0a\xff\xff\0\0', /beyond the end/],
  ['uwsgi', 'half a length', '\0\x01\0\0\x01', /beyond the end/],
  [
    'uwsgi',
    'too many variables',
    encodeRequest(
      'uwsgi',
      Array.from({ length: 500 }, () => ['A', ''] as const),
    ),
    /too many/,
  ],
  ['scgi', 'no length', ':,', /length and a colon/],
  ['scgi', 'an invalid length', '1x:', /length and a colon/],
  ['scgi', 'a length with a leading zero', '070:', /length and a colon/],
  ['scgi', 'an endless length', '1'.repeat(30), /length and a colon/],
  ['scgi', 'HTTP', 'GET / HTTP/1.1\r\n\r\n', /length and a colon/],
  ['scgi', 'too much', '99999999:', /too long/],
  ['scgi', 'no comma', '3:a\0b;', /comma/],
  ['scgi', 'half a pair', '2:a\0,', /not pairs/],
  ['scgi', 'no end of the last value', '3:a\0b,', /not pairs/],
  ['scgi', 'another first variable', '9:A\0\0SCGI\x001,'.replace('9:', '8:'), /not pairs|comma|CONTENT_LENGTH/],
  ['scgi', 'no SCGI', '17:CONTENT_LENGTH\x000\0,', /SCGI is not 1/],
  ['fastcgi', 'another version', '\x02\x01\0\x01\0\x08\0\0', /version 2/],
  ['fastcgi', 'HTTP', 'GET / HTTP/1.1\r\n\r\n', /version 71/],
  ['fastcgi', 'a BEGIN_REQUEST that is too short', record(1, '\0\x01'), /eight bytes/],
  ['fastcgi', 'content before the variables', BEGIN + record(5, 'x'), /before the variables/],
  [
    'fastcgi',
    'variables after their end',
    BEGIN + encodeRequest('fastcgi', variablesOf()).slice(BEGIN.length) + record(4, 'x'),
    /come after their end/,
  ],
  [
    'fastcgi',
    'content after its end',
    encodeRequest('fastcgi', variablesOf({ CONTENT_LENGTH: '1' }), 'x') + record(5, 'y'),
    /content comes after its end/,
  ],
  ['fastcgi', 'a name beyond the end', BEGIN + record(4, '\x7f\x01a') + record(4, ''), /beyond the end/],
  ['fastcgi', 'a length beyond the end', BEGIN + record(4, '\x80\x01') + record(4, ''), /beyond the end/],
  ['fastcgi', 'too many variables', BEGIN + record(4, '\x01\0A'.repeat(500)) + record(4, ''), /too many/],
  ['fastcgi', 'endless variables', BEGIN + record(4, 'x'.repeat(60_000)) + record(4, 'x'.repeat(60_000)), /too long/],
];

describe('an invalid request', () => {
  for (const [protocol, what, octets, reason] of GARBAGE) {
    it(`over ${protocol} ends its connection: ${what}`, async (t) => {
      const server = await serveHandler(t, () => new Promise(() => {}), { protocol });
      const client = await SocketClient.open(server.port);
      client.send(octets);
      await client.untilClosed();
      assert.match(server.refused.join('\n'), reason);
      assert.equal(client.received, '');
    });
  }

  for (const protocol of ['uwsgi', 'scgi', 'fastcgi'] as const) {
    it(`over ${protocol} ends its connection when it does not arrive in time or is cut short`, async (t) => {
      const server = await serveHandler(t, () => Response.text(200, ''), {
        protocol,
        limits: { headerTimeoutMs: 100 },
      });
      const octets = encodeRequest(protocol, variablesOf());
      const slow = await SocketClient.open(server.port);
      slow.send(octets.slice(0, 40));
      await slow.untilClosed();
      const cut = await SocketClient.open(server.port);
      cut.socket.end(Buffer.from(octets.slice(0, 40), 'latin1'));
      await cut.untilClosed();
      assert.deepEqual([slow.received, cut.received, server.requests.length], ['', '', 0]);
    });

    it(`over ${protocol} never prevents the server from answering other requests`, async (t) => {
      const random = createRandom(3875);
      const server = await serveHandler(
        t,
        ({ body }) => {
          body?.cancel();
          return Response.text(200, 'served');
        },
        { protocol, limits: { headerTimeoutMs: 300, bodyTimeoutMs: 300 } },
      );
      const content = 'content';
      const base = encodeRequest(protocol, variablesOf({ CONTENT_LENGTH: `${content.length}` }), content);
      const clients: SocketClient[] = [];
      for (let mutant = 0; mutant < 400; mutant += 1) {
        const client = await SocketClient.open(server.port);
        client.send(mutated(base, random));
        clients.push(client);
        if (mutant % 50 === 49) for (const { socket } of clients.splice(0)) socket.end();
      }
      await Promise.all(clients.map((client) => client.untilClosed()));
      const honest = await SocketClient.open(server.port);
      honest.send(base);
      await honest.until(/served/);
      honest.close();
      void server.connections.drain();
      await eventually('no connection is left', () => server.connections.size === 0);
    });
  }
});

/** `octets` with one to four changes: octets are replaced, repeated, removed or cut off. */
function mutated(octets: string, random: () => number): string {
  let text = octets;
  for (let change = 0; change < 1 + random() * 4; change += 1) {
    const at = Math.floor(random() * text.length);
    const octet = String.fromCharCode(Math.floor(random() * 256));
    switch (Math.floor(random() * 4)) {
      case 0:
        text = text.slice(0, at) + octet + text.slice(at + 1);
        break;
      case 1:
        text = text.slice(0, at) + text.slice(at, at + 20) + text.slice(at);
        break;
      case 2:
        text = text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 8));
        break;
      default:
        if (random() < 0.2) text = text.slice(0, at);
    }
  }
  return text;
}
