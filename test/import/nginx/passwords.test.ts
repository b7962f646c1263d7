import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readImported } from '../../../src/cli/import/open-site.ts';
import { importFile } from '../../../src/import/import-file.ts';
import { reportText } from '../../../src/import/report-text.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MD5 = '$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/';
const SHA = '$5$abcdefgh$ZLdkj8mkc2XVSrPVjskDAgZPGjtj1VGVaa1aUkrMTU/';

async function importWith(t: TestContext, passwords: string | null) {
  const cwd = temporaryDirectory(t);
  const auth = 'auth_basic staff; auth_basic_user_file users;';
  writeFileSync(
    join(cwd, 'nginx.conf'),
    `server { listen 80; location / {\n${auth} proxy_pass http://127.0.0.1:9; } }\n`,
  );
  if (passwords !== null) writeFileSync(join(cwd, 'users'), passwords);
  const options = { file: 'nginx.conf', kind: 'nginx', cwd, outputDirectory: null } as const;
  const imported = await importFile({ ...options, readImported, variablesIn: () => [] });
  return { toml: imported.toml, ...reportText(imported, new Set(), false) };
}

describe('the password file of nginx', () => {
  it('with MD5 has to be accepted by a person', async (t) => {
    const { toml, open, lines } = await importWith(t, `a:${MD5}\n# b:${MD5}\nc:${SHA}\n`);
    assert.match(toml, /^allow_md5 = true/m);
    assert.deepEqual(open, ['nginx.conf:2']);
    assert.match(lines.join('\n'), /dangerous: 1 of 2 passwords are hashed with MD5/);
  });

  it('with hashes that Viaduct refuses is named, with the users', async (t) => {
    const others = ['b:$2y$05$x', 'c:{SHA}x', 'd:abJnggxhB/yWI', 'e:{PLAIN}x'].join('\n');
    const { toml, open, lines } = await importWith(t, `a:${SHA}\n${others}\n`);
    assert.doesNotMatch(toml, /allow_md5/);
    assert.deepEqual(open, []);
    assert.match(lines.join('\n'), /the passwords of b, c, d and 1 more need other hashes/);
  });

  it('without them needs no word', async (t) => {
    const { toml, open, lines } = await importWith(t, `a:${SHA}\n`);
    assert.doesNotMatch(toml, /allow_md5/);
    assert.deepEqual(open, []);
    assert.doesNotMatch(lines.join('\n'), /hash/);
  });

  it('that is on another machine gets the rule', async (t) => {
    const { lines } = await importWith(t, null);
    assert.match(lines.join('\n'), /MD5 \(\$apr1\$\) without allow_md5 = true/);
  });
});
