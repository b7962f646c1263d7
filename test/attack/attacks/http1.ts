import assert from 'node:assert/strict';
import { SocketClient } from '../../support/socket-client.ts';
import { type Attack, together } from './attack.ts';

const CLIENTS = 200;
const UPLOAD = 'POST /token/attack/0 HTTP/1.1\r\nHost: a\r\n';

/** Attacks over HTTP/1.1. */
export const HTTP1_ATTACKS: readonly Attack[] = [
  {
    name: 'slow heads',
    promise: 'A client that sends its head slowly is cut off. The workers stay free.',
    run: (target) =>
      together(CLIENTS, async () => {
        const client = await SocketClient.open(target.door('http1'));
        const trickle = client.trickle(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(1000)}`, 50);
        assert.ok([0, 408].includes(await client.untilClosed()));
        await trickle;
      }),
  },
  {
    name: 'slow content',
    promise: 'A client that sends its content slowly is cut off. The workers stay free.',
    run: async (target) => {
      const slow = together(CLIENTS, async (index) => {
        const client = await SocketClient.open(target.door('http1'));
        const framing =
          index % 2 === 0 ? 'Content-Length: 100000\r\n\r\nxy' : 'Transfer-Encoding: chunked\r\n\r\n5\r\nhel';
        client.send(UPLOAD + framing);
        assert.equal(await client.untilClosed(), 408);
      });
      await target.assertServes();
      await slow;
    },
  },
  {
    name: 'uploads that break off',
    promise: 'An upload that breaks off never reaches the application.',
    run: async (target) => {
      await together(CLIENTS, async (index) => {
        const client = await SocketClient.open(target.door('http1'));
        const framing = index % 2 === 0 ? 'Content-Length: 2000000' : 'Transfer-Encoding: chunked';
        client.send(`POST /token/broken-off/0 HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`);
        client.send(index % 2 === 0 ? 'x'.repeat(1_000_000) : `f4240\r\n${'x'.repeat(1_000_000)}\r\n`);
        await client.flushed();
        if (index % 4 < 2) client.close();
        else client.socket.end();
        await client.closed;
      });
      await target.assertServes();
      assert.equal(target.starts().get('broken-off'), undefined);
    },
  },
  {
    name: 'responses that nobody reads',
    promise: 'A client that does not read its response is cut off, and takes a bounded part of the memory.',
    run: (target) =>
      together(CLIENTS, async (index) => {
        const client = await SocketClient.open(target.door('http1'));
        client.socket.pause();
        client.send(`GET /${index % 2 === 0 ? 'large/8' : 'files/page.txt'} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(4));
        await client.flushed();
        await new Promise((resolve) => setTimeout(resolve, 2000));
        client.close();
      }),
  },
  {
    name: 'endless heads',
    promise: 'A head has a limit in bytes and in fields.',
    run: (target) =>
      together(CLIENTS, async (index) => {
        const client = await SocketClient.open(target.door('http1'));
        const piece = ['X: y\r\n', 'y'.repeat(64), '\r\n', 'a: b\n'][index % 4] as string;
        client.send(index % 4 === 2 ? '' : 'GET / HTTP/1.1\r\nHost: a\r\nX: ');
        client.send(piece.repeat(100_000));
        assert.ok([0, 400, 414, 431].includes(await client.untilClosed()));
      }),
  },
  {
    name: 'endless chunk extensions and trailers',
    promise: 'Chunk extensions and trailers have a limit.',
    run: (target) =>
      together(CLIENTS, async (index) => {
        const client = await SocketClient.open(target.door('http1'));
        client.send(`${UPLOAD}Transfer-Encoding: chunked\r\n\r\n`);
        client.send(index % 2 === 0 ? `5;${'a'.repeat(1_000_000)}` : `0\r\n${'X: y\r\n'.repeat(200_000)}`);
        assert.ok([0, 400, 413, 431].includes(await client.untilClosed()));
      }),
  },
  {
    name: 'pipelines whose client leaves',
    promise: 'Requests of a client that left are dropped from the queue.',
    run: (target) =>
      together(CLIENTS, async () => {
        const client = await SocketClient.open(target.door('http1'));
        client.send('GET /token/left/1 HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(50));
        await client.flushed();
        client.close();
      }),
  },
  {
    name: 'smuggled requests',
    promise: 'A backend gets no more requests than the server understood.',
    run: async (target) => {
      const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
      const framings = [
        `Content-Length: ${smuggled.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
        'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n',
        'Transfer-Encoding:\tchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
        'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
        ' Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        'Content-Length: 0\r\nContent-Length: 44\r\n\r\n',
        'Content-Length: +44\r\n\r\n',
        'X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
      ];
      await together(framings.length, async (index) => {
        const client = await SocketClient.open(target.door('http1'));
        client.send(`POST /proxied/a HTTP/1.1\r\nHost: a\r\n${framings[index]}${smuggled}`);
        assert.ok([400, 501].includes(await client.untilClosed()), framings[index]);
      });
      for (const { received } of target.backendConnections) assert.doesNotMatch(received, /smuggled/);
    },
  },
];
