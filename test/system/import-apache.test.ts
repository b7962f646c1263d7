import assert from 'node:assert/strict';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { NO_APACHE, startApacheSite } from '../support/apache.ts';
import { ask } from '../support/http-client.ts';
import type { HttpAnswer, HttpRequest } from '../support/http-message.ts';
import { freePort } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { runViaduct, startViaduct } from '../support/viaduct.ts';

/** Answers with what it sees of the request. */
const APP = `import json


def application(environ, start_response):
    keys = ("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REMOTE_USER", "REQUEST_METHOD", "HTTP_X_USER")
    status = "404 Not Found" if environ["PATH_INFO"].endswith("/missing") else "200 OK"
    start_response(status, [("Content-Type", "application/json")])
    seen = {key: environ.get(key, "") for key in keys}
    return [json.dumps({"app": __file__.rsplit("/", 1)[-1], **seen}).encode()]
`;
/** The user anna with the password "secret" (SHA-crypt). */
const USERS = 'anna:$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.\n';
const ANNA: readonly (readonly [string, string])[] = [['Authorization', `Basic ${btoa('anna:secret')}`]];

const FILES = {
  'app.py': APP,
  'other.py': APP,
  users: USERS,
  'www/index.html': '<p>home',
  'www/docs/index.html': '<p>docs',
  'www/docs/secret.ini': 'key',
  'www/private/a.txt': 'private',
  'www/404.html': '<p>nothing',
  'static/site.css': 'a {}',
  'static/deep/x.txt': 'x',
  'robots.txt': 'robots',
} as const;

interface Case {
  readonly name: string;
  /** The configuration behind `Listen`. `DIR` is the directory of the files. */
  readonly site: string;
  readonly questions: readonly (HttpRequest & { readonly path: string })[];
  /** Fields to compare beside Location. */
  readonly fields?: readonly string[];
  /** Names of dangerous lines to accept. */
  readonly accept?: readonly number[];
}

const GRANTED = '<Directory DIR>\nRequire all granted\n</Directory>\n';
const paths = (...all: readonly string[]) => all.map((path) => ({ path }));

