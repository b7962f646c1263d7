import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import type { HttpAnswer, HttpRequest } from '../support/http-message.ts';
import type { Lifetime } from '../support/lifetime.ts';
import { NO_NGINX, nginxSocket, startNginx } from '../support/nginx.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { runViaduct, startViaduct } from '../support/viaduct.ts';

interface Question extends HttpRequest {
  readonly path: string;
}

interface Case {
  readonly name: string;
  /** The content of the http block. `DIR` is the directory of the test. */
  readonly http: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly questions: readonly Question[];
  /** Fields that must be equal, beside Location. */
  readonly fields?: readonly string[];
}

/** The user anna with the password "secret" (SHA-crypt). */
const USERS = 'anna:$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.\n';

const CASES: readonly Case[] = [
  {
    name: 'files, fallbacks, error pages and redirections',
    files: {
      'www/index.html': '<p>home',
      'www/docs/index.html': '<p>docs',
      'www/app.css': 'a {}',
      'www/404.html': '<p>nothing',
      'spa/index.html': '<p>spa',
      'spa/deep/x.txt': 'x',
      'other/pic.txt': 'pic',
      'other/icon.txt': 'icon',
    },
    http: `server {
      listen unix:DIR/nginx.sock;
      root DIR/www;
      types { text/html html; text/css css; text/plain txt; }
      error_page 404 /404.html;
      add_header X-Site yes;
      rewrite ^/blog/(\\d+)$ /posts/$1 permanent;
      rewrite ^/feed$ https://feeds.example.org/main? redirect;
      location = /go { return 307 /there; }
      location = /gone { return 410; }
      location = /text { default_type text/plain; return 200 "fine\\n"; }
      location = /icon.txt { alias DIR/other/icon.txt; }
      location ^~ /other/ { alias DIR/other/; }
      location /spa/ { alias DIR/spa/; try_files $uri /spa/index.html; }
      location ~* \\.css$ { expires 1h; }
      location ~ ^/people/(?<name>[a-z]+)$ { return 302 /person?n=$name; }
      location / { }
    }`,
    questions: [
      ...['/', '/docs/', '/app.css', '/APP.CSS', '/none', '/icon.txt', '/other/pic.txt', '/other/none.css'],
      ...['/blog/17?a=1', '/feed?x', '/go', '/gone', '/text', '/people/anna', '/people/Anna', '/docs', '/404.html'],
    ]
      .map((path): Question => ({ path }))
      .concat([
        { path: '/app.css', method: 'HEAD' },
        { path: '/app.css', headers: [['Range', 'bytes=0-1']] },
      ]),
    fields: ['content-type', 'content-range'],
  },
  {
    name: 'backends, their paths and fields',
    http: `upstream pool { server unix:DIR/backend.sock; }
    server {
      listen unix:DIR/nginx.sock;
      location /api/ { proxy_pass http://unix:DIR/backend.sock:/; proxy_set_header Host $host; }
      location /old/ { proxy_pass http://pool/new/; proxy_set_header Host fixed.example; proxy_set_header X-Scheme $scheme; }
      location = /health { proxy_pass http://pool/healthz; proxy_hide_header X-Backend; }
      location ~ ^/v\\d+/ { proxy_pass http://pool; proxy_set_header Host $http_host; proxy_set_header Accept ""; add_header X-From versions; }
      location /break/ { rewrite ^/break/(.*)$ /kept/$1 break; proxy_pass http://pool; }
      location /files/ { root DIR; try_files $uri @app; }
      location @app { proxy_pass http://pool; proxy_set_header Host $host; }
      location / { return 404; }
    }`,
    files: { 'files/a.txt': 'a file' },
    questions: [
      ...[
        '/api/x?q=1',
        '/api/',
        '/old/a/b',
        '/health?x=1',
        '/v2/items',
        '/vx/items',
        '/break/a%20b?c',
        '/files/none',
        '/none',
      ],
    ]
      .map((path): Question => ({ path, host: 'site.example', headers: [['Accept', 'text/plain']] }))
      .concat([{ path: '/files/a.txt' }, { path: '/api/post', method: 'POST', body: 'a body' }]),
    fields: ['x-backend', 'x-from'],
  },
  {
    name: 'names of servers',
    http: `server { listen unix:DIR/nginx.sock default_server; server_name _; return 404; }
    server { listen unix:DIR/nginx.sock; server_name www.example.org; return 301 $scheme://example.org$request_uri; }
    server { listen unix:DIR/nginx.sock; server_name example.org; location / { return 200 main; } location /in { return 200 in; } }
    server { listen unix:DIR/nginx.sock; server_name .example.net; return 200 net; }
    server { listen unix:DIR/nginx.sock; server_name *.apps.example.org; return 200 "apps $host"; }`,
    questions: [
      ...['example.org', 'EXAMPLE.org', 'www.example.org', 'example.net', 'a.b.example.net', 'unknown.example'].flatMap(
        (host) => [
          { path: '/x?y=1', host },
          { path: '/in/x', host },
        ],
      ),
    ],
  },
  {
    name: 'who may do what',
    http: `server {
      listen unix:DIR/nginx.sock;
      client_max_body_size 1k;
      location /staff/ { auth_basic "Staff"; auth_basic_user_file DIR/users; proxy_pass http://unix:DIR/backend.sock; proxy_set_header Host $host; }
      location /closed/ { deny all; return 200 open; }
      location /shut/ { deny all; proxy_pass http://unix:DIR/backend.sock; }
      location /read/ { limit_except GET { deny all; } proxy_pass http://unix:DIR/backend.sock; proxy_set_header Host $host; }
      location /private/ { internal; root DIR; }
      location / { proxy_pass http://unix:DIR/backend.sock; proxy_set_header Host $host; }
    }`,
    files: { users: USERS, 'private/x.txt': 'x' },
    questions: [
      { path: '/staff/' },
      { path: '/staff/', headers: [['Authorization', `Basic ${btoa('anna:secret')}`]] },
      { path: '/staff/', headers: [['Authorization', `Basic ${btoa('anna:wrong')}`]] },
      { path: '/closed/' },
      { path: '/shut/' },
      { path: '/read/x' },
      { path: '/read/x', method: 'POST', body: 'a' },
      { path: '/private/x.txt' },
      { path: '/', method: 'POST', body: 'a'.repeat(1024) },
      { path: '/', method: 'POST', body: 'a'.repeat(1025) },
    ],
    fields: ['www-authenticate'],
  },
];

