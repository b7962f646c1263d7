import assert from 'node:assert/strict';
import { renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { CertificateWatch } from '../../../src/listen/tls/certificate-watch.ts';
import { makeSelfSigned, type SelfSigned } from '../../../src/listen/tls/self-signed.ts';
import { within } from '../../support/socket-client.ts';
import { temporaryDirectory } from '../../support/static-server.ts';
import { hostWith, startTlsServer } from '../../support/tls-server.ts';

describe('changed certificates', () => {
  async function start(t: TestContext, { certificate, key }: SelfSigned, everyMs = 3_600_000) {
    const directory = temporaryDirectory();
    t.after(directory.remove);
    const files = { certificate: join(directory.path, 'a.crt'), key: join(directory.path, 'a.key') };
    writeFileSync(files.certificate, certificate);
    writeFileSync(files.key, key);
    const { port, terminator } = await startTlsServer(t, { tls: { hosts: [hostWith(files)] } });
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
    return { directory: directory.path, files, port, watch, failures, replaced, nextReplaced };
  }

  /** The common name that the server shows. */
  function shown(port: number): Promise<string> {
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

  it('are in use once they have stayed the same for a look, and nothing happens before', async (t) => {
    const { files, port, watch, replaced } = await start(t, first);
    await watch.look();
    await watch.look();
    assert.equal(replaced.length, 0);
    writeFileSync(files.key, second.key);
    await watch.look();
    writeFileSync(files.certificate, second.certificate);
    await watch.look();
    assert.equal(await shown(port), 'first.test');
    await watch.look();
    assert.equal(await shown(port), 'second.test');
    await watch.look();
    assert.deepEqual(replaced, [[]]);
  });

  it('are seen behind symbolic links, as certbot makes them', async (t) => {
    const { directory, files, port, watch } = await start(t, first);
    for (const [name, text] of Object.entries(second)) writeFileSync(join(directory, `${name}2.pem`), text);
    for (const name of ['certificate', 'key'] as const) {
      unlinkSync(files[name]);
      symlinkSync(`${name}2.pem`, files[name]);
    }
    await watch.look();
    await watch.look();
    assert.equal(await shown(port), 'second.test');
  });

  it('change nothing when they are bad: that is told once, with the reason', async (t) => {
    const { files, port, watch, failures, replaced } = await start(t, first);
    writeFileSync(files.certificate, second.certificate);
    for (let i = 0; i < 4; i += 1) await watch.look();
    assert.equal(failures.length, 1);
    assert.match(failures[0] as string, /a\.key": it does not belong to the certificate/);
    assert.equal(await shown(port), 'first.test');
    rmSync(files.key);
    for (let i = 0; i < 4; i += 1) await watch.look();
    assert.match(failures[1] as string, /a\.key": there is no such file/);
    assert.equal(await shown(port), 'first.test');
    writeFileSync(files.key, second.key);
    for (let i = 0; i < 4; i += 1) await watch.look();
    assert.deepEqual([failures.length, replaced.length], [2, 1]);
    assert.equal(await shown(port), 'second.test');
  });

  it('are told with what clients will complain of', async (t) => {
    const { files, watch, replaced } = await start(t, first);
    const expired = makeSelfSigned(['first.test'], new Date('2020-01-01'));
    writeFileSync(files.certificate, expired.certificate);
    writeFileSync(files.key, expired.key);
    for (let i = 0; i < 2; i += 1) await watch.look();
    assert.match(replaced[0]?.join() ?? '', /expired/);
  });

  it('are found by the clock', async (t) => {
    const { files, port, nextReplaced } = await start(t, first, 10);
    writeFileSync(`${files.key}.new`, second.key);
    writeFileSync(`${files.certificate}.new`, second.certificate);
    renameSync(`${files.key}.new`, files.key);
    renameSync(`${files.certificate}.new`, files.certificate);
    await within(20_000, 'the new certificate', () => nextReplaced);
    assert.equal(await shown(port), 'second.test');
  });
});
