import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hashPassword } from '../../../src/handlers/auth/passwords.ts';
import { startBackend } from '../../support/backend.ts';
import { ask } from '../../support/http-client.ts';
import { makeProject } from '../../support/project.ts';
import { startViaduct } from '../../support/viaduct.ts';

const APPLICATION = `def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    names = ['HTTP_X_REMOTE_USER', 'HTTP_X_GROUPS', 'HTTP_AUTHORIZATION', 'HTTP_X_OTHER']
    return [' '.join(environ.get(name, '-') for name in names).encode('latin-1')]
`;

describe('a field with which a handler names the user', () => {
  it('never comes from a client, on any route', async (t) => {
    const service = await startBackend(t, () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Groups: staff\r\n\r\n');
    const project = makeProject(t, {
      'app.py': APPLICATION,
      'viaduct.toml': `
[[route]]
path = "/admin/*"
basic_auth = { users = { jane = "${await hashPassword('secret')}" }, user_header = "X-Remote-User" }

[[route]]
path = "/renamed/*"
forward_auth = { url = "${service.url}/verify", copy_headers = { "X-Other" = "X-Groups" } }

[[route]]
path = "/staff/*"
forward_auth = { url = "${service.url}/verify", copy_headers = ["X-Groups", "Authorization"] }
`,
    });
    const { port } = await startViaduct(t, ['serve', project, '--access-log', 'off']);
    const credential = `Basic ${Buffer.from('jane:secret').toString('base64')}`;
    const claims = [
      ['x-remote-user', 'alice'],
      ['X-GROUPS', 'root'],
      ['X-Other', 'root'],
    ] as const;
    const answer = async (path: string, more: readonly (readonly [string, string])[] = []) =>
      (await ask(port, path, { headers: [...claims, ...more] })).body;

    assert.equal(await answer('/'), '- - - -');
    assert.equal(await answer('/', [['Authorization', 'Bearer a']]), '- - Bearer a -');
    assert.equal(await answer('/admin/', [['Authorization', credential]]), `jane - ${credential} -`);
    assert.equal(await answer('/staff/', [['Authorization', 'Bearer a']]), '- staff - -');
    assert.equal(await answer('/renamed/'), '- - - staff');
  });
});
