import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { ViaductError } from '../../../src/errors.ts';
import { parseAddress } from '../../../src/listen/address.ts';
import { Listener } from '../../../src/listen/listener.ts';
import { Authority, NO_CURL, NO_OPENSSL, type Pair } from '../../support/certificates.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { curl, hostWith, sClient, startTlsServer } from '../../support/tls-server.ts';

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

  /** The name of the certificate that a client gets who asks for `name`. */
  async function nameGiven(port: number, name: string | null): Promise<string> {
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

  it('answers curl, and tells the request how it came', async (t) => {
    const { port, listener } = await startTlsServer(t, { tls: { hosts: [hostWith(rsa)] } });
    const { out } = await answered(port, 'example.org', '--http1.1');
    const peer = JSON.parse(out);
    assert.deepEqual(
      [peer.secure, peer.serverPort, peer.remoteAddress, peer.listener, 'clientCertificate' in peer],
      [true, '', '127.0.0.1', 3, false],
    );
    assert.equal(listener.url, `https://127.0.0.1:${port}`);
    assert.equal(listener.scheme, 'https');
  });

  it('serves one connection after another, keeps them, and takes uploads', async (t) => {
    const { port } = await startTlsServer(t, { tls: { hosts: [hostWith(ec)] } });
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
    const { port } = await startTlsServer(t, { tls: { hosts: [hostWith(ec)] } });
    const socket = await secure(port);
    socket.allowHalfOpen = true;
    socket.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    let received = '';
    for await (const block of socket) received += String(block);
    assert.match(received, /"secure":true/);
  });

  it('chooses HTTP/2 by ALPN, where there is one', async (t) => {
    const both = await startTlsServer(t, { tls: { hosts: [hostWith(ec)] } });
    const socket = await secure(both.port, { ALPNProtocols: ['http/1.1', 'h2'] });
    assert.equal(socket.alpnProtocol, 'h2');
    let received = '';
    for await (const block of socket) received += String(block);
    assert.equal(received, 'h2 secure=true');
    const without = await startTlsServer(t, { tls: { hosts: [hostWith(ec)], http2: false } });
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
    const { port } = await startTlsServer(t, { tls: { hosts } });
    for (const [name, given] of [
      [null, 'example.org'],
      ['example.org', 'example.org'],
      ['shop.example.org', 'shop.example.org'],
      ['SHOP.example.ORG', 'shop.example.org'],
      ['www.example.org', '*.example.org'],
      ['a.b.example.org', 'example.org'],
      ['other.test', 'example.org'],
    ] as const) {
      assert.equal(await nameGiven(port, name), given, `${name}`);
    }
    assert.match((await answered(port, 'www.example.org')).out, /"secure":true/);
  });

  it('finds the hosts of certificates that are given without names', async (t) => {
    const { port } = await startTlsServer(t, { tls: { hosts: [hostWith(ec), hostWith(wildcard), hostWith(shop)] } });
    assert.equal(await nameGiven(port, 'www.example.org'), '*.example.org');
    assert.equal(await nameGiven(port, 'shop.example.org'), 'shop.example.org');
  });

  it('gives RSA to a client that knows no ECDSA, and ECDSA to others', async (t) => {
    const { port } = await startTlsServer(t, { tls: { hosts: [hostWith(rsa, ec)] } });
    const kindOf = async (args: string[]) =>
      /Peer signature type: (\S+)/.exec((await sClient(port, ['-servername', 'example.org', ...args])).out)?.[1];
    assert.equal(await kindOf([]), 'ECDSA');
    assert.equal(await kindOf(['-sigalgs', 'rsa_pss_rsae_sha256']), 'RSA-PSS');
    assert.equal(await kindOf(['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256']), 'RSA-PSS');
  });

  it('speaks TLS 1.2 and 1.3 with forward secrecy, and nothing older or weaker', async (t) => {
    const { port } = await startTlsServer(t, { tls: { hosts: [hostWith(rsa)] } });
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
    it(`resumes a session (${version.slice(1)}), also after new certificates were loaded and on another listener`, async (t) => {
      const { port, terminator } = await startTlsServer(t, { tls: { hosts: [hostWith(ec), hostWith(shop)] } });
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

  it('refuses with a sentence to listen on https:// without certificates', async () => {
    const nobody = { accept: () => {} };
    const options = { address: parseAddress('https://127.0.0.1:0'), index: 0, tls: null, proxyProtocol: null };
    await assert.rejects(new Listener(options, { http1: nobody, http2: null, gateway: null }).listen(), (error) => {
      assert.ok(error instanceof ViaductError && error.code === 'LISTEN');
      assert.match(error.message, /"https:\/\/127\.0\.0\.1:0" with TLS: there is no certificate/);
      return true;
    });
  });

  describe('when a handshake goes wrong', () => {
    for (const [what, octets] of [
      ['plain HTTP', REQUEST],
      ['noise', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(2000, '\xff')],
      ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ] as const) {
      it(`closes and goes on: ${what}`, async (t) => {
        const server = await startTlsServer(t, { tls: { hosts: [hostWith(ec)] } });
        const refusal = server.nextRefusal();
        const client = await SocketClient.open(server.port);
        client.send(octets);
        assert.equal(await client.untilClosed(), 0);
        assert.match(await refusal, /^TLS: [a-z ]{5,40}$/);
        assert.match((await answered(server.port, 'example.org')).out, /secure/);
        assert.equal(server.refused.length, 1);
      });
    }

    it('closes and goes on: the client leaves in the middle', async (t) => {
      const server = await startTlsServer(t, { tls: { hosts: [hostWith(ec)], handshakeTimeoutMs: 60_000 } });
      for (const leave of ['destroy', 'resetAndDestroy', 'end'] as const) {
        const refusal = server.nextRefusal();
        const client = await SocketClient.open(server.port);
        client.send('\x16\x03\x01');
        client.socket[leave]();
        assert.match(await refusal, /^TLS: /, leave);
      }
      assert.match((await answered(server.port, 'example.org')).out, /secure/);
    });

    it('closes and goes on: the handshake takes too long', async (t) => {
      const server = await startTlsServer(t, { tls: { hosts: [hostWith(ec)], handshakeTimeoutMs: 50 } });
      const client = await SocketClient.open(server.port);
      client.send('\x16\x03\x01');
      assert.equal(await client.untilClosed(), 0);
      assert.match(server.refused.join(), /timeout/i);
    });

    it('does not give more time to a client that sends byte by byte', async (t) => {
      const server = await startTlsServer(t, { tls: { hosts: [hostWith(ec)], handshakeTimeoutMs: 60 } });
      const client = await SocketClient.open(server.port);
      await client.trickle('\x16\x03\x01\x3f\xff\x01\x00\x3f\xfb\x03\x03'.padEnd(3000, 'a'), 5);
      assert.equal(await client.untilClosed(), 0);
      assert.match(server.refused.join(), /timeout/i);
      assert.ok(client.socket.bytesWritten < 3000);
    });

    it('has a bound for handshakes that are under way', async (t) => {
      const server = await startTlsServer(t, { tls: { hosts: [hostWith(ec)] }, arrivalsMax: 5 });
      const idle = await Promise.all(Array.from({ length: 5 }, () => SocketClient.open(server.port)));
      const beyond = await SocketClient.open(server.port);
      await beyond.untilClosed();
      assert.match(server.refused.join(), /^too many/);
      const refusal = server.nextRefusal();
      idle[0]?.close();
      await refusal;
      assert.match((await answered(server.port, 'example.org', '--http1.1')).out, /secure/);
      for (const client of idle) client.close();
    });

    it('ends those under way when the listener closes', async (t) => {
      const server = await startTlsServer(t, { tls: { hosts: [hostWith(ec)], handshakeTimeoutMs: 60_000 } });
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
