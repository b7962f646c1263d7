import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Authority, NO_CURL, NO_OPENSSL } from '../support/certificates.ts';
import { codeBlocks, readPage } from '../support/pages.ts';
import { freePort } from '../support/peer.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { BIN, startViaduct } from '../support/viaduct.ts';

const BLOCKS = codeBlocks(readPage('security-checklist.md'));
const CONFIG = BLOCKS.find(({ language }) => language === 'toml')?.text ?? '';

describe('the security checklist', () => {
  it('has commands that print what it says, with the settings that it says', {
    skip: NO_OPENSSL || NO_CURL,
  }, async (t) => {
    const root = makeProject(t, {
      'srv/shop/app.py': WSGI_APP,
      'srv/shop/static-collected/.env': 'secret',
      'etc/viaduct/tls/.keep': '',
    });
    const placed = (text: string) => text.replaceAll(/(?<![\w.])\/(srv|etc)\//g, `${root}/$1/`);
    const authority = new Authority(root);
    const pair = authority.issue('shop', 'ec', ['shop.example.org']);
    for (const [name, path] of [
      ['fullchain', pair.certificate],
      ['privkey', pair.key],
    ] as const)
      writeFileSync(join(root, `etc/viaduct/tls/${name}.pem`), readFileSync(path), { mode: 0o640 });
    chmodSync(join(root, 'etc/viaduct/tls/privkey.pem'), 0o640);
    writeFileSync(join(root, 'srv/shop/viaduct.toml'), placed(CONFIG));
    const [http, https] = [await freePort(), await freePort()];
    await startViaduct(t, ['--workers', '1', '--access-log', 'off'], {
      cwd: join(root, 'srv/shop'),
      listen: `http://127.0.0.1:${http},https://127.0.0.1:${https}`,
    });
    const programs = join(root, 'programs');
    mkdirSync(programs);
    const curl = spawnSync('which', ['curl'], { encoding: 'utf8' }).stdout.trim();
    const to = `--connect-to shop.example.org:80:127.0.0.1:${http} --connect-to shop.example.org:443:127.0.0.1:${https}`;
    for (const [name, line] of [
      ['curl', `exec ${curl} --cacert '${authority.certificate}' ${to} "$@"`],
      ['viaduct', `exec '${process.execPath}' '${BIN}' "$@"`],
    ])
      writeFileSync(join(programs, name as string), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
    let count = 0;
    for (const [index, { language, text }] of BLOCKS.entries()) {
      if (language !== 'sh') continue;
      const { stdout } = spawnSync('sh', ['-e', '-c', placed(text)], {
        cwd: root,
        env: { ...process.env, PATH: `${programs}:${process.env.PATH}` },
        encoding: 'utf8',
      });
      assert.equal(stdout.replaceAll('\r', ''), BLOCKS[index + 1]?.text, text);
      count += 1;
    }
    assert.ok(count >= 11, `${count}`);
  });
});
