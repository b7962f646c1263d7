import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ViaductError } from '../../../src/errors.ts';
import { cacheDirectory, keptSelfSigned, makeSelfSigned } from '../../../src/listen/tls/self-signed.ts';
import { answerPeer } from '../../support/answer-peer.ts';
import { NO_CURL, NO_OPENSSL, openssl } from '../../support/certificates.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { curl } from '../../support/tls-clients.ts';

const DAY_MS = 24 * 3600 * 1000;

function directoryFor(t: TestContext): string {
  return temporaryDirectory(t);
}

describe('a self-signed certificate', () => {
  it('is valid for openssl', { skip: NO_OPENSSL }, (t) => {
    const path = join(directoryFor(t), 'a.pem');
    writeFileSync(path, makeSelfSigned(['localhost', '127.0.0.1', '2001:db8::1:2', '::']).certificate);
    assert.match(openssl('verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', path, path), /OK/);
    const text = openssl('x509', '-in', path, '-noout', '-text');
    const zeros = '0:0:0:0:0:0:0:0';
    assert.ok(
      text.includes(`DNS:localhost, IP Address:127.0.0.1, IP Address:2001:DB8:0:0:0:0:1:2, IP Address:${zeros}`),
    );
    assert.match(text, /CA:FALSE/);
    assert.match(text, /TLS Web Server Authentication/);
    assert.match(text, /prime256v1/);
  });

  it('is valid for the names of this machine and for about a year', () => {
    const now = new Date('2049-06-30T23:59:59.999Z');
    const certificate = new X509Certificate(makeSelfSigned(undefined, now).certificate);
    assert.ok(certificate.checkHost('localhost'));
    assert.ok(certificate.checkIP('127.0.0.1') && certificate.checkIP('::1'));
    assert.equal(certificate.checkHost('example.org'), undefined);
    assert.ok(certificate.verify(certificate.publicKey));
    const days = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / DAY_MS;
    assert.ok(days > 390 && days <= 398, `${days} days`);
    assert.equal(new Date(certificate.validTo).getUTCFullYear(), 2050);
  });

  it('never has the same serial number twice', () => {
    const serials = Array.from({ length: 20 }, () => new X509Certificate(makeSelfSigned().certificate).serialNumber);
    assert.equal(new Set(serials).size, 20);
  });

  it('is accepted by curl when curl trusts it', { skip: NO_CURL }, async (t) => {
    const path = keptSelfSigned(directoryFor(t));
    const { port } = await serveHandler(t, answerPeer, {
      tls: { hosts: [{ names: [], certificates: [{ certificate: path, key: null }] }], http2: false },
    });
    for (const host of ['127.0.0.1', 'localhost']) {
      const { out } = await curl('--ipv4', '--cacert', path, `https://${host}:${port}/`);
      assert.match(out, /"secure":true/);
    }
    const stranger = await curl(`https://127.0.0.1:${port}/`);
    assert.match(stranger.out, /self.signed certificate/);
  });
});

describe('the stored self-signed certificate', () => {
  it('is readable by its owner only, and stays the same', (t) => {
    const directory = join(directoryFor(t), 'new', 'viaduct');
    const path = keptSelfSigned(directory);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    const text = readFileSync(path, 'utf8');
    assert.equal(keptSelfSigned(directory), path);
    assert.equal(readFileSync(path, 'utf8'), text);
    assert.deepEqual(readdirSync(directory), ['self-signed.pem']);
  });

  const other = makeSelfSigned();
  for (const [when, spoil] of [
    ['it is about to expire', (path: string) => storeWithStart(path, Date.now() - 391 * DAY_MS)],
    ['it starts in the future', (path: string) => storeWithStart(path, Date.now() + 2 * DAY_MS)],
    ['it is broken', (path: string) => writeFileSync(path, 'x')],
    ['it is for other names', (path: string) => writeFileSync(path, joined(makeSelfSigned(['example.org'])))],
    [
      'its key belongs to another certificate',
      (path: string) => writeFileSync(path, makeSelfSigned().certificate + other.key),
    ],
    ['others can read it', (path: string) => chmodSync(path, 0o644)],
  ] as const) {
    it(`is replaced when ${when}`, (t) => {
      const directory = directoryFor(t);
      const path = keptSelfSigned(directory);
      spoil(path);
      const spoiled = readFileSync(path, 'utf8');
      keptSelfSigned(directory);
      assert.notEqual(readFileSync(path, 'utf8'), spoiled);
      assert.ok(new X509Certificate(readFileSync(path)).checkHost('localhost'));
      assert.equal(statSync(path).mode & 0o777, 0o600);
    });
  }

  it('causes an error with the path when it cannot be stored', (t) => {
    const file = join(directoryFor(t), 'file');
    writeFileSync(file, '');
    assert.throws(
      () => keptSelfSigned(join(file, 'viaduct')),
      (error) => error instanceof ViaductError && error.code === 'CERTIFICATE' && error.message.includes(file),
    );
  });

  it('is in the cache directory of the XDG specification', () => {
    assert.equal(cacheDirectory({ XDG_CACHE_HOME: '/var/cache' }), '/var/cache/viaduct');
    assert.match(cacheDirectory({ XDG_CACHE_HOME: 'relative' }), /\/\.cache\/viaduct$/);
    assert.match(cacheDirectory({}), /\/\.cache\/viaduct$/);
  });
});

function joined({ certificate, key }: { certificate: string; key: string }): string {
  return certificate + key;
}

/** Writes a certificate to `path` that starts at `time`. */
function storeWithStart(path: string, time: number): void {
  writeFileSync(path, joined(makeSelfSigned(undefined, new Date(time))));
}
