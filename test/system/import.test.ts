import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { NO_NGINX } from '../support/nginx-backend.ts';
import { type Answer, askSocket, type Question, startNginx } from '../support/nginx-peer.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { runViaduct } from '../support/run-viaduct.ts';
import { startViaduct } from '../support/viaduct.ts';

interface Case {
  readonly what: string;
  /** What stands in `http`; DIR is the directory of the test. */
  readonly http: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly questions: readonly Question[];
  /** Fields that must be alike beside Location. */
  readonly fields?: readonly string[];
}

/** SHA-crypt of "secret". */
const USERS = 'anna:$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.\n';

const CASES: readonly Case[] = [
  {
    what: 'files, fallbacks, error pages and redirections',
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
        { path: '/app.css', headers: { Range: 'bytes=0-1' } },
      ]),
    fields: ['content-type', 'content-range'],
  },
  {
    what: 'backends, their paths and fields',
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
      .map((path): Question => ({ path, host: 'site.example', headers: { Accept: 'text/plain' } }))
      .concat([{ path: '/files/a.txt' }, { path: '/api/post', method: 'POST', body: 'a body' }]),
    fields: ['x-backend', 'x-from'],
  },
  {
    what: 'names of servers',
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
    what: 'who may do what',
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
      { path: '/staff/', headers: { Authorization: `Basic ${btoa('anna:secret')}` } },
      { path: '/staff/', headers: { Authorization: `Basic ${btoa('anna:wrong')}` } },
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
  for (const { what, http, files = {}, questions, fields = [] } of CASES) {
    it(`answers like nginx: ${what}`, async (t) => {
      const directory = makeProject(t, files, { name: 'nginx' });
      writeFileSync(join(directory, 'nginx.conf'), configuration(http, directory));
      await startBackend(t, join(directory, 'backend.sock'));
      t.after(await startNginx(directory));
      const { code, output } = await runViaduct(directory, 'import', 'nginx.conf', '-o', 'viaduct.toml');
      assert.equal(code, 0, output);
      const ours = join(directory, 'viaduct.sock');
      const server = await startViaduct({ args: ['web'], cwd: directory, listen: `unix:${ours}` });
      t.after(() => server.stop());
      for (const question of questions) {
        const expected = comparable(await askSocket(join(directory, 'nginx.sock'), question), question, fields);
        const found = comparable(await askSocket(ours, question), question, fields);
        assert.deepEqual({ question, ...found }, { question, ...expected });
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
      const server = await startViaduct({ args: [], cwd });
      t.after(() => server.stop());
      assert.equal((await ask(server.port, '/')).body, 'hello');
      if (text.includes('static-map')) assert.equal((await ask(server.port, '/files/a.txt')).body, 'a file');
    });
  }
});

describe('viaduct import', () => {
  it('writes no file over another without --force', async (t) => {
    const cwd = makeProject(t, { 'uwsgi.ini': '[uwsgi]\nhttp = :8000\n', 'viaduct.toml': '# mine\n' });
    const refused = await runViaduct(cwd, 'import', 'uwsgi.ini', '--output', 'viaduct.toml');
    assert.equal(refused.code, 2);
    assert.match(refused.output, /Cannot write "viaduct\.toml": it is there already/);
    assert.equal(readFileSync(join(cwd, 'viaduct.toml'), 'utf8'), '# mine\n');
    const { code } = await runViaduct(cwd, 'import', 'uwsgi.ini', '--output', 'viaduct.toml', '--force');
    assert.equal(code, 0);
    assert.match(readFileSync(join(cwd, 'viaduct.toml'), 'utf8'), /^listen = \["0\.0\.0\.0:8000"\]/m);
  });

  it('leaves with 2 for what it cannot read, and makes no file', async (t) => {
    const cwd = makeProject(t, { 'nginx.conf': 'server {\n  listen 80\n}\n' });
    const { code, output } = await runViaduct(cwd, 'import', 'nginx.conf', '-o', 'viaduct.toml');
    assert.equal(code, 2);
    assert.match(output, /Cannot read nginx\.conf:2: the directive "listen" does not end/);
    assert.equal(existsSync(join(cwd, 'viaduct.toml')), false);
  });

  for (const args of [[], ['a', 'b'], ['--from', 'apache', 'a'], ['--unknown', 'a']]) {
    it(`leaves with 2 for the words "${args.join(' ')}"`, async (t) => {
      const { code, output } = await runViaduct(makeProject(t, {}), 'import', ...args);
      assert.equal(code, 2);
      assert.match(output, /^viaduct: Cannot import: .+\nWrite viaduct import FILE/);
    });
  }
});

/** A backend that tells what it got. */
async function startBackend(t: Pick<TestContext, 'after'>, path: string): Promise<void> {
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

function configuration(http: string, directory: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const temporary = paths.map((name) => `${name}_temp_path DIR/${name};`).join(' ');
  return `daemon off; master_process off; pid DIR/pid; error_log DIR/error.log;
events { }
http { access_log off; default_type text/plain; ${temporary} ${http} }
`.replaceAll('DIR', directory);
}

/** What must be alike: not the pages of errors that nobody wrote, not how a Location is written, not what a type says of encodings. */
function comparable({ status, headers, body }: Answer, { host = 'test.example' }: Question, fields: readonly string[]) {
  const base = `http://${host}`.toLowerCase();
  const location =
    headers.location === undefined
      ? undefined
      : new URL(headers.location, base).href.replace('http://unix/', `${base}/`);
  const isOurs = status < 300 || body.startsWith('<p>');
  return {
    status,
    location,
    body: isOurs ? body : '',
    fields: isOurs ? fields.map((name) => headers[name]?.replace(/;.*$/, '')) : [],
  };
}
