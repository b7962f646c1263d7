import assert from 'node:assert/strict';
import { encodeRequest, record, variablesOf } from '../../support/cgi-frames.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { type Attack, together } from './attack.ts';

const CLIENTS = 100;
const PROTOCOLS = ['uwsgi', 'fastcgi', 'scgi'] as const;

/** Attacks over uwsgi, FastCGI and SCGI. */
export const CGI_ATTACKS: readonly Attack[] = PROTOCOLS.flatMap((protocol) => [
  {
    name: `${protocol}: requests that break off`,
    promise: 'A request that breaks off never reaches the application, over every protocol.',
    run: async (target) => {
      const variables = variablesOf({
        REQUEST_METHOD: 'POST',
        CONTENT_LENGTH: '1000000',
        PATH_INFO: `/token/${protocol}-broken-off/0`,
        REQUEST_URI: `/token/${protocol}-broken-off/0`,
      });
      const whole = encodeRequest(protocol, variables, protocol === 'fastcgi' ? '' : 'x'.repeat(500_000));
      // Without the empty record that ends the content.
      const octets = protocol === 'fastcgi' ? whole.slice(0, -8) + record(5, 'x'.repeat(5000)) : whole;
      await together(CLIENTS, async (index) => {
        const client = await SocketClient.open(target.door(protocol));
        client.send(octets);
        await client.flushed();
        if (index % 2 === 0) client.close();
        else client.socket.end();
        await client.closed;
      });
      await target.assertServes();
      assert.equal(target.starts().get(`${protocol}-broken-off`), undefined);
    },
  },
  {
    name: `${protocol}: silence`,
    promise: 'A front-end proxy that stops in the middle of a request is cut off.',
    run: (target) =>
      together(CLIENTS, async (index) => {
        const client = await SocketClient.open(target.door(protocol));
        const octets = encodeRequest(protocol, variablesOf());
        client.send(octets.slice(0, 1 + (index % (octets.length - 9))));
        await client.untilClosed();
      }),
  },
  {
    name: `${protocol}: foreign octets`,
    promise: 'Octets of another protocol end the connection.',
    run: (target, random) =>
      together(CLIENTS, async () => {
        const client = await SocketClient.open(target.door(protocol));
        client.send(Buffer.from(Uint8Array.from({ length: 4096 }, () => random() * 256)));
        client.socket.end();
        await client.untilClosed();
      }),
  },
]);
