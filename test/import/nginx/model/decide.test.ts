import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Disk, Outcome, Probe } from '../../../../src/import/check/outcome.ts';
import { buildModel } from '../../../../src/import/nginx/model/build-model.ts';
import { decide } from '../../../../src/import/nginx/model/decide.ts';
import { parseTree } from '../../../../src/import/nginx/tree.ts';
import { NEEDLESS } from '../../../../src/import/nginx/unsupported-directives.ts';

const USUAL: Probe = {
  address: '0.0.0.0:80',
  secure: false,
  client: '203.0.113.9',
  authorized: true,
  method: 'GET',
  target: '/',
  fields: [['Host', 'example.org']],
};

const NOTHING: Disk = () => null;

function ask(configuration: string, changes: Partial<Probe> = {}, disk: Disk = NOTHING): Outcome {
  return decide(buildModel(parseTree(configuration, 'nginx.conf')), { ...USUAL, ...changes }, disk);
}

function reasonOf(outcome: Outcome): string {
  assert.equal(outcome.kind, 'unknown');
  return outcome.kind === 'unknown' ? outcome.reason : '';
}

function summary(outcome: Outcome): unknown {
  switch (outcome.kind) {
    case 'answer':
      return outcome.location ?? outcome.content ?? outcome.status;
    case 'file':
      return outcome.path;
    case 'backend':
      return `${outcome.to.join(' ')} ${outcome.target}`;
    default:
      return outcome.kind;
  }
}

