import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { runViaduct, startViaduct } from '../support/viaduct.ts';

interface Case {
  readonly file: string;
  readonly text: string;
  /** What other files the configuration needs. */
  readonly files?: Readonly<Record<string, string>>;
  /** Paths with the content that they have. */
  readonly pages: Readonly<Record<string, string>>;
}

const FACTORY =
  'def create_app():\n    def run(environ, start_response):\n        start_response("200 OK", [])\n        return [b"made"]\n    return run\n';
const OTHER = WSGI_APP.replace('hello', 'other');

const CASES: readonly Case[] = [
  {
    file: 'gunicorn.conf.py',
    text: `import os
PORT = os.environ.get("PORT", "8001")
bind = f"127.0.0.1:{PORT}"
wsgi_app = "{}:application".format("app")
workers = int(os.environ.get("N", 1))
chdir = os.path.dirname(os.path.abspath(__file__))
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
`,
    pages: { '/': 'hello' },
  },
  {
    file: 'uwsgi.ini',
    text: `[uwsgi]
http = 127.0.0.1:8001
wsgi_file = %dapp.py
processes = 1
static-map = /files=%d/files
static-map = /note.txt=%d/files/a.txt
static-expires = /* 60
manage-script-name = true
mount = /other=other.py
route = ^/old/(.*)$ redirect:/new/$1
route = ^/closed break:403 Forbidden
`,
    pages: {
      '/': 'hello',
      '/files/a.txt': 'a file',
      '/files/none': 'hello',
      '/note.txt': 'a file',
      '/other/x': 'other',
    },
  },
  {
    file: 'uwsgi.yaml',
    text: 'uwsgi:\n  http-socket: 127.0.0.1:8001\n  module: app\n  processes: 1\n',
    pages: { '/': 'hello' },
  },
  {
    file: 'Procfile',
    text: 'web: gunicorn app --bind 127.0.0.1:8001 --workers 1\nworker: python -c "import time; time.sleep(600)"\n',
    pages: { '/': 'hello' },
  },
  {
    file: 'supervisor.conf',
    text: '[program:site]\ncommand=waitress-serve --call --port=8001 --host=127.0.0.1 made:create_app\ndirectory=.\n',
    pages: { '/': 'made' },
  },
  {
    file: 'site.service',
    text: '[Service]\nExecStart=/usr/bin/uwsgi --ini base.ini --processes 1\n',
    files: { 'base.ini': '[uwsgi]\nmodule = app:application\nhttp-socket = 127.0.0.1:8001\n' },
    pages: { '/': 'hello' },
  },
];

describe('an imported configuration of an application server', () => {
  for (const { file, text, files = {}, pages } of CASES) {
    it(`is checked and serves the application: ${file}`, async (t) => {
      const own = { 'app.py': WSGI_APP, 'other.py': OTHER, 'made.py': FACTORY, 'files/a.txt': 'a file' };
      const cwd = makeProject(t, { ...own, ...files, [file]: text });
      const imported = await runViaduct(cwd, 'import', file, '-o', 'viaduct.toml');
      assert.equal(imported.code, 0, imported.output);
      const checked = await runViaduct(cwd, 'check');
      assert.equal(checked.code, 0, checked.output);
      const server = await startViaduct(t, [], { cwd });
      for (const [path, body] of Object.entries(pages)) assert.equal((await ask(server.port, path)).body, body, path);
    });
  }

  it('is reported with where the application reads variables of its old server', async (t) => {
    const app = `${WSGI_APP}\n\ndef peer(environ):\n    return environ["gunicorn.socket"]\n`;
    const cwd = makeProject(t, { 'app.py': app, 'gunicorn.conf.py': 'wsgi_app = "app:application"\n' });
    const { code, output } = await runViaduct(cwd, 'import', 'gunicorn.conf.py', '-o', 'viaduct.toml');
    assert.equal(code, 0);
    assert.match(
      output,
      /^In the source of the application:\n {2}app\.py:7 reads "gunicorn\.socket", which only gunicorn sets$/m,
    );
  });

  it('is not written while a dangerous difference is not accepted', async (t) => {
    const cwd = makeProject(t, { 'gunicorn.conf.py': 'wsgi_app = "app"\nsecure_scheme_headers = {"X-SSL": "1"}\n' });
    const refused = await runViaduct(cwd, 'import', 'gunicorn.conf.py', '-o', 'viaduct.toml');
    assert.equal(refused.code, 1);
    assert.match(refused.output, /^Nothing was written: .* --accept gunicorn\.conf\.py:2$/m);
    const accept = ['--accept', 'gunicorn.conf.py:2'];
    const { code, output } = await runViaduct(cwd, 'import', 'gunicorn.conf.py', '-o', 'viaduct.toml', ...accept);
    assert.equal(code, 0, output);
    assert.match(output, /\[accepted\]$/m);
  });

  for (const args of [[], ['a', 'b'], ['--from', 'iis', 'a'], ['--unknown', 'a']]) {
    it(`exits with 2 for the arguments "${args.join(' ')}"`, async (t) => {
      const { code, output } = await runViaduct(makeProject(t, {}), 'import', ...args);
      assert.equal(code, 2);
      assert.match(output, /^viaduct: Cannot import: .+\nWrite viaduct import FILE/);
    });
  }
});
