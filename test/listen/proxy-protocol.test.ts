import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { parseProxyHeader } from '../../src/listen/proxy-protocol.ts';
import { makeSelfSigned } from '../../src/listen/tls/self-signed.ts';
import { answerPeer } from '../support/answer-peer.ts';
import { NO_CURL } from '../support/certificates.ts';
import { serveHandler } from '../support/serve-handler.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { curl } from '../support/tls-clients.ts';

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';
const IPV4 = [192, 0, 2, 1, 198, 51, 100, 7, 0xdc, 0x04, 0x01, 0xbb];
const IPV6 = [
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
  ...[0xdc, 0x04, 0x01, 0xbb],
];

/** A version 2 header; `length` is the length that it declares for its content. */
function version2(command: number, family: number, content: readonly number[], length = content.length): Buffer {
  const head = [command, family, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(SIGNATURE, 'latin1'), Buffer.from([...head, ...content])]);
}

const V1 = 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n';
const CLIENT = { remoteAddress: '192.0.2.1', remotePort: 56324, serverPort: '443', secure: false };
const CLIENT6 = { ...CLIENT, remoteAddress: '2001:db8::1' };
const SSL_TLV = [0x20, 0, 5, 1, 0, 0, 0, 0];
const AUTHORITY_TLV = [0x02, 0, 3, 0x61, 0x2e, 0x62];

