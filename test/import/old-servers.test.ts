import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import type { HttpAnswer, HttpRequest } from '../support/http-message.ts';
import { freePort, missing, startPeer } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { runViaduct, startViaduct } from '../support/viaduct.ts';
import { isListening } from '../swap/addresses.ts';

/** An application that says its name, and what it sees. */
function application(name: string): string {
  return `def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    names = "REQUEST_METHOD", "wsgi.url_scheme", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "HTTP_X_UNDER"
    seen = [environ.get(each) or "-" for each in names]
    return [" ".join(["${name}", *seen, str(len(environ["wsgi.input"].read()))]).encode()]
`;
}

const FILES = {
  'main.py': application('main'),
  'shop.py': application('shop'),
  'blog.py': application('blog'),
  'pkg/__init__.py': '',
  'pkg/wsgi.py': application('pkg'),
  'files/a.txt': 'a file',
  'files/sub/b.txt': 'another one',
  'files/index/index.html': 'an index',
};

const REQUESTS: Readonly<Record<string, readonly [target: string, request?: HttpRequest]>> = {
  'the root': ['/'],
  'a path with everything': ['/a/b%20c/?x=1&y=%2F'],
  'a lone ?': ['/x?'],
  'several slashes': ['//a//b'],
  'a POST': ['/p', { method: 'POST', body: 'hello' }],
  'a long POST': ['/p', { method: 'POST', body: 'x'.repeat(3000) }],
  'a method of the client': ['/', { method: 'PURGE' }],
  'a method in small letters': ['/', { method: 'get' }],
  'X-Forwarded-Proto': ['/', { headers: [['X-Forwarded-Proto', 'https']] }],
  'X-My-Scheme': ['/', { headers: [['X-My-Scheme', 'secure']] }],
  'a field with _': ['/', { headers: [['X_Under', '1']] }],
  'a long target': [`/${'a'.repeat(300)}`],
  ...Object.fromEntries(
    ['/files/a.txt', '/files/sub/b.txt', '/files/none', '/files/', '/shop', '/shop/', '/shop/x?y', '/shopx'].map(
      (path) => [path, [path]],
    ),
  ),
  ...Object.fromEntries(['/blog/x', '/main.py', '/app/x', '/favicon.txt'].map((path) => [path, [path]])),
  'another host': ['/x', { host: 'blog.example.org' }],
  'a POST to a file': ['/files/a.txt', { method: 'POST', headers: [['Content-Length', '0']] }],
};

interface Case {
  readonly title: string;
  /** The configuration without its address. */
  readonly text: string;
  /** Requests that are answered differently, each with the line of the report that says so. */
  readonly told?: Readonly<Record<string, RegExp>>;
}

const EVERYTHING_ELSE = Object.keys(REQUESTS).filter((name) => name !== '/app/x');
const FIELDS = /fields with _ in their name never reach the application/;
const NO_FILE = /static-map.*the application gets no request below it/;
const BY_FRONT_END = /without manage-script-name, uWSGI chooses by SCRIPT_NAME/;

