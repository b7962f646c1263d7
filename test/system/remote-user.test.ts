import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hashPassword } from '../../src/handlers/auth/passwords.ts';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { startViaduct } from '../support/viaduct.ts';

const PYTHON = `
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [' '.join(environ.get(name, '-') for name in ('REMOTE_USER', 'AUTH_TYPE')).encode('latin-1')]
`;
const TYPESCRIPT = `
export const application = (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [Buffer.from([environ.REMOTE_USER ?? '-', environ.AUTH_TYPE ?? '-'].join(' '), 'latin1')];
};
`;
const PASSES = 'export function middleware(application) {\n  return (...call) => application(...call);\n}\n';

const JÖRG = `Basic ${Buffer.from('jörg:secret').toString('base64')}`;
const CLAIMS = { 'Remote-User': 'root', 'REMOTE-USER': 'root', 'Auth-Type': 'Basic' };

describe('REMOTE_USER', () => {
  it('is the user whose password basic_auth has verified, for each kind of application and backend', async (t) => {
    const backend = makeProject(t, { 'app.py': PYTHON, 'viaduct.toml': 'trusted_proxy_values = ["user"]\n' });
    const protocols = ['uwsgi', 'scgi', 'fastcgi'];
    const listen = protocols.map((protocol) => `${protocol}://127.0.0.1:0`).join(',');
    const behind = await startViaduct(t, ['serve', backend, '--workers', '1'], { listen });
    const routes = [
      '[[route]]\npath = "/python/*"\napp = "python"',
      '[[route]]\npath = "/typescript/*"\napp = "typescript"',
      '[[route]]\npath = "/wrapped/*"\napp = "wrapped"',
      ...protocols.map((protocol) => {
        const address = new RegExp(`${protocol}://127\\.0\\.0\\.1:\\d+`).exec(behind.output())?.[0];
        return `[[route]]\npath = "/${protocol}/*"\nproxy = "${address}"`;
      }),
    ].map((route) => `${route}\nbasic_auth = { users = { "jörg" = "HASH" } }\n`);
    const settings = `
[apps.python]
target = "app:application"

[apps.typescript]
target = "./application.ts"

[apps.wrapped]
target = "app:application"
middleware = "./passes.ts"
${routes.join('\n')}
`;
    const project = makeProject(t, {
      'app.py': PYTHON,
      'application.ts': TYPESCRIPT,
      'passes.ts': PASSES,
      'viaduct.toml': settings.replaceAll('HASH', await hashPassword('secret')),
    });
    const { port } = await startViaduct(t, ['serve', project, '--workers', '1', '--access-log', 'off']);
    for (const kind of ['python', 'typescript', 'wrapped', ...protocols]) {
      for (const headers of [{ Authorization: JÖRG }, { Authorization: JÖRG, ...CLAIMS }]) {
        const answer = await ask(port, `/${kind}/`, { headers: Object.entries(headers) });
        assert.equal(Buffer.from(answer.body, 'latin1').toString(), 'jörg Basic', `${kind}: ${answer.status}`);
      }
    }
    assert.equal((await ask(port, '/', { headers: Object.entries({ Authorization: JÖRG, ...CLAIMS }) })).body, '- -');
  });
});
