import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { answerPeer } from '../../support/answer-peer.ts';
import { Authority, hostWith, NO_CURL, NO_OPENSSL, type Pair } from '../../support/certificates.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { curl, sClient } from '../../support/tls-clients.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

describe('client certificates', { skip: NO_OPENSSL || NO_CURL }, () => {
  let directory: string;
  let authority: Authority;
  let server: Pair;
  let jane: Pair;
  let stranger: Pair;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'viaduct-clients-'));
    authority = new Authority(directory);
    server = authority.issue('server', 'ec', ['localhost', 'other.test']);
    jane = authority.issue('jane', 'ec', [], '/C=DE/O=Example, Inc./CN=Jane Doe');
    stranger = new Authority(directory, 'nobody').issue('stranger', 'ec', [], '/CN=Stranger');
  });

  after(() => rmSync(directory, { recursive: true }));

  function start(t: TestContext, clientCertificates: 'off' | 'optional' | 'required') {
    const hosts = [hostWith(server), { names: ['other.test'], certificates: [server] }];
    return serveHandler(t, answerPeer, { tls: { hosts, clientCertificates, clientCa: authority.certificate } });
  }

  function ask(port: number, pair: Pair | null, host = 'localhost', ...more: string[]) {
    const credentials = pair === null ? [] : ['--cert', pair.certificate, '--key', pair.key];
    const resolve = ['--resolve', `*:${port}:127.0.0.1`];
    const url = `https://${host}:${port}/`;
    return curl('--http1.1', '--cacert', authority.certificate, ...resolve, ...credentials, ...more, url);
  }

  it('are passed to the request when they are verified', async (t) => {
    const { port } = await start(t, 'required');
    const { serialNumber, fingerprint256 } = new X509Certificate(readFileSync(jane.certificate));
    for (const [host, version] of [
      ['localhost', '--tlsv1.3'],
      ['other.test', '--tlsv1.3'],
      ['localhost', '--tls-max=1.2'],
    ] as const) {
      const { out } = await ask(port, jane, host, ...version.split('='));
      assert.deepEqual(JSON.parse(out).clientCertificate, {
        subject: 'CN=Jane Doe,O=Example\\, Inc.,C=DE',
        issuer: 'CN=Test ca',
        serial: serialNumber,
        fingerprint256,
        verified: true,
      });
    }
  });

  it('are required when the setting is required', async (t) => {
    const server = await start(t, 'required');
    for (const [pair, reason] of [
      [null, /^TLS: peer did not return a certificate$/],
      [stranger, /^TLS: the client's certificate is refused \(.*(VERIFY|ISSUER)/],
    ] as const) {
      for (const version of [['--tlsv1.3'], ['--tls-max', '1.2']]) {
        const refusal = server.nextRefusal();
        const { out, status } = await ask(server.port, pair, 'localhost', ...version);
        assert.notEqual(status, 0);
        assert.ok(!out.includes('secure'), out);
        assert.match(await refusal, reason);
      }
    }
  });

  it('are accepted and marked as verified or not when the setting is optional', async (t) => {
    const { port } = await start(t, 'optional');
    assert.equal('clientCertificate' in JSON.parse((await ask(port, null)).out), false);
    const unverified = JSON.parse((await ask(port, stranger)).out).clientCertificate;
    assert.deepEqual([unverified.subject, unverified.verified], ['CN=Stranger', false]);
    assert.equal(JSON.parse((await ask(port, jane)).out).clientCertificate.verified, true);
  });

  it('are not asked for when the setting is off', async (t) => {
    const { port } = await start(t, 'off');
    assert.equal('clientCertificate' in JSON.parse((await ask(port, jane)).out), false);
  });

  for (const version of ['-tls1_2', '-tls1_3']) {
    it(`stay known when a session is resumed (${version.slice(1)})`, async (t) => {
      const { port } = await start(t, 'required');
      const session = join(directory, `kept${version}`);
      const args = ['-ign_eof', version, '-cert', jane.certificate, '-key', jane.key];
      await sClient(port, [...args, '-sess_out', session], REQUEST);
      const { out } = await sClient(port, ['-ign_eof', version, '-sess_in', session], REQUEST);
      assert.match(out, /^Reused/m);
      assert.match(out, /"subject":"CN=Jane Doe/);
    });

    it(`cannot be bypassed with a session that started without them (${version.slice(1)})`, async (t) => {
      const { port, terminator } = await start(t, 'optional');
      const session = join(directory, `early${version}`);
      await sClient(port, ['-ign_eof', version, '-sess_out', session], REQUEST);
      const resumed = await sClient(port, ['-ign_eof', version, '-sess_in', session], REQUEST);
      assert.match(resumed.out, /^Reused/m);
      const hosts = [hostWith(server)];
      terminator.load({ hosts, clientCertificates: 'required', clientCa: authority.certificate, http2: false });
      const { out } = await sClient(port, ['-ign_eof', version, '-sess_in', session], REQUEST);
      assert.doesNotMatch(out, /^Reused/m);
      assert.doesNotMatch(out, /secure/);
    });
  }
});