const GUNICORN: readonly Case[] = [
  { title: 'a few settings', text: 'wsgi_app = "pkg.wsgi"\nworkers = 2\nthreads = 2\ntimeout = 0\nkeepalive = 1\n' },
  { title: 'a limit', text: 'wsgi_app = "main"\nlimit_request_line = 256\n' },
  {
    title: 'proxies that are elsewhere',
    text: 'wsgi_app = "main"\nforwarded_allow_ips = "192.0.2.1"\n',
  },
  {
    title: 'another field for the scheme',
    text: 'wsgi_app = "main"\nsecure_scheme_headers = {"X-MY-SCHEME": "secure"}\n',
    told: { 'X-My-Scheme': /dangerous: requests that a proxy marks with X-MY-SCHEME would get the scheme http/ },
  },
  {
    title: 'SCRIPT_NAME of the environment',
    text: 'wsgi_app = "main"\nraw_env = ["SCRIPT_NAME=/app"]\n',
    told: Object.fromEntries(EVERYTHING_ELSE.map((name) => [name, /status = 404 +# gunicorn answers 500 there/])),
  },
  {
    title: 'methods and names of fields',
    text: 'wsgi_app = "main"\ncasefold_http_method = True\npermit_unconventional_http_method = True\nheader_map = "dangerous"\n',
    told: {
      'a method in small letters': /casefold_http_method.*methods as they were sent/,
      'a field with _': FIELDS,
    },
  },
];

const UWSGI: readonly Case[] = [
  { title: 'a module', text: 'module = main\nlimit-post = 4000\n' },
  { title: 'a file', text: 'wsgi-file = pkg/wsgi.py\nprocesses = 2\nthreads = 2\n' },
  {
    title: 'mounts, of which the first one gets the rest',
    text: 'mount = /shop=shop.py\nmount = /blog=blog.py\nmount = /=main.py\nmanage-script-name = true\n',
  },
  {
    title: 'mounts beside a module',
    text: 'mount = /shop=shop.py\nmount = /shop/x=blog.py\nmodule = main\nmanage-script-name = true\n',
  },
  {
    title: 'mounts without a default application',
    text: 'mount = /shop=shop.py\nmanage-script-name = true\nno-default-app = true\n',
    told: Object.fromEntries(
      Object.keys(REQUESTS)
        .filter((name) => !/^\/shop(?:\/|$)/.test(name))
        .map((name) => [name, /status = 404 +# uWSGI has no application there/]),
    ),
  },
  {
    title: 'mounts that a front-end proxy chooses',
    text: 'mount = /shop=shop.py\nmount = blog.example.org=blog.py\nmodule = main\n',
    told: {
      ...Object.fromEntries(['/shop', '/shop/', '/shop/x?y'].map((path) => [path, BY_FRONT_END])),
      'another host': /uWSGI chooses by UWSGI_APPID of the front-end proxy/,
    },
  },
  {
    title: 'files',
    text: 'module = main\nstatic-map = /files=files\nstatic-map = /favicon.txt=files/a.txt\n',
    told: { '/files/none': NO_FILE, '/files/': NO_FILE, 'a POST to a file': NO_FILE },
  },
  {
    title: 'files with options',
    text: 'module = main\nstatic-map = /files=files\nstatic-index = index.html\n',
  },
];

describe('an imported configuration answers as the server that it comes from', () => {
  for (const one of GUNICORN)
    it(`gunicorn: ${one.title}`, { skip: missing('gunicorn') }, async (t) => {
      const text = (port: number) => `bind = "127.0.0.1:${port}"\n${one.text}`;
      // docs/servers/gunicorn.md says that gunicorn refuses such methods.
      const told = { 'a method in small letters': /./, ...one.told };
      await compare(t, { ...one, told }, 'gunicorn.conf.py', text, 'gunicorn', ['-c', 'gunicorn.conf.py']);
    });

  for (const one of UWSGI)
    it(`uWSGI: ${one.title}`, { skip: missing('uwsgi') }, async (t) => {
      const text = (port: number) => `[uwsgi]\nhttp-socket = 127.0.0.1:${port}\nmaster = true\n${one.text}`;
      // docs/servers/uwsgi.md says that uWSGI passes on such fields.
      const told = { 'a field with _': /./, ...one.told };
      await compare(t, { ...one, told }, 'uwsgi.ini', text, 'uwsgi', ['--ini', 'uwsgi.ini']);
    });
});

/** Starts the old server and Viaduct, and sends all requests to both. Each difference must be one that the report names. */
async function compare(
  t: TestContext,
  { told = {} }: Case,
  file: string,
  textFor: (port: number) => string,
  program: string,
  args: readonly string[],
): Promise<void> {
  const port = await freePort();
  const cwd = makeProject(t, { ...FILES, [file]: textFor(port) });
  const env = { PYTHONDONTWRITEBYTECODE: '1' };
  await startPeer(t, program, args, { cwd, env, ready: () => isListening({ host: '127.0.0.1', port }) });
  const { output } = await runViaduct(cwd, 'import', file, '-o', 'viaduct.toml', '--accept', `${file}:3`);
  const report = output + readFileSync(join(cwd, 'viaduct.toml'), 'utf8');
  const ours = await startViaduct(t, [], { cwd, env });
  for (const [name, [target, request]] of Object.entries(REQUESTS)) {
    const [before, after] = [outcome(await ask(port, target, request)), outcome(await ask(ours.port, target, request))];
    const line = told[name];
    if (line === undefined) assert.equal(after, before, name);
    else {
      assert.notEqual(after, before, `${name} is answered in the same way`);
      assert.match(report, line, name);
    }
  }
}

/** What a person would compare: the status, and the content of a response that is not an error. */
function outcome({ status, body }: HttpAnswer): string {
  return status < 400 ? `${status} ${body}` : String(status);
}
