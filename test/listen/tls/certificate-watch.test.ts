import assert from 'node:assert/strict';
import { renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { CertificateWatch } from '../../../src/listen/tls/certificate-watch.ts';
import { makeSelfSigned, type SelfSigned } from '../../../src/listen/tls/self-signed.ts';
import { answerPeer } from '../../support/answer-peer.ts';
import { hostWith } from '../../support/certificates.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { PATIENCE_MS, within } from '../../support/wait.ts';

describe('changed certificates', () => {
  async function start(t: TestContext, { certificate, key }: SelfSigned, everyMs = 3_600_000) {
    const directory = temporaryDirectory(t);
    const files = { certificate: join(directory, 'a.crt'), key: join(directory, 'a.key') };
    writeFileSync(files.certificate, certificate);
    writeFileSync(files.key, key);
    const { port, terminator } = await serveHandler(t, answerPeer, { tls: { hosts: [hostWith(files)] } });
    const failures: string[] = [];
    const replaced: (readonly string[])[] = [];
    let onReplaced = () => {};
    const watch = new CertificateWatch(
      terminator,
      {
        onReplaced(warnings) {
          replaced.push(warnings);
          onReplaced();
        },
        onFailed: (error) => failures.push(error.message),
      },
      everyMs,
    );
    await watch.start();
    t.after(() => watch.stop());
    const nextReplaced = new Promise<void>((resolve) => {
      onReplaced = resolve;
    });
    return { directory, files, port, watch, failures, replaced, nextReplaced };
  }

  /** The common name in the server's certificate. */
  function commonName(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        resolve(`${socket.getPeerCertificate().subject.CN}`);
        socket.destroy();
      });
      socket.on('error', reject);
    });
  }

  const first = makeSelfSigned(['first.test']);
  const second = makeSelfSigned(['second.test']);

  it('are in use once they are the same in two checks, and not before', async (t) => {
    const { files, port, watch, replaced } = await start(t, first);
    await watch.check();
    await watch.check();
    assert.equal(replaced.length, 0);
    writeFileSync(files.key, second.key);
    await watch.check();
    writeFileSync(files.certificate, second.certificate);
    await watch.check();
    assert.equal(await commonName(port), 'first.test');
    await watch.check();
    assert.equal(await commonName(port), 'second.test');
    await watch.check();
    assert.deepEqual(replaced, [[]]);
  });

  it('are noticed when symbolic links change, as with certbot', async (t) => {
    const { directory, files, port, watch } = await start(t, first);
    for (const [name, text] of Object.entries(second)) writeFileSync(join(directory, `${name}2.pem`), text);
    for (const name of ['certificate', 'key'] as const) {
      unlinkSync(files[name]);
      symlinkSync(`${name}2.pem`, files[name]);
    }
    await watch.check();
    await watch.check();
    assert.equal(await commonName(port), 'second.test');
  });

  it('are not used when they are invalid, and the reason is reported once', async (t) => {
    const { files, port, watch, failures, replaced } = await start(t, first);
    writeFileSync(files.certificate, second.certificate);
    for (let i = 0; i < 4; i += 1) await watch.check();
    assert.equal(failures.length, 1);
    assert.match(failures[0] as string, /a\.key": it does not belong to the certificate/);
    assert.equal(await commonName(port), 'first.test');
    rmSync(files.key);
    for (let i = 0; i < 4; i += 1) await watch.check();
    assert.match(failures[1] as string, /a\.key": there is no such file/);
    assert.equal(await commonName(port), 'first.test');
    writeFileSync(files.key, second.key);
    for (let i = 0; i < 4; i += 1) await watch.check();
    assert.deepEqual([failures.length, replaced.length], [2, 1]);
    assert.equal(await commonName(port), 'second.test');
  });

  it('are reported with the reasons why clients may refuse them', async (t) => {
    const { files, watch, replaced } = await start(t, first);
    const expired = makeSelfSigned(['first.test'], new Date('2020-01-01'));
    writeFileSync(files.certificate, expired.certificate);
    writeFileSync(files.key, expired.key);
    for (let i = 0; i < 2; i += 1) await watch.check();
    assert.match(replaced[0]?.join() ?? '', /expired/);
  });

  it('are found by the checks at intervals', async (t) => {
    const { files, port, nextReplaced } = await start(t, first, 10);
    writeFileSync(`${files.key}.new`, second.key);
    writeFileSync(`${files.certificate}.new`, second.certificate);
    renameSync(`${files.key}.new`, files.key);
    renameSync(`${files.certificate}.new`, files.certificate);
    await within(PATIENCE_MS, 'the new certificate', () => nextReplaced);
    assert.equal(await commonName(port), 'second.test');
  });
});