describe('a PROXY header', () => {
  for (const [what, header, client] of [
    ['version 1 with IPv4', Buffer.from(V1), CLIENT],
    ['version 1 with IPv6', Buffer.from('PROXY TCP6 2001:DB8:0:0::1 2001:db8::2 56324 443\r\n'), CLIENT6],
    [
      'version 1 with IPv4 in IPv6',
      Buffer.from('PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.7 56324 443\r\n'),
      CLIENT,
    ],
    ['version 1, UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), null],
    ['version 1, UNKNOWN with more', Buffer.from(`PROXY UNKNOWN ${'f'.repeat(91)}\r\n`), null],
    ['version 2 with IPv4', version2(0x21, 0x11, IPV4), CLIENT],
    ['version 2 with IPv6', version2(0x21, 0x21, IPV6), CLIENT6],
    ['version 2 with additions', version2(0x21, 0x11, [...IPV4, ...AUTHORITY_TLV, 4, 0, 0]), CLIENT],
    ['version 2 of a client with TLS', version2(0x21, 0x11, [...IPV4, ...SSL_TLV]), { ...CLIENT, secure: true }],
    ['version 2, LOCAL', version2(0x20, 0x00, []), null],
    ['version 2, LOCAL with content', version2(0x20, 0x11, IPV4), null],
    ['version 2 of an unknown family', version2(0x21, 0x00, []), null],
    ['version 2 of a Unix socket', version2(0x21, 0x31, Array(216).fill(0)), null],
  ] as const) {
    it(`is read: ${what}`, () => {
      assert.deepEqual(parseProxyHeader(header), { length: header.length, client });
      assert.deepEqual(parseProxyHeader(Buffer.concat([header, Buffer.from('GET /')])), {
        length: header.length,
        client,
      });
      for (let length = 0; length < header.length; length += 1) {
        assert.equal(parseProxyHeader(header.subarray(0, length)), 'incomplete', `of ${length} bytes`);
      }
    });
  }

  for (const [what, header] of [
    ['a request', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['another first letter', 'X'],
    ['lower case', 'proxy TCP4 192.0.2.1 198.51.100.7 56324 443\r\n'],
    ['an unknown family name', 'PROXY TCP5 192.0.2.1 198.51.100.7 56324 443\r\n'],
    ['no family', 'PROXY \r\n'],
    ['an address of the other family', 'PROXY TCP4 ::1 ::1 56324 443\r\n'],
    ['a zone', 'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n'],
    ['a name for an address', 'PROXY TCP4 localhost 198.51.100.7 56324 443\r\n'],
    ['a port too high', 'PROXY TCP4 192.0.2.1 198.51.100.7 65536 443\r\n'],
    ['a port with zeros', 'PROXY TCP4 192.0.2.1 198.51.100.7 0080 443\r\n'],
    ['two spaces', 'PROXY TCP4  192.0.2.1 198.51.100.7 56324 443\r\n'],
    ['too many words', 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 1\r\n'],
    ['too few words', 'PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n'],
    ['a line without end', `PROXY UNKNOWN ${'f'.repeat(93)}`],
    ['a line too long', `PROXY UNKNOWN ${'f'.repeat(92)}\r\n`],
    ['version 1 of v2', version2(0x11, 0x11, IPV4).toString('latin1')],
    ['an unknown command', version2(0x22, 0x11, IPV4).toString('latin1')],
    ['an unknown family', version2(0x21, 0x41, IPV4).toString('latin1')],
    ['datagrams', version2(0x21, 0x12, IPV4).toString('latin1')],
    ['addresses cut short', version2(0x21, 0x21, IPV4).toString('latin1')],
    ['an addition cut short', version2(0x21, 0x11, [...IPV4, 4, 0]).toString('latin1')],
    ['an addition longer than all', version2(0x21, 0x11, [...IPV4, 4, 0, 9, 1]).toString('latin1')],
    ['more content than the limit', version2(0x21, 0x11, [], 4097).toString('latin1')],
  ] as const) {
    it(`is malformed: ${what}`, () => assert.equal(parseProxyHeader(Buffer.from(header, 'latin1')), 'malformed'));
  }
});

describe('a listener behind a proxy', () => {
  const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  const trusting = { index: 3, proxyProtocol: (address: string) => address === '127.0.0.1' };

  async function peerAfter(port: number, ...pieces: readonly string[]): Promise<unknown> {
    const client = await SocketClient.open(port);
    for (const piece of pieces) await client.trickle(piece, 0);
    assert.equal(await client.untilClosed(), 200);
    return JSON.parse(client.received.slice(client.received.indexOf('\r\n\r\n') + 4));
  }

  const peer = { listener: 3, ...CLIENT };

  it('takes the client from the header, with the request in the same packet', async (t) => {
    const { port } = await serveHandler(t, answerPeer, trusting);
    const client = await SocketClient.open(port);
    client.send(V1 + REQUEST);
    assert.equal(await client.untilClosed(), 200);
    assert.deepEqual(JSON.parse(client.received.split('\r\n\r\n')[1] as string), peer);
  });

  it('takes the client from a header that comes byte by byte', async (t) => {
    const { port } = await serveHandler(t, answerPeer, trusting);
    assert.deepEqual(await peerAfter(port, V1, REQUEST), peer);
    const v2 = version2(0x21, 0x21, [...IPV6, ...SSL_TLV]).toString('latin1');
    assert.deepEqual(await peerAfter(port, v2, REQUEST), { ...peer, ...CLIENT6, secure: true });
  });

  it("keeps the socket's address when the proxy does not name a client", async (t) => {
    const { port } = await serveHandler(t, answerPeer, trusting);
    const { remoteAddress, serverPort } = (await peerAfter(port, 'PROXY UNKNOWN\r\n', REQUEST)) as typeof CLIENT;
    assert.deepEqual([remoteAddress, serverPort], ['127.0.0.1', '']);
  });

  it('receives a large upload after the header', async (t) => {
    const { port } = await serveHandler(t, answerPeer, trusting);
    const client = await SocketClient.open(port);
    const body = 'x'.repeat(300_000);
    client.send(`${V1}POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}${REQUEST}`);
    assert.equal(await client.untilClosed(), 200);
    assert.ok(client.received.includes('192.0.2.1'));
  });

  it('closes a connection at once when its address is not trusted', async (t) => {
    const server = await serveHandler(t, answerPeer, { proxyProtocol: () => false });
    const client = await SocketClient.open(server.port);
    client.send(V1 + REQUEST);
    assert.equal(await client.untilClosed(), 0);
    assert.deepEqual(server.refusedConnections, ['the address is not trusted with PROXY headers']);
  });

  it('closes a connection without an answer when it has no header', async (t) => {
    const server = await serveHandler(t, answerPeer, trusting);
    const client = await SocketClient.open(server.port);
    client.send(REQUEST);
    assert.equal(await client.untilClosed(), 0);
    assert.equal(client.received, '');
    assert.deepEqual(server.refusedConnections, ['no PROXY header: malformed']);
  });

  it('closes a connection when its header does not arrive in time', async (t) => {
    const server = await serveHandler(t, answerPeer, { ...trusting, proxyHeaderTimeoutMs: 50 });
    const client = await SocketClient.open(server.port);
    client.send('PROXY TCP4 ');
    assert.equal(await client.untilClosed(), 0);
    assert.deepEqual(server.refusedConnections, ['no PROXY header: too late']);
  });

  it('refuses further connections when too many wait', async (t) => {
    const server = await serveHandler(t, answerPeer, { ...trusting, pendingMax: 1 });
    const first = await SocketClient.open(server.port);
    const second = await SocketClient.open(server.port);
    await second.untilClosed();
    first.send(V1 + REQUEST);
    assert.equal(await first.untilClosed(), 200);
    const third = await SocketClient.open(server.port);
    third.send(V1 + REQUEST);
    assert.equal(await third.untilClosed(), 200);
  });

  it('ends waiting connections when it closes', async (t) => {
    const { port, listener } = await serveHandler(t, answerPeer, trusting);
    const client = await SocketClient.open(port);
    client.send('PROXY ');
    const other = await SocketClient.open(port);
    other.send(V1 + REQUEST);
    await other.untilClosed(); // so the first connection was accepted too
    listener.close();
    assert.equal(await client.untilClosed(), 0);
  });

  it('takes the client from a header on a Unix socket', async (t) => {
    const directory = temporaryDirectory(t);
    const path = join(directory, 'v.sock');
    await serveHandler(t, answerPeer, { proxyProtocol: (address) => address === '', address: `unix:${path}` });
    const socket = connect(path);
    socket.write(V1 + REQUEST);
    let received = '';
    for await (const block of socket) received += String(block);
    assert.match(received, /192\.0\.2\.1/);
  });

  it('understands the header of curl', { skip: NO_CURL }, async (t) => {
    const { port } = await serveHandler(t, answerPeer, trusting);
    const { out } = await curl('--haproxy-protocol', `http://127.0.0.1:${port}/`);
    const { serverPort, remotePort } = JSON.parse(out);
    assert.equal(serverPort, `${port}`);
    assert.ok(remotePort > 0);
  });

  for (const together of [true, false]) {
    it(`reads the header before TLS, ${together ? 'both in one packet' : 'one after the other'}`, async (t) => {
      const directory = temporaryDirectory(t);
      const pem = join(directory, 'a.pem');
      const { certificate, key } = makeSelfSigned();
      writeFileSync(pem, certificate + key);
      const tls = { hosts: [{ names: [], certificates: [{ certificate: pem, key: null }] }] };
      const { port } = await serveHandler(t, answerPeer, { ...trusting, tls });
      const raw = connect({ port, host: '127.0.0.1', noDelay: true });
      if (together) raw.cork();
      raw.write(V1);
      const socket = connectTls({ socket: raw, ca: certificate, servername: 'localhost' });
      if (together) setImmediate(() => raw.uncork());
      socket.write(REQUEST);
      let received = '';
      for await (const block of socket) received += String(block);
      const { handshakeMs, tls: agreed, ...seen } = JSON.parse(received.split('\r\n\r\n')[1] as string);
      assert.deepEqual(seen, { ...peer, secure: true });
      assert.deepEqual([agreed.version, agreed.serverName], ['TLSv1.3', 'localhost']);
      assert.match(agreed.cipher, /^TLS_AES_/);
      assert.ok(handshakeMs[0] <= handshakeMs[1]);
    });
  }
});
