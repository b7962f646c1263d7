import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeSelfSigned } from '../../../src/listen/tls/self-signed.ts';
import { checkTls, type TlsHost, type TlsOptions } from '../../../src/listen/tls/tls-contexts.ts';
import { Authority, NO_OPENSSL, openssl, type Pair } from '../../support/certificates.ts';

describe('the check of certificates', () => {
  let directory: string;
  let good: Pair;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'viaduct-check-'));
    good = pairOf('good', makeSelfSigned(['example.org', '*.example.org']));
  });

  after(() => rmSync(directory, { recursive: true }));

  function file(name: string, text: string | Buffer): string {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  }

  function pairOf(name: string, { certificate, key }: { certificate: string; key: string }): Pair {
    return { certificate: file(`${name}.crt`, certificate), key: file(`${name}.key`, key) };
  }

  function check(hosts: readonly TlsHost[], options: Partial<TlsOptions> = {}) {
    return checkTls({ hosts, clientCertificates: 'off', clientCa: null, ...options });
  }

  function problemOf(certificate: string, key: string | null, passphrase?: string): string {
    const files = { certificate, key, ...(passphrase === undefined ? {} : { passphrase }) };
    const { problems } = check([{ names: [], certificates: [files] }]);
    assert.equal(problems.length, 1, problems.join('\n'));
    return problems[0] as string;
  }

  it('has no problems and warnings when everything is valid', () => {
    const names = ['Example.ORG', '*.example.org', 'münchen.example.org'];
    const { problems, warnings } = check([{ names, certificates: [good] }]);
    assert.deepEqual([problems, warnings], [[], []]);
    const both = file('both.pem', Object.values(makeSelfSigned()).join(''));
    assert.deepEqual(check([{ names: [], certificates: [{ certificate: both, key: null }] }]).problems, []);
  });

  it('names the file of each problem', () => {
    const { certificate, key } = good;
    const missing = join(directory, 'missing.pem');
    assert.equal(problemOf(missing, key), `Cannot read the certificate "${missing}": there is no such file`);
    assert.equal(problemOf(certificate, missing), `Cannot read the key "${missing}": there is no such file`);
    assert.equal(problemOf(directory, key), `Cannot read the certificate "${directory}": it is a directory`);
    assert.equal(problemOf(certificate, '/dev/zero'), 'Cannot read the key "/dev/zero": it is not a regular file');
    assert.match(problemOf(certificate, null), /good\.crt": it has no key/);
    assert.match(problemOf(missing, null), /missing\.pem": there is no such file/);
    assert.match(problemOf(certificate, certificate), /the key ".*good\.crt": .*swapped\?/);
    assert.match(problemOf(key, key), /the certificate ".*good\.key": .*swapped\?/);
    assert.match(problemOf(file('empty.crt', ''), key), /empty\.crt": it is not PEM/);
    assert.match(problemOf(file('text.crt', 'hello'), key), /text\.crt": it is not PEM/);
    assert.match(problemOf(certificate, file('text.key', 'hello')), /text\.key": it is not PEM/);
    assert.match(problemOf(file('der.crt', Buffer.from([0x30, 0x82])), key), /der\.crt": it is DER/);
    const broken = file('broken.crt', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n');
    assert.match(problemOf(broken, key), /broken\.crt": it contains a broken certificate/);
    const brokenKey = file('broken.key', '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n');
    assert.match(problemOf(certificate, brokenKey), /broken\.key": it is broken/);
    const other = file('other.key', makeSelfSigned().key);
    assert.match(problemOf(certificate, other), /other\.key": it does not belong to the certificate ".*good\.crt"/);
    const loop = join(directory, 'loop.crt');
    symlinkSync(loop, loop);
    assert.match(problemOf(loop, key), /loop\.crt": its symbolic links form a loop/);
  });

  it('reports a file that this user may not read', {
    skip: process.getuid?.() === 0 ? false : 'only root can become nobody',
  }, () => {
    const locked = join(directory, 'locked');
    mkdirSync(locked);
    const path = join(locked, 'a.key');
    writeFileSync(path, makeSelfSigned().key);
    chmodSync(locked, 0o700);
    chmodSync(directory, 0o755);
    process.seteuid?.(65534);
    try {
      assert.match(problemOf(good.certificate, path), /a\.key": this user may not read it/);
    } finally {
      process.seteuid?.(0);
    }
  });

  it('needs the passphrase of an encrypted key, and uses it', () => {
    const { certificate, key } = makeSelfSigned();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const;
    const path = file('encrypted.key', privateKey.export(encrypted) as string);
    assert.match(problemOf(good.certificate, path), /encrypted\.key": it is encrypted, and no passphrase/);
    assert.match(problemOf(good.certificate, path, 'wrong'), /encrypted\.key": the passphrase does not decrypt it/);
    assert.match(problemOf(good.certificate, path, 'secret'), /encrypted\.key": it does not belong to/);
    assert.equal(
      problemOf(file('plain.crt', certificate), file('plain.key', key.slice(0, 40))).includes('plain.key'),
      true,
    );
  });

  it('collects all problems at once', () => {
    const bad = (name: string) => ({
      names: [name],
      certificates: [{ certificate: `/nowhere/${name}`, key: '/nowhere/key' }],
    });
    const { problems } = check([bad('a.example'), bad('b.example'), { names: ['c d'], certificates: [good] }], {
      clientCertificates: 'required',
    });
    assert.equal(problems.length, 6, problems.join('\n'));
    for (const text of ['/nowhere/a.example', '/nowhere/b.example', '/nowhere/key', '"c d"', 'client certificates']) {
      assert.ok(
        problems.some((problem) => problem.includes(text)),
        text,
      );
    }
  });

  it('refuses hosts without a certificate, and two hosts with the same name', () => {
    assert.match(check([]).problems.join(), /no certificate is given/);
    assert.match(
      check([{ names: ['a.example'], certificates: [] }]).problems.join(),
      /"a.example": it has no certificate/,
    );
    const twice = ['example.org', 'EXAMPLE.org'].map((name) => ({ names: [name], certificates: [good] }));
    assert.deepEqual(check(twice).problems, ['Two TLS hosts have the name "example.org"']);
    const standard = { names: [], certificates: [good] };
    assert.deepEqual(check([standard, twice[0] as TlsHost, standard]).problems, []);
  });

  it('refuses two certificates of one host with keys of the same kind', () => {
    const { problems } = check([{ names: [], certificates: [good, pairOf('second', makeSelfSigned())] }]);
    assert.match(problems.join(), /good\.crt", ".*second\.crt" for one host/);
  });

  it('refuses a name that is not a host name', () => {
    for (const name of ['', '*', '*.', '10.0.0.1', 'a..b', '-a.example', 'a.*.example', '*a.example', 'a/b']) {
      const { problems } = check([{ names: [name], certificates: [good] }]);
      assert.match(problems.join(), /is neither a host name nor/, name);
    }
  });

  it('warns of certificates that clients will refuse', () => {
    const expired = pairOf('expired', makeSelfSigned(['example.org'], new Date('2020-01-01')));
    const { problems, warnings } = check([{ names: ['example.org', 'example.net'], certificates: [expired] }]);
    assert.deepEqual(problems, []);
    assert.match(warnings[0] as string, /expired\.crt" expired on .* 2021/);
    assert.match(warnings[1] as string, /expired\.crt" is not for "example\.net"/);
    const early = pairOf('early', makeSelfSigned(['example.org'], new Date(Date.now() + 86_400_000)));
    assert.match(check([{ names: [], certificates: [early] }]).warnings.join(), /early\.crt" is not valid before/);
  });

  it('warns of a chain in the wrong order', { skip: NO_OPENSSL }, () => {
    const authority = new Authority(directory);
    const { certificate, key } = authority.issue('leaf', 'ec', ['example.org']);
    const pem = (path: string) => openssl('x509', '-in', path);
    const ordered = file('ordered.crt', pem(certificate) + pem(authority.certificate));
    assert.deepEqual(check([{ names: [], certificates: [{ certificate: ordered, key }] }]).warnings, []);
    const mixed = file('mixed.crt', pem(certificate) + pem(good.certificate));
    assert.match(check([{ names: [], certificates: [{ certificate: mixed, key }] }]).warnings.join(), /out of order/);
  });

  it('refuses a key that is too weak for TLS', { skip: NO_OPENSSL }, () => {
    const at = (suffix: string) => join(directory, `weak.${suffix}`);
    const args = [
      '-newkey',
      'rsa:512',
      '-nodes',
      '-keyout',
      at('key'),
      '-out',
      at('crt'),
      '-subj',
      '/CN=a',
      '-days',
      '2',
    ];
    openssl('req', '-x509', ...args);
    const problem = problemOf(at('crt'), at('key'));
    assert.match(problem, /weak\.crt": .*key too small/i);
  });
});
