import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { ViaductError } from '../../../src/errors.ts';
import { parseAddress } from '../../../src/listen/address.ts';
import { Listener } from '../../../src/listen/listener.ts';
import { answerPeer } from '../../support/answer-peer.ts';
import { Authority, hostWith, NO_CURL, NO_OPENSSL, type Pair } from '../../support/certificates.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { curl, sClient } from '../../support/tls-clients.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

describe('a listener with TLS', { skip: NO_OPENSSL || NO_CURL }, () => {
  let directory: string;
  let authority: Authority;
  let rsa: Pair;
  let ec: Pair;
  let wildcard: Pair;
  let shop: Pair;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'viaduct-tls-'));
    authority = new Authority(directory);
    rsa = authority.issue('rsa', 'rsa', ['example.org']);
    ec = authority.issue('ec', 'ec', ['example.org']);
    wildcard = authority.issue('wildcard', 'ec', ['*.example.org']);
    shop = authority.issue('shop', 'ec', ['shop.example.org']);
  });

  after(() => rmSync(directory, { recursive: true }));

  const answered = (port: number, host: string, ...args: string[]) =>
    curl(
      '--http1.1',
      '--cacert',
      authority.certificate,
      '--resolve',
      `*:${port}:127.0.0.1`,
      ...args,
      `https://${host}:${port}/`,
    );

  /** The common name of the certificate that a client gets when it asks for `name`. */
  async function commonName(port: number, name: string | null): Promise<string> {
    const socket = await secure(port, name === null ? {} : { servername: name });
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return `${subject.CN}`;
  }

  function secure(port: number, options: ConnectionOptions = {}): Promise<ReturnType<typeof connect>> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
      socket.once('secureConnect', () => resolve(socket));
      socket.once('error', reject);
    });
  }

  it('answers curl, and marks the request as secure', async (t) => {
    const { port, listener } = await serveHandler(t, answerPeer, { index: 3, tls: { hosts: [hostWith(rsa)] } });
    const { out } = await answered(port, 'example.org', '--http1.1');
    const peer = JSON.parse(out);
    assert.deepEqual(
      [peer.secure, peer.serverPort, peer.remoteAddress, peer.listener, 'clientCertificate' in peer],
      [true, '', '127.0.0.1', 3, false],
    );
    assert.equal(listener.url, `https://127.0.0.1:${port}`);
    assert.equal(listener.scheme, 'https');
  });

  it('keeps a connection for a second request, and receives uploads', async (t) => {
    const { port } = await serveHandler(t, answerPeer, { tls: { hosts: [hostWith(ec)] } });
    const url = `https://example.org:${port}/`;
    const { out } = await answered(
      port,
      'example.org',
      '--http1.1',
      '-w',
      '%{num_connects}\n',
      '-d',
      'x'.repeat(30_000),
      url,
    );
    assert.deepEqual(out.match(/}(\d)$/gm), ['}1', '}0']);
  });

  it('answers a client that has sent its close_notify', async (t) => {
    const { port } = await serveHandler(t, answerPeer, { tls: { hosts: [hostWith(ec)] } });
    const socket = await secure(port);
    socket.allowHalfOpen = true;
    socket.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    let received = '';
    for await (const block of socket) received += String(block);
    assert.match(received, /"secure":true/);
  });

  it('chooses HTTP/2 by ALPN when the server has HTTP/2', async (t) => {
    const both = await serveHandler(t, answerPeer, { tls: { hosts: [hostWith(ec)] } });
    const socket = await secure(both.port, { ALPNProtocols: ['http/1.1', 'h2'] });
    assert.equal(socket.alpnProtocol, 'h2');
    const session = connectHttp2(`https://example.org:${both.port}`, { createConnection: () => socket });
    let received = '';
    for await (const block of session.request({ ':path': '/' })) received += String(block);
    session.close();
    assert.match(received, /"secure":true/);
    const without = await serveHandler(t, answerPeer, { tls: { hosts: [hostWith(ec)], http2: false } });
    assert.match((await answered(without.port, 'example.org', '--http2')).out, /"secure":true/);
    await assert.rejects(secure(without.port, { ALPNProtocols: ['h2'] }), /no application protocol/i);
    for (const version of ['--http1.0', '--http1.1', '--no-alpn']) {
      assert.match((await answered(both.port, 'example.org', version)).out, /"secure":true/, version);
    }
  });

  it('gives each host its certificate', async (t) => {
    const hosts = [
      hostWith(ec),
      { names: ['*.example.org'], certificates: [wildcard] },
      { names: ['shop.example.org'], certificates: [shop] },
    ];
    const { port } = await serveHandler(t, answerPeer, { tls: { hosts } });
    for (const [name, expected] of [
      [null, 'example.org'],
      ['example.org', 'example.org'],
      ['shop.example.org', 'shop.example.org'],
      ['SHOP.example.ORG', 'shop.example.org'],
      ['www.example.org', '*.example.org'],
      ['a.b.example.org', 'example.org'],
      ['other.test', 'example.org'],
    ] as const) {
      assert.equal(await commonName(port, name), expected, `${name}`);
    }
    assert.match((await answered(port, 'www.example.org')).out, /"secure":true/);
  });

  it('takes the names from the certificates when none are configured', async (t) => {
    const { port } = await serveHandler(t, answerPeer, {
      tls: { hosts: [hostWith(ec), hostWith(wildcard), hostWith(shop)] },
    });
    assert.equal(await commonName(port, 'www.example.org'), '*.example.org');
    assert.equal(await commonName(port, 'shop.example.org'), 'shop.example.org');
  });

  it('uses RSA when a client does not support ECDSA, and ECDSA otherwise', async (t) => {
    const { port } = await serveHandler(t, answerPeer, { tls: { hosts: [hostWith(rsa, ec)] } });
    const kindOf = async (args: string[]) =>
      /Peer signature type: (\S+)/.exec((await sClient(port, ['-servername', 'example.org', ...args])).out)?.[1];
    assert.equal(await kindOf([]), 'ECDSA');
    assert.equal(await kindOf(['-sigalgs', 'rsa_pss_rsae_sha256']), 'RSA-PSS');
    assert.equal(await kindOf(['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256']), 'RSA-PSS');
  });

  it('accepts TLS 1.2 and 1.3 with forward secrecy, and nothing older or weaker', async (t) => {
    const { port } = await serveHandler(t, answerPeer, { tls: { hosts: [hostWith(rsa)] } });
    const cipherOf = async (...args: string[]) => /^New, .*Cipher is (.*)$/m.exec((await sClient(port, args)).out)?.[1];
    assert.equal(
      await cipherOf('-tls1_3', '-ciphersuites', 'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256'),
      'TLS_AES_128_GCM_SHA256',
    );
    assert.equal(await cipherOf('-tls1_2'), 'ECDHE-RSA-AES128-GCM-SHA256');
    assert.equal(
      await cipherOf('-tls1_3', '-ciphersuites', 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256'),
      'TLS_CHACHA20_POLY1305_SHA256',
    );
    for (const args of [
      ['-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0'],
      ['-tls1_2', '-cipher', 'AES128-GCM-SHA256'],
      ['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-SHA'],
      ['-tls1_2', '-cipher', 'DHE-RSA-AES128-GCM-SHA256'],
    ]) {
      assert.equal(await cipherOf(...args), '(NONE)', args.join(' '));
    }
  });

  for (const version of ['-tls1_2', '-tls1_3']) {
    it(`resumes a session when certificates were reloaded (${version.slice(1)})`, async (t) => {
      const { port, terminator } = await serveHandler(t, answerPeer, {
        tls: { hosts: [hostWith(ec), hostWith(shop)] },
      });
      const kept = join(directory, `session${version}`);
      const send = ['-ign_eof', '-servername', 'shop.example.org', version];
      const first = await sClient(port, [...send, '-sess_out', kept], REQUEST);
      assert.match(first.out, /^New, TLSv1/m);
      assert.match(first.out, /"secure":true/);
      assert.match((await sClient(port, [...send, '-sess_in', kept], REQUEST)).out, /^Reused, TLSv1/m);
      terminator.load();
      const again = await sClient(port, [...send, '-sess_in', kept], REQUEST);
      assert.match(again.out, /^Reused, TLSv1/m);
      assert.match(again.out, /"secure":true/);
    });
  }

  it('fails with a reason when it has no certificate for https://', async () => {
    const options = { address: parseAddress('https://127.0.0.1:0'), index: 0, tls: null, proxyProtocol: null };
    await assert.rejects(new Listener(options, new Map()).listen(), (error) => {
      assert.ok(error instanceof ViaductError && error.code === 'LISTEN');
      assert.match(error.message, /"https:\/\/127\.0\.0\.1:0" with TLS: there is no certificate/);
      return true;
    });
  });

  describe('when a handshake fails', () => {
    for (const [what, octets] of [
      ['plain HTTP', REQUEST],
      ['noise', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(2000, '\xff')],
      ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ] as const) {
      it(`closes the connection and continues: ${what}`, async (t) => {
        const server = await serveHandler(t, answerPeer, { tls: { hosts: [hostWith(ec)] } });
        const refusal = server.nextRefusal();
        const client = await SocketClient.open(server.port);
        client.send(octets);
        assert.equal(await client.untilClosed(), 0);
        assert.match(await refusal, /^TLS: [a-z ]{5,40}$/);
        assert.match((await answered(server.port, 'example.org')).out, /secure/);
        assert.equal(server.refusedConnections.length, 1);
      });
    }

    it('closes the connection and continues: the client leaves during the handshake', async (t) => {
      const server = await serveHandler(t, answerPeer, { tls: { hosts: [hostWith(ec)], handshakeTimeoutMs: 60_000 } });
      for (const leave of ['destroy', 'resetAndDestroy', 'end'] as const) {
        const refusal = server.nextRefusal();
        const client = await SocketClient.open(server.port);
        client.send('\x16\x03\x01');
        client.socket[leave]();
        assert.match(await refusal, /^TLS: /, leave);
      }
      assert.match((await answered(server.port, 'example.org')).out, /secure/);
    });

    it('closes the connection and continues: the handshake takes too long', async (t) => {
      const server = await serveHandler(t, answerPeer, { tls: { hosts: [hostWith(ec)], handshakeTimeoutMs: 50 } });
      const client = await SocketClient.open(server.port);
      client.send('\x16\x03\x01');
      assert.equal(await client.untilClosed(), 0);
      assert.match(server.refusedConnections.join(), /timeout/i);
    });

    it('does not give more time to a client that sends byte by byte', async (t) => {
      const server = await serveHandler(t, answerPeer, { tls: { hosts: [hostWith(ec)], handshakeTimeoutMs: 60 } });
      const client = await SocketClient.open(server.port);
      await client.trickle('\x16\x03\x01\x3f\xff\x01\x00\x3f\xfb\x03\x03'.padEnd(3000, 'a'), 5);
      assert.equal(await client.untilClosed(), 0);
      assert.match(server.refusedConnections.join(), /timeout/i);
      assert.ok(client.socket.bytesWritten < 3000);
    });

    it('limits the number of handshakes under way', async (t) => {
      const server = await serveHandler(t, answerPeer, { tls: { hosts: [hostWith(ec)] }, pendingMax: 5 });
      const idle = await Promise.all(Array.from({ length: 5 }, () => SocketClient.open(server.port)));
      const beyond = await SocketClient.open(server.port);
      await beyond.untilClosed();
      assert.match(server.refusedConnections.join(), /^too many/);
      const refusal = server.nextRefusal();
      idle[0]?.send('\x16\x03\x01');
      idle[0]?.close();
      await refusal;
      assert.match((await answered(server.port, 'example.org', '--http1.1')).out, /secure/);
      for (const client of idle) client.close();
    });

    it('ends handshakes under way when the listener closes', async (t) => {
      const server = await serveHandler(t, answerPeer, { tls: { hosts: [hostWith(ec)], handshakeTimeoutMs: 60_000 } });
      const client = await SocketClient.open(server.port);
      client.send('\x16\x03\x01');
      const established = await secure(server.port, { ALPNProtocols: ['http/1.1'] });
      established.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await once(established, 'data');
      const refusal = server.nextRefusal();
      server.listener.close();
      await client.untilClosed();
      assert.match(await refusal, /^TLS: /);
      established.write(REQUEST);
      let received = '';
      for await (const block of established) received += String(block);
      assert.match(received, /"secure":true/);
    });
  });
});
