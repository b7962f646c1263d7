import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask } from '../../support/http-client.ts';
import { makeProject, WSGI_APP } from '../../support/project.ts';
import { runViaduct, startViaduct } from '../../support/viaduct.ts';

const USERS = 'jane:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/\n';

describe('a password file that htpasswd wrote', () => {
  it('is accepted with allow_md5, with a warning, and refused without', async (t) => {
    const site = (more: string) => `[[route]]\nbasic_auth = { file = "users.htpasswd"${more} }\n`;
    const project = makeProject(t, {
      'app.py': WSGI_APP,
      'users.htpasswd': USERS,
      'viaduct.toml': site(', allow_md5 = true'),
    });
    const server = await startViaduct(t, ['serve', project, '--access-log', 'off']);
    const warning =
      /basic_auth.*: 1 of 1 passwords are hashed with MD5, which can be guessed fast by a thief of the hashes/;
    assert.match(server.output(), warning);
    const status = async (credential: string) => {
      const headers = [['Authorization', `Basic ${Buffer.from(credential).toString('base64')}`]] as const;
      return (await ask(server.port, '/', { headers })).status;
    };
    assert.deepEqual(
      [await status('jane:secret'), await status('jane:Secret'), await status('joe:secret')],
      [200, 401, 401],
    );
    assert.match(
      (await runViaduct(project, 'check')).output,
      /warning +route\[1\]\.basic_auth \(viaduct\.toml:2\): 1 of 1/,
    );

    writeFileSync(join(project, 'viaduct.toml'), site(''));
    const { code, output } = await runViaduct(project, 'check');
    assert.equal(code, 2);
    assert.match(output, /user "jane": MD5 can be guessed too fast \(allow_md5 = true accepts it\)/);
  });
});