describe('an imported nginx.conf', { skip: NO_NGINX, concurrency: 2 }, () => {
  for (const { name, http, files = {}, questions, fields = [] } of CASES) {
    it(`answers like nginx: ${name}`, async (t) => {
      const directory = makeProject(t, files, { name: 'nginx' });
      await startEcho(t, join(directory, 'backend.sock'));
      await startNginx(t, directory, `default_type text/plain; ${http}`);
      const { code, output } = await runViaduct(directory, 'import', 'nginx.conf', '-o', 'viaduct.toml');
      assert.equal(code, 0, output);
      const ours = join(directory, 'viaduct.sock');
      await startViaduct(t, ['web'], { cwd: directory, listen: `unix:${ours}` });
      for (const question of questions) {
        const theirs = await ask(nginxSocket(directory), question.path, question);
        const expected = comparable(theirs, question, fields);
        const actual = comparable(await ask(ours, question.path, question), question, fields);
        assert.deepEqual({ question, ...actual }, { question, ...expected });
      }
    });
  }
});

describe('an imported configuration of an application server', () => {
  for (const [file, text] of [
    [
      'gunicorn.conf.py',
      'import os\nwsgi_app = "app:application"\nbind = "127.0.0.1:8001"\nworkers = int(os.environ.get("N", 1))\n',
    ],
    [
      'uwsgi.ini',
      '[uwsgi]\nhttp = 127.0.0.1:8001\nwsgi_file = %dapp.py\nprocesses = 1\nstatic-map = /files=%d/files\n',
    ],
  ] as const) {
    it(`serves the application: ${file}`, async (t) => {
      const files = { 'app.py': WSGI_APP, 'files/a.txt': 'a file', [file]: text };
      const cwd = makeProject(t, files);
      const { code, output } = await runViaduct(cwd, 'import', file, '-o', 'viaduct.toml');
      assert.equal(code, 0, output);
      const server = await startViaduct(t, [], { cwd });
      assert.equal((await ask(server.port, '/')).body, 'hello');
      if (text.includes('static-map')) assert.equal((await ask(server.port, '/files/a.txt')).body, 'a file');
    });
  }
});

