import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { before, describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { findProgram, freePort, missing, startPeer } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { accepts } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { ROOT, startViaduct } from '../support/viaduct.ts';

/** The ports of the application server on the page. */
const PORTS = { http: 8000, uwsgi: 3031, fastcgi: 9000, scgi: 4000 } as const;

const PAGE = readFileSync(join(ROOT, 'docs/app-server.md'), 'utf8');
const EXAMPLES = [...PAGE.matchAll(/^```(nginx|apache|lighttpd|haproxy|toml)\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', text = ''], index) => ({ language, text, index }),
);
const APACHE_MODULES = [
  'mpm_event',
  'authz_core',
  'headers',
  'proxy',
  'proxy_http',
  'proxy_uwsgi',
  'proxy_fcgi',
  'proxy_scgi',
];
const PROGRAMS: Readonly<Record<string, string>> = { apache: 'apache2' };
const LARGE = Buffer.alloc(3_000_000, 'abcdefghijklmnopqrstuvwxyz').toString();

/** A client of the front-end proxies that the application server does not trust. */
const CLIENT = '127.0.0.2';

/** Fields with which a client claims to be another, or asks the front-end proxy to drop what it says. */
const CLAIMS = [
  'X-Forwarded-Host: evil.example\r\n',
  'X-Forwarded-For: 10.9.9.9\r\n',
  'x-forwarded-for: 10.9.9.9, 127.0.0.1\r\nX-Forwarded-For: 10.9.9.9\r\n',
  'X_Forwarded_For: 10.9.9.9\r\nX_FORWARDED_PROTO: https\r\n',
  'X-Real-IP: 10.9.9.9\r\n',
  'X-Forwarded-Proto: https\r\n',
  'X-Forwarded-Port: 6666\r\n',
  'X-Forwarded-Prefix: /evil\r\n',
  'X-Forwarded-User: evil\r\nX-Forwarded-Server: evil\r\n',
  'X-Forwarded-Ssl: evil\r\nX-Forwarded-Protocol: evil\r\nX-Forwarded-Scheme: evil\r\n',
  'Forwarded: for=10.9.9.9;host=evil.example;proto=https\r\n',
  'Forwarded: for="10.9.9.9:6666";proto=https, for=127.0.0.1;host=evil.example\r\nX-Forwarded-Host: evil.example\r\n',
  'Connection: close, X-Forwarded-For, X-Forwarded-Proto, X-Real-IP, Forwarded, Host\r\n',
];

/** Targets in absolute-form, which name the host instead of the Host field (RFC 9112 section 3.2.2), or another scheme. */
const TARGETS: readonly (readonly [origin: string, host: string])[] = [
  ['http://test.example', 'evil.example'],
  ['HTTP://test.example:80', 'evil.example:6666'],
  ['https://test.example', 'test.example'],
];

/** What the client of the table in docs/proxies.md sends, beside its Host. */
const ASKED = 'X-A: 1\r\nX-A: 2\r\nCookie: a=1\r\nCookie: b=2\r\nAuthorization: Basic amFuZTpwdw==\r\n';

/** Variables that each request has, or that have a column of their own. */
const USUAL = new Set([
  ...['REQUEST_METHOD', 'SCRIPT_NAME', 'PATH_INFO', 'QUERY_STRING', 'REQUEST_URI', 'RAW_URI', 'SERVER_PROTOCOL'],
  ...['SERVER_SOFTWARE', 'REMOTE_ADDR', 'REMOTE_PORT', 'HTTP_AUTHORIZATION', 'AUTH_TYPE'],
]);

/** That table: for each front-end proxy and protocol, the words under each header. */
const TABLE = readTable(readFileSync(join(ROOT, 'docs/proxies.md'), 'utf8'), '| front-end proxy |');

function readTable(page: string, start: string): readonly ReadonlyMap<string, string>[] {
  const table = page.slice(page.indexOf(start)).split('\n\n')[0] ?? '';
  const [header = [], , ...rows] = table.split('\n').map((line) => line.split('|').slice(1, -1));
  const names = header.map((name) => name.replaceAll('`', '').trim());
  return rows.map((row) => new Map(names.map((name, index) => [name, row[index]?.trim() ?? ''])));
}

/** The example of docs/app-server.md for a front-end proxy and a protocol, such as `nginx uwsgi`. */
function exampleOf(row: string) {
  const [frontEnd = '', protocol = ''] = row.toLowerCase().split(' ');
  const port = String(PORTS[protocol as keyof typeof PORTS]);
  const found = EXAMPLES.find(({ language, text }) => language === frontEnd && text.includes(port));
  assert.ok(found !== undefined, row);
  return found;
}

/** What administrators write besides the page: the README, docs/proxies.md, and the parameters of Debian. */
const OTHERS = [
  ...['README.md', 'docs/proxies.md'].map(
    (page) => /^```nginx\n(location[\s\S]*?)^```$/m.exec(readFileSync(join(ROOT, page), 'utf8'))?.[1] ?? '',
  ),
  'location / {\n  include /etc/nginx/proxy_params;\n  proxy_pass http://127.0.0.1:8000;\n}\n',
  // A site that moves in steps keeps its nginx in front.
  (
    /^```nginx\n[\s\S]*?listen 443[^\n]*\n([\s\S]*?)^\}\n```$/m.exec(
      readFileSync(join(ROOT, 'docs/from-nginx.md'), 'utf8'),
    )?.[1] ?? ''
  ).replace(/^.*(?:ssl_|server_name).*\n/gm, ''),
].map((location, index) => ({
  language: 'nginx',
  text: `server {\n listen 80;\n${location.replace(/http:\/\/(?:unix:\S+|127\.0\.0\.1:8001);/, `http://127.0.0.1:${PORTS.http};`)}}\n`,
  index: EXAMPLES.length + index,
}));

/** The content of the answer to a GET that comes from `address`. */
async function askFrom(
  address: string,
  port: number,
  target: string,
  fields: string,
  host = 'test.example',
): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, localAddress: address });
  const close = fields.includes('Connection:') ? '' : 'Connection: close\r\n';
  socket.write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${close}${fields}\r\n`, 'latin1');
  const answer = await textOf(socket);
  return answer.slice(answer.indexOf('\r\n\r\n'));
}

/** A whole configuration in `language`, and the arguments with which its program runs. */
function wholeOf(
  language: string,
  text: string,
  directory: string,
  port: number,
): { config: string; args: readonly string[] } {
  const path = join(directory, 'proxy.conf');
  switch (language) {
    case 'nginx': {
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
      const paths = temporary.map((name) => `${name}_temp_path ${directory}/${name};`).join(' ');
      const servers = text
        .replace('listen 80;', `listen 127.0.0.1:${port};`)
        .replace(/include (\w+_params)/g, 'include /etc/nginx/$1');
      const config = `daemon off; master_process off; pid ${directory}/pid; error_log stderr; events {}\nhttp { access_log off; client_max_body_size 0; ${paths}\n${servers} }`;
      return { config, args: ['-p', directory, '-e', 'stderr', '-c', path] };
    }
    case 'apache': {
      const modules = APACHE_MODULES.map(
        (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
      ).join('\n');
      const user = process.getuid?.() === 0 ? 'User www-data\nGroup www-data\n' : '';
      mkdirSync(join(directory, 'run'));
      const config = `${modules}\n${user}ServerRoot ${directory}\nDefaultRuntimeDir run\nPidFile run/pid\nErrorLog error.log\nServerName localhost\nListen 127.0.0.1:${port}\n${text}`;
      return { config, args: ['-D', 'FOREGROUND', '-f', path] };
    }
    case 'lighttpd': {
      const config = `server.bind = "127.0.0.1"\nserver.port = ${port}\nserver.document-root = "${directory}"\nserver.upload-dirs = ("${directory}")\nserver.errorlog = "${directory}/error.log"\n${text}`;
      return { config, args: ['-D', '-f', path] };
    }
    default: {
      const proxies = text.replace('bind :80', `bind 127.0.0.1:${port}`).replace('/srv/shop', directory);
      const config = `defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n${proxies}`;
      return { config, args: ['-db', '-f', path] };
    }
  }
}

describe('a front-end proxy of docs/app-server.md', { concurrency: 4 }, () => {
  const suite = suiteLifetime();
  const ports: Record<string, number> = {};

  before(async () => {
    const listen: string[] = [];
    for (const protocol of Object.keys(PORTS)) {
      ports[protocol] = await freePort();
      listen.push(`${protocol}://127.0.0.1:${ports[protocol]}`);
    }
    const config = join(
      makeProject(suite, {
        'viaduct.toml': 'trusted_proxies = ["127.0.0.1"]\ntrusted_proxy_values = ["address", "scheme", "user"]\n',
      }),
      'viaduct.toml',
    );
    const args = ['app', join(ROOT, 'test/apps/views.py'), '--config', config, '--workers', '1', '--access-log', 'off'];
    await startViaduct(suite, args, { listen: listen.join(',') });
  });

  /** `text` with the real ports of the application server. */
  function placed(text: string): string {
    return Object.entries(PORTS).reduce((all, [name, port]) => all.replaceAll(String(port), String(ports[name])), text);
  }

  async function start(t: TestContext, language: string, text: string): Promise<number> {
    if (language === 'toml') {
      const server = await startViaduct(t, ['web', '--access-log', 'off'], {
        cwd: makeProject(t, { 'viaduct.toml': placed(text) }),
      });
      return server.port;
    }
    const directory = temporaryDirectory(t);
    const port = await freePort();
    const { config, args } = wholeOf(language, placed(text), directory, port);
    writeFileSync(join(directory, 'proxy.conf'), config);
    await startPeer(t, PROGRAMS[language] ?? language, args, { cwd: directory, ready: () => accepts(port) });
    return port;
  }

  for (const { language, text, index } of EXAMPLES) {
    const program = PROGRAMS[language] ?? language;
    const skip = language === 'toml' || findProgram(program) !== null ? false : missing(program);
    const prefix = text.includes('/shop/') ? '/shop' : '';
    it(`works in front of the application server: ${language}, number ${index + 1}`, { skip }, async (t) => {
      const port = await start(t, language, text);
      const { status, body } = await ask(port, `${prefix}/a%20b/environ?x=%2F&y`);
      assert.equal(status, 200, body);
      const environ = new Map(
        body.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      );
      const expected = {
        SCRIPT_NAME: prefix,
        PATH_INFO: '/a b/environ',
        QUERY_STRING: 'x=%2F&y',
        REQUEST_METHOD: 'GET',
        REMOTE_ADDR: '127.0.0.1',
        'wsgi.url_scheme': 'http',
      };
      for (const [name, value] of Object.entries(expected)) assert.equal(environ.get(name), value, name);
      assert.match(environ.get('HTTP_HOST') ?? '', /^test\.example/);
      const echoed = await ask(port, `${prefix}/echo`, { method: 'POST', body: LARGE });
      assert.ok(echoed.status === 200 && echoed.body === LARGE, `${echoed.status} ${echoed.body.length}`);
      const stream = await ask(port, `${prefix}/stream`);
      assert.deepEqual([stream.status, stream.whole, stream.body.length], [200, true, 4000]);
      const head = await ask(port, `${prefix}/`, { method: 'HEAD' });
      assert.deepEqual([head.status, head.body], [200, '']);
      const unchanged = await ask(port, `${prefix}/unchanged`);
      assert.deepEqual([unchanged.status, unchanged.body], [304, '']);
      assert.equal((await ask(port, `${prefix}/missing`)).status, 404);
      assert.equal((await ask(port, `${prefix}/cookies`)).headers.filter(([name]) => name === 'set-cookie').length, 2);
    });
  }

  for (const { language, text, index } of [...EXAMPLES, ...OTHERS]) {
    const program = PROGRAMS[language] ?? language;
    const skip = language === 'toml' || findProgram(program) !== null ? false : missing(program);
    it(`passes on no false claim of a client: ${language}, number ${index + 1}`, { skip }, async (t) => {
      const port = await start(t, language, language === 'toml' ? `trusted_proxies = []\n${text}` : text);
      const prefix = text.includes('/shop/') ? '/shop' : '';
      for (const claim of [...CLAIMS, CLAIMS.join('')]) {
        const environ = await askFrom(CLIENT, port, `${prefix}/environ`, claim);
        assert.doesNotMatch(environ, /evil|10\.9\.9\.9|6666/, claim);
        assert.match(environ, /^HTTP_HOST=test\.example(?::\d+)?$/m, claim);
        assert.match(environ, new RegExp(`^REMOTE_ADDR=${CLIENT}$`, 'm'), claim);
        assert.match(environ, /^wsgi\.url_scheme=http$/m, claim);
        assert.match(environ, new RegExp(`^SCRIPT_NAME=${prefix}$`, 'm'), claim);
      }
      for (const [origin, host] of TARGETS) {
        const answer = await askFrom(CLIENT, port, `${origin}${prefix}/environ`, '', host);
        if (host.startsWith('evil') && /400 Bad Request/i.test(answer)) continue; // lighttpd and HAProxy refuse two hosts
        assert.match(answer, /^HTTP_HOST=test\.example(?::\d+)?$/m, `${origin} ${host}`);
        assert.doesNotMatch(answer, /evil|6666/, `${origin} ${host}`);
        assert.match(answer, /^wsgi\.url_scheme=http$/m, `${origin} ${host}`);
      }
    });
  }

  for (const row of TABLE) {
    const name = row.get('front-end proxy') as string;
    const { language, text } = exampleOf(name);
    it(`sends the variables of docs/proxies.md: ${name}`, {
      skip: missing(PROGRAMS[language] ?? language),
    }, async (t) => {
      const port = await start(t, language, text);
      const answer = await askFrom(CLIENT, port, '/environ', ASKED, 'shop.example:8080');
      const environ = new Map(
        [...answer.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value]),
      );
      const words = (key: string): string => {
        const value = environ.get(key);
        if (value === undefined) return '';
        if (key === 'DOCUMENT_ROOT') return value.startsWith('/') ? 'its own' : value;
        return value === `${port}` || value === '127.0.0.1' ? 'its own' : `\`${value}\``;
      };
      const further = [...environ.keys()].filter((key) => !USUAL.has(key) && !row.has(key)).map((key) => `\`${key}\``);
      const seen = [...row.keys()].slice(1, -1).map((key) => [key, words(key)] as const);
      assert.deepEqual(new Map([['front-end proxy', name], ...seen, ['further variables', further.join(', ')]]), row);
    });
  }

  it('exists for every front-end proxy and protocol', () => {
    assert.equal(TABLE.length, 10);
    const count = (language: string): number => EXAMPLES.filter((example) => example.language === language).length;
    assert.deepEqual(['nginx', 'apache', 'lighttpd', 'haproxy', 'toml'].map(count), [5, 4, 4, 2, 1]);
  });
});