describe('decide', () => {
  const proxied = 'server { location / { proxy_pass http://127.0.0.1:8000; } }';

  it('knows what happens beside every directive that needs nothing, because the report says nothing of them', () => {
    const others = Object.keys(NEEDLESS).filter((name) => {
      return (
        ask(`${name} on; http { ${proxied} }`).kind !== 'backend' &&
        ask(`http { ${name} on; ${proxied} }`).kind !== 'backend'
      );
    });
    assert.deepEqual(others, []);
  });

  it('knows what happens beside directives that only change the content', () => {
    const changing = ['gzip on', 'brotli on', 'sub_filter a b', 'ssi on', 'mirror /x', 'more_set_headers "X-A: 1"'];
    for (const directive of [...changing, 'lua_package_path /srv/lua', 'geoip_country /usr/share/GeoIP.dat'])
      assert.equal(ask(`http { ${directive}; ${proxied} }`).kind, 'backend', directive);
  });

  it('does not know a field with a variable that it cannot compute, and knows the others', () => {
    const site = `server { location / {
      proxy_set_header X-Id $request_id; proxy_set_header X-Path $uri; add_header X-Served $hostname;
      proxy_pass http://127.0.0.1:8000; } }`;
    const found = ask(site, { target: '/a' });
    assert.deepEqual(found.kind === 'backend' && found.sent.slice(1), [
      ['X-Id', null],
      ['X-Path', '/a'],
    ]);
    assert.deepEqual(found.kind === 'backend' && found.fields, [['X-Served', null]]);
  });

  it('gives a text the type that the extension of the path has', () => {
    const site = `http { types { text/css css; } default_type application/octet-stream;
      server { location / { return 200 text; } location /own { add_header Content-Type text/plain; return 200 text; } } }`;
    const types = ['/a.css', '/a', '/own'].map((target) => {
      const found = ask(site, { target });
      return found.kind === 'answer' ? found.type : found.kind;
    });
    assert.deepEqual(types, ['text/css', 'application/octet-stream', null]);
  });

  it('keeps a rewrite to the location that has it', () => {
    const site = `server {
      location /blog/ { rewrite ^/(.*)$ https://blog.example.com/$1 permanent; }
      location / { proxy_pass http://127.0.0.1:8000; } }`;
    assert.equal(summary(ask(site, { target: '/blog/a?b=c' })), 'https://blog.example.com/blog/a?b=c');
    assert.equal(summary(ask(site, { target: '/other' })), 'http://127.0.0.1:8000 /other');
  });

  it('separates servers on different addresses', () => {
    const site = `server { listen 8080; return 200 public; }
      server { listen 127.0.0.1:8081; server_name localhost; return 200 internal; }`;
    const fields = [['Host', 'localhost']] as const;
    assert.equal(summary(ask(site, { address: '0.0.0.0:8080', fields })), 'public');
    assert.equal(summary(ask(site, { address: '127.0.0.1:8081' })), 'internal');
    assert.equal(summary(ask(site, { address: '0.0.0.0:8081' })), 'closed');
  });

  it('appends to the alias of an outer location what follows the path of that location', () => {
    const disk: Disk = (path) => (path === '/srv/static/webpack/a.js' ? 'file' : null);
    const site = 'server { location /s/ { alias /srv/static/; location /s/webpack/ { add_header X-A 1; } } }';
    const outcome = ask(site, { target: '/s/webpack/a.js' }, disk);
    assert.equal(summary(outcome), '/srv/static/webpack/a.js');
    assert.deepEqual(outcome.kind === 'file' && outcome.fields, [['X-A', '1']]);
  });

  it('gives a file the default type where the types are empty', () => {
    const site = 'server { root /srv; location / { types { } default_type application/octet-stream; } }';
    const outcome = ask(site, { target: '/a.html' }, () => 'file');
    assert.equal(outcome.kind === 'file' && outcome.type, 'application/octet-stream');
  });

  it('gives expires to usual statuses only', () => {
    const site = 'server { root /srv; expires 1y; add_header X-A 1; add_header X-B 2 always; }';
    const found = ask(site, { target: '/a' }, () => 'file');
    assert.deepEqual(found.kind === 'file' && found.fields, [
      ['Cache-Control', 'max-age=31536000'],
      ['X-A', '1'],
      ['X-B', '2'],
    ]);
    const missing = ask(site, { target: '/a' });
    assert.deepEqual(missing.kind === 'answer' && missing.fields, [['X-B', '2']]);
  });

  it('normalizes sockets with doubled slashes, and knows suwsgi', () => {
    assert.equal(summary(ask('server { location / { uwsgi_pass unix:///run/a.sock; } }')), 'uwsgi://unix:/run/a.sock ');
    assert.equal(summary(ask('server { location / { uwsgi_pass suwsgi://10.0.0.1:9; } }')), 'suwsgi://10.0.0.1:9 ');
  });

  it('sends what proxy_set_header says, and its own Host otherwise', () => {
    const site = `server { proxy_set_header X-Forwarded-Proto https;
      location / { proxy_pass http://app:8000; } location /own { proxy_pass http://app; proxy_set_header Host $host; } }`;
    const inherited = ask(site);
    assert.deepEqual(inherited.kind === 'backend' && inherited.sent, [
      ['Host', 'app:8000'],
      ['X-Forwarded-Proto', 'https'],
    ]);
    const own = ask(site, { target: '/own' });
    assert.deepEqual(own.kind === 'backend' && own.sent, [['Host', 'example.org']]);
  });

  it('runs no rewrite directive for a method that limit_except names', () => {
    const site = 'server { location / { limit_except GET { deny all; } return 200 open; } }';
    assert.equal(summary(ask(site)), 'open');
    assert.equal(summary(ask(site, { method: 'HEAD' })), 'open');
    assert.equal(summary(ask(site, { method: 'POST' })), 403);
  });

  it('lets return in a location answer before access is checked', () => {
    assert.equal(summary(ask('server { location / { deny all; return 200 open; } }')), 'open');
  });

  it('does not read a variable of index again that a subrequest without arguments has read', () => {
    const site = (guard: string) => `server { root /srv; index index$arg_a.html; location / { ${guard} }
      location = /auth { if ($arg_a = x) { } proxy_pass http://127.0.0.1:1; } }`;
    const disk: Disk = (path) => (/^\/srv\/index1?\.html$/.test(path) ? 'file' : null);
    assert.equal(summary(ask(site(''), { target: '/?a=1' }, disk)), '/srv/index1.html');
    assert.equal(summary(ask(site('auth_request /auth;'), { target: '/?a=1' }, disk)), '/srv/index.html');
  });

  it('accepts an address or a password with satisfy any', () => {
    const site = `server { satisfy any; allow 10.0.0.0/8; deny all; auth_basic site; auth_basic_user_file /p;
      location / { proxy_pass http://127.0.0.1:1; } }`;
    assert.equal(ask(site, { client: '10.1.2.3', authorized: false }).kind, 'backend');
    assert.equal(ask(site, { client: '192.0.2.1' }).kind, 'backend');
    assert.equal(summary(ask(site, { client: '192.0.2.1', authorized: false })), 401);
  });

  it('keeps the status of an error where a backend makes its page', () => {
    const site = 'server { error_page 404 @app; root /srv; location @app { proxy_pass http://127.0.0.1:1; } }';
    const outcome = ask(site, { target: '/missing' });
    assert.equal(outcome.kind === 'backend' && outcome.status, 404);
  });

  it('ends a loop of rewrites with 500', () => {
    assert.equal(summary(ask('server { location / { rewrite ^ /a last; } }')), 500);
  });

  it('tells guards that it does not interpret', () => {
    const referers = 'server { valid_referers none; if ($invalid_referer) { return 403; } return 200 a; }';
    assert.equal(reasonOf(ask(referers)), 'the variable $invalid_referer');
    const links = 'server { location / { secure_link $arg_a; if ($secure_link = "") { return 403; } } }';
    assert.equal(reasonOf(ask(links)), 'the variable $secure_link');
  });

  it('tells directives, blocks and patterns that it does not interpret', () => {
    assert.equal(reasonOf(ask('server { location / { dav_methods PUT; } }')), 'dav_methods PUT');
    assert.equal(
      reasonOf(ask('server { location / { access_by_lua_block { ngx.exit(403) } } }')),
      'access_by_lua_block',
    );
    assert.equal(
      reasonOf(ask('split_clients $uri $some { 5% 1; * 0; } server { if ($some) { return 403; } }')),
      'the variable $some',
    );
    assert.match(reasonOf(ask('server { location ~ ^/(?>a) { } }')), /a group that JavaScript lacks/);
    assert.equal(reasonOf(ask('server { location = / { stub_status; } }')), 'stub_status');
  });

  it('closes the connection for a subrequest that comes to return 444', () => {
    const site = 'server { auth_request /auth; location = / { } location / { return 444; } }';
    assert.equal(ask(site).kind, 'closed');
  });

  it('keeps a refusal that satisfy any holds back, also for the error page of another check', () => {
    const site = `server { satisfy any; error_page 500 /page;
      location = / { deny all; auth_request /auth; } location / { return 404; } location = /page { root /srv; } }`;
    assert.equal(summary(ask(site, {}, () => 'file')), 403);
  });

  it('keeps the value that a map had in a subrequest', () => {
    const site = (flag: string) => `map $arg_a $kind { ${flag} "" none; default some; }
      server { proxy_set_header X-Kind $kind; location = /auth { proxy_pass http://127.0.0.1:2; }
        location / { auth_request /auth; proxy_pass http://127.0.0.1:1; } }`;
    for (const [flag, kind] of [
      ['', 'none'],
      ['volatile;', 'some'],
    ] as const) {
      const outcome = ask(site(flag), { target: '/?a=1' });
      assert.ok(
        outcome.kind === 'backend' && JSON.stringify(outcome.sent).includes(`"${kind}"`),
        JSON.stringify(outcome),
      );
    }
  });

  it('asks a subrequest that nginx answers by itself', () => {
    const site = (answer: string) => `server { location = /auth { internal; ${answer}; }
      location / { auth_request /auth; proxy_pass http://127.0.0.1:1; } }`;
    assert.equal(ask(site('return 204')).kind, 'backend');
    assert.equal(summary(ask(site('return 403'))), 403);
    assert.equal(summary(ask(site('return 404'))), 500);
    assert.equal(summary(ask(site('proxy_pass http://127.0.0.1:2'), { authorized: false })), 401);
  });
});
