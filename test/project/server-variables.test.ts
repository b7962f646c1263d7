import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { describeServerVariables, findServerVariables } from '../../src/project/server-variables.ts';
import { readRecording } from '../servers/recorded.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** What is found in a project with these files, as `file:line name (server)`. */
function found(t: TestContext, files: Readonly<Record<string, string>>): string[] {
  const directory = temporaryDirectory(t);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return findServerVariables(directory).map(({ file, line, name, server }) => `${file}:${line} ${name} (${server})`);
}

describe('variables of other servers', () => {
  it('are found by name, with file and line', (t) => {
    const app = `
def application(environ, start_response):
    peer = environ['gunicorn.socket'].getpeername()
    group = environ.get("mod_wsgi.process_group", "")
`;
    const view = 'def view(request):\n    return request.META["uwsgi.version"], request.META.get("SERVER_ADDR")\n';
    assert.deepEqual(found(t, { 'app.py': app, 'site/views.py': view }), [
      'app.py:3 gunicorn.socket (gunicorn)',
      'app.py:4 mod_wsgi.process_group (mod_wsgi)',
      'site/views.py:2 uwsgi.version (uWSGI)',
      'site/views.py:2 SERVER_ADDR (Apache with mod_wsgi)',
    ]);
  });

  it('are not found in comments, in other strings, and names of CGI only as a key', (t) => {
    const text = `
# environ["gunicorn.socket"]
DOCUMENT_ROOT = os.environ.get("HOME")
name = "DOCUMENT_ROOT"
log = "the uwsgi.version is old"
path = environ["PATH_INFO"], environ["wsgi.input"], environ["werkzeug.request"]
`;
    assert.deepEqual(found(t, { 'app.py': text }), []);
  });

  it('are not looked for in virtual environments and hidden directories', (t) => {
    const text = 'environ["gunicorn.socket"]\n';
    const files = { 'env/pyvenv.cfg': '', 'env/a.py': text, '.git/a.py': text, 'lib/site-packages/a.py': text };
    assert.deepEqual(found(t, files), []);
  });

  it('are all those that a measured server sets and Viaduct does not, but for what every application can do without', (t) => {
    const keysOf = (name: string) =>
      Object.keys(readRecording()[name]?.behaviour.plain ?? {})
        .filter((aspect) => aspect.startsWith('environ '))
        .map((aspect) => aspect.slice('environ '.length));
    const ours = new Set(keysOf('viaduct'));
    const others = [...new Set(Object.keys(readRecording()).flatMap(keysOf))].filter((name) => !ours.has(name));
    const text = others.map((name) => `environ["${name}"]\n`).join('');
    const known = found(t, { 'app.py': text }).map((line) => line.split(' ')[1]);
    const optional = ['(environment)', 'RAW_URI', 'CONTENT_LENGTH', 'CONTENT_TYPE', 'GATEWAY_INTERFACE', 'REMOTE_HOST'];
    assert.deepEqual(
      others.filter((name) => !known.includes(name) && !optional.includes(name)),
      [],
    );
  });

  it('are described, and counted when they are many', (t) => {
    const directory = temporaryDirectory(t);
    writeFileSync(join(directory, 'app.py'), 'environ["gunicorn.socket"]\n'.repeat(12));
    const lines = describeServerVariables(findServerVariables(directory));
    assert.equal(lines.length, 11);
    assert.equal(lines[0], 'app.py:1 reads "gunicorn.socket", which only gunicorn sets');
    assert.equal(lines[10], '2 more places read variables of other servers');
  });
});