const CASES: readonly Case[] = [
  {
    name: 'an application, and files beside it',
    site: `${GRANTED}WSGIDaemonProcess shop python-path=DIR threads=2
WSGIProcessGroup shop
Alias /static/ DIR/static/
Alias /media DIR/static
Alias /robots.txt DIR/robots.txt
WSGIScriptAlias / DIR/app.py`,
    questions: [
      ...paths('/', '/a/b?c=d&e', '/%61%20b', '/static/site.css', '/static/deep/x.txt', '/static', '/static/none.css'),
      ...paths('/staticfoo', '/media/site.css', '/mediafoo', '/robots.txt', '/missing', '/%E2%82%AC'),
      { path: '/form', method: 'POST', body: 'a=b' },
      { path: '/robots.txt', method: 'HEAD' },
    ],
    fields: ['content-type'],
  },
  {
    name: 'applications below prefixes, in the order of their lines',
    site: `${GRANTED}DocumentRoot DIR/www
WSGIDaemonProcess one threads=1
WSGIDaemonProcess two threads=1
WSGIScriptAlias /shop/admin DIR/other.py process-group=two
WSGIScriptAlias /shop DIR/app.py process-group=one
WSGIScriptAlias /shop/never DIR/other.py process-group=two`,
    questions: paths(
      '/',
      '/shop',
      '/shop/',
      '/shop/x?y',
      '/shop/admin',
      '/shop/admin/x',
      '/shop/never',
      '/shopping',
      '/docs/',
      '/none',
    ),
  },
  {
    name: 'access by address, old and new',
    site: `${GRANTED}WSGIScriptAlias / DIR/app.py
<Location /new>
Require ip 10.0.0.0/8
</Location>
<Location /here>
Require ip 127.0.0.0/8
</Location>
<Location /local>
Require local
</Location>
<Location /old>
Order deny,allow
Deny from all
Allow from 127
</Location>
<Location /older>
Order allow,deny
Allow from all
Deny from 127.0.0.1
</Location>
<Location /never>
Require all denied
</Location>
<Location /never/but>
Require all granted
</Location>
<Location /not>
<RequireAll>
Require all granted
Require not ip 127.0.0.1
</RequireAll>
</Location>
<LocationMatch "^/(api|rpc)/internal">
Require all denied
</LocationMatch>`,
    questions: [
      ...paths('/', '/new', '/new/x', '/newer', '/here/x', '/local', '/old', '/old/x', '/older', '/older/x', '/never'),
      ...paths(
        '/never/x',
        '/never/but/x',
        '/not/x',
        '/api/internal/x',
        '/rpc/internal',
        '/api/public',
        '//never/x',
        '/%6eever',
      ),
    ],
  },
  {
    name: 'passwords',
    site: `${GRANTED}WSGIPassAuthorization On
WSGIScriptAlias / DIR/app.py
<Location /staff>
AuthType Basic
AuthName "Staff only"
AuthUserFile DIR/users
Require valid-user
</Location>
<Location /staff/open>
Require all granted
</Location>
<Location /either>
AuthType Basic
AuthName Either
AuthUserFile DIR/users
Require ip 127.0.0.1
Require valid-user
</Location>
<Location /both>
AuthType Basic
AuthName Both
AuthUserFile DIR/users
<RequireAll>
Require ip 10.0.0.1
Require valid-user
</RequireAll>
</Location>`,
    questions: ['/', '/staff', '/staff/x', '/staff/open', '/either', '/both'].flatMap((path) => [
      { path },
      { path, headers: ANNA },
      { path, headers: [['Authorization', `Basic ${btoa('anna:wrong')}`]] },
    ]),
    fields: ['www-authenticate'],
  },
  {
    name: 'directories with rules of their own',
    site: `DocumentRoot DIR/www
<Directory />
Require all denied
</Directory>
<Directory DIR/www>
Require all granted
</Directory>
<Directory DIR/www/private>
Require all denied
</Directory>
<Files "*.ini">
Require all denied
</Files>
Alias /static DIR/static`,
    questions: paths(
      '/',
      '/docs/',
      '/docs',
      '/docs/secret.ini',
      '/private/a.txt',
      '/private/',
      '/none',
      '/static/site.css',
      '/index.html',
    ),
  },
  {
    name: 'redirects before everything else',
    site: `${GRANTED}WSGIScriptAlias / DIR/app.py
Alias /old/static DIR/static
Redirect permanent /old https://old.example.org/new
Redirect 303 /see/ /seen/
RedirectMatch "^/users/([a-z]+)\\.html$" /people/$1
RedirectMatch 301 ^/first$ /matched
Redirect /first /prefixed
Redirect gone /gone
<Location /old/closed>
Require all denied
</Location>`,
    questions: [
      ...paths('/old', '/old/', '/old/a/b?c=d', '/older', '/old/static/site.css', '/old/closed/x', '/see/a', '/see'),
      ...paths('/users/anna.html', '/users/Anna.html', '/first', '/first/x', '/gone/x', '/else'),
    ],
  },
  {
    name: 'rewriting: redirects, refusals and exceptions',
    site: `${GRANTED}WSGIScriptAlias / DIR/app.py
RewriteEngine On
RewriteRule ^/healthz$ - [L]
RewriteCond %{HTTP_USER_AGENT} (crawler|spider) [NC]
RewriteRule .* - [F]
RewriteRule ^/a/(.*)$ /b/$1?x=1 [R=301,QSA,L]
RewriteRule ^/c/(\\d+)$ https://c.example.org/$1 [R=302,L]
RewriteCond %{HTTP_HOST} !^www\\.
RewriteRule ^/www/ https://www.example.org%{REQUEST_URI} [R,L]
RewriteRule ^/gone - [G]`,
    questions: [
      ...paths('/', '/healthz', '/a/x', '/a/x?y=2', '/c/12', '/c/x', '/www/a?b', '/gone/x'),
      { path: '/www/a', host: 'www.example.org' },
      { path: '/', headers: [['User-Agent', 'A Crawler']] },
      { path: '/healthz', headers: [['User-Agent', 'A Crawler']] },
    ],
  },
  {
    name: 'everything to https, but for the challenge',
    site: `${GRANTED}Alias /.well-known/acme-challenge/ DIR/static/
RewriteEngine On
RewriteRule ^/\\.well-known/acme-challenge/ - [L]
RewriteCond %{HTTPS} !=on
RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R=301,L]
DocumentRoot DIR/www`,
    questions: [
      ...paths('/', '/x?y=z', '/.well-known/acme-challenge/site.css', '/.well-known/other'),
      { path: '/x', host: 'shop.example.org' },
    ],
  },
  {
    name: 'virtual hosts by name',
    site: `${GRANTED}DocumentRoot DIR/www
<VirtualHost 127.0.0.1:PORT>
ServerName one.example.org
DocumentRoot DIR/www
</VirtualHost>
<VirtualHost *:PORT>
ServerName never.example.org
DocumentRoot DIR/static
</VirtualHost>
<VirtualHost 127.0.0.1:PORT>
ServerName two.example.org
ServerAlias *.two.example.org
WSGIScriptAlias /app DIR/app.py
</VirtualHost>
<VirtualHost 127.0.0.1:PORT>
ServerName deep.two.example.org
ServerAlias three.example.org
DocumentRoot DIR/static
</VirtualHost>`,
    questions: ['one', 'two', 'a.two', 'deep.two', 'three', 'never', 'unknown'].flatMap((name) =>
      ['/', '/app/x', '/site.css', '/docs/'].map((path) => ({ path, host: `${name}.example.org` })),
    ),
    accept: [10],
  },
  {
    name: 'fields of responses and requests',
    site: `${GRANTED}Alias /static DIR/static
Header always set X-Frame-Options DENY
Header set X-Site "yes"
RequestHeader set X-User nobody
WSGIScriptAlias / DIR/app.py
<Location /inner>
Header set X-Site inner
Header unset X-Frame-Options
RequestHeader unset X-User
</Location>`,
    questions: [
      ...paths('/', '/static/site.css', '/inner/x'),
      { path: '/', headers: [['X-User', 'root']] },
      { path: '/inner', headers: [['X-User', 'root']] },
    ],
    fields: ['x-frame-options', 'x-site'],
  },
  {
    name: 'error documents, indexes and lists of directories',
    site: `${GRANTED}DocumentRoot DIR/www
ErrorDocument 404 /404.html
DirectoryIndex index.html
WSGIScriptAlias /app DIR/app.py
<Directory DIR/www/private>
Options Indexes
</Directory>`,
    questions: paths('/', '/none', '/none/deeper', '/docs', '/docs/', '/app/missing', '/private/', '/private/a.txt'),
  },
  {
    name: 'conditional parts, variables and included files',
    site: `${GRANTED}Define top DIR
<IfModule mod_alias.c>
Alias /static \${top}/static
</IfModule>
<IfModule !mod_wsgi.c>
Alias / \${top}/www/
</IfModule>
<IfDefine nobody_defines_this>
Redirect / https://elsewhere.example.org/
</IfDefine>
WSGIScriptAlias / \\
  \${top}/app.py`,
    questions: paths('/', '/static/site.css', '/docs/'),
  },
];