describe('viaduct import', () => {
  it('overwrites a file only with --force', async (t) => {
    const cwd = makeProject(t, { 'uwsgi.ini': '[uwsgi]\nhttp = :8000\n', 'viaduct.toml': '# mine\n' });
    const refused = await runViaduct(cwd, 'import', 'uwsgi.ini', '--output', 'viaduct.toml');
    assert.equal(refused.code, 2);
    assert.match(refused.output, /Cannot write "viaduct\.toml": the file exists/);
    assert.equal(readFileSync(join(cwd, 'viaduct.toml'), 'utf8'), '# mine\n');
    const { code } = await runViaduct(cwd, 'import', 'uwsgi.ini', '--output', 'viaduct.toml', '--force');
    assert.equal(code, 0);
    assert.match(readFileSync(join(cwd, 'viaduct.toml'), 'utf8'), /^listen = \["0\.0\.0\.0:8000"\]/m);
  });

  it('exits with 2 and writes no file when it cannot read the configuration', async (t) => {
    const cwd = makeProject(t, { 'nginx.conf': 'server {\n  listen 80\n}\n' });
    const { code, output } = await runViaduct(cwd, 'import', 'nginx.conf', '-o', 'viaduct.toml');
    assert.equal(code, 2);
    assert.match(output, /Cannot read nginx\.conf:2: the directive "listen" does not end/);
    assert.equal(existsSync(join(cwd, 'viaduct.toml')), false);
  });

  for (const args of [[], ['a', 'b'], ['--from', 'iis', 'a'], ['--unknown', 'a']]) {
    it(`exits with 2 for the arguments "${args.join(' ')}"`, async (t) => {
      const { code, output } = await runViaduct(makeProject(t, {}), 'import', ...args);
      assert.equal(code, 2);
      assert.match(output, /^viaduct: Cannot import: .+\nWrite viaduct import FILE/);
    });
  }
});

/** Starts a backend that answers with its request as JSON. */
async function startEcho(t: Lifetime, path: string): Promise<void> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (block: Buffer) => {
      body += block.toString();
    });
    request.on('end', () => {
      const { method, url, headers } = request;
      response.setHeader('X-Backend', 'yes');
      response.end(
        JSON.stringify({ method, url, host: headers.host, scheme: headers['x-scheme'], accept: headers.accept, body }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
}

/**
 * The parts of an answer that must be equal. The default error pages of the servers may differ, and so may the form of a Location and the
 * charset of a type.
 */
function comparable(
  { status, header, body }: HttpAnswer,
  { host = 'test.example' }: Question,
  fields: readonly string[],
) {
  const base = `http://${host}`.toLowerCase();
  const field = header('location');
  const location = field === null ? null : new URL(field, base).href.replace('http://unix/', `${base}/`);
  const isOurs = status < 300 || body.startsWith('<p>');
  return {
    status,
    location,
    body: isOurs ? body : '',
    fields: isOurs ? fields.map((name) => header(name)?.replace(/;.*$/, '')) : [],
  };
}