describe('an imported configuration of Apache with mod_wsgi', { skip: NO_APACHE }, () => {
  for (const { name, site, questions, fields = [], accept = [] } of CASES) {
    it(`answers like Apache: ${name}`, async (t) => {
      const port = await freePort();
      const text = `Listen 127.0.0.1:${port}\n${site}\n`.replaceAll('PORT', `${port}`);
      const directory = makeProject(t, { ...FILES, 'apache.conf': '' }, { name: 'apache' });
      writeFileSync(join(directory, 'apache.conf'), text.replaceAll('DIR', directory));
      readable(directory);
      const apache = await startApacheSite(t, directory, join(directory, 'apache.conf'), port);
      const theirs: HttpAnswer[] = [];
      for (const question of questions) theirs.push(await ask(port, question.path, question));
      await apache.stop();
      const names = accept.map((line) => `apache.conf:${line}`).join(',');
      const accepted = names === '' ? [] : ['--accept', names];
      const { code, output } = await runViaduct(directory, 'import', 'apache.conf', '-o', 'viaduct.toml', ...accepted);
      assert.equal(code, 0, output);
      const server = await startViaduct(t, [], { cwd: directory, listen: `http://127.0.0.1:${port}` });
      const differences: unknown[] = [];
      for (const [index, question] of questions.entries()) {
        const ours = comparable(await ask(server.port, question.path, question), question, fields);
        const expected = comparable(theirs[index] as HttpAnswer, question, fields);
        if (JSON.stringify(ours) !== JSON.stringify(expected)) differences.push({ question, apache: expected, ours });
      }
      assert.deepEqual(differences, [], output);
    });
  }
  it('is not written while a file .htaccess that counts is not accepted', async (t) => {
    const rules = 'Require all denied\n';
    const directory = makeProject(t, { 'www/.htaccess': rules, 'www/a.txt': 'a', 'apache.conf': '' });
    const site = `DocumentRoot ${directory}/www\n<Directory ${directory}/www>\nAllowOverride All\n</Directory>\n`;
    writeFileSync(join(directory, 'apache.conf'), site);
    const { code, output } = await runViaduct(directory, 'import', 'apache.conf', '-o', 'viaduct.toml');
    assert.equal(code, 1);
    assert.match(output, /apache\.conf:3: AllowOverride All: dangerous: its file \.htaccess is not read/);
  });
});

/** What must be equal. The pages of the servers for errors may differ, and a directory that nobody may list is 403 there and 404 here. */
function comparable(
  { status, header, body }: HttpAnswer,
  { path, host = 'test.example' }: Case['questions'][number],
  fields: readonly string[],
) {
  const base = `http://${host}`.toLowerCase();
  const field = header('location');
  const location = field === null ? null : new URL(field, base).href.replace(/:\d+(?=\/)/, '');
  const isOwn = status < 300 || body.startsWith('<p>') || body.startsWith('{');
  const isListing = status === 200 && body.includes('<a href=');
  return {
    status: path.endsWith('/') && status === 403 ? 404 : status,
    location,
    body: isListing ? 'a list' : isOwn ? body : '',
    fields:
      isOwn || status === 401 ? fields.map((name) => header(name)?.replace(/;.*$|, charset=.*$/, '') ?? null) : [],
  };
}

/** The workers of Apache run as another user. */
function readable(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true }))
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
}
