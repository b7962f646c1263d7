import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { findProgram, freePort, missing, startProgram } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { accepts, eventually } from '../support/socket-client.ts';
import { ROOT, startViaduct, type Viaduct } from '../support/viaduct.ts';

/** The ports that the page says the application server listens on. */
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

/** A whole configuration of `language`, and the arguments that make its program run with it. */
function wholeOf(
  language: string,
  text: string,
  directory: string,
  port: number,
): { config: string; args: readonly string[] } {
  const path = join(directory, 'front.conf');
  switch (language) {
    case 'nginx': {
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
      const places = temporary.map((name) => `${name}_temp_path ${directory}/${name};`).join(' ');
      const own = text
        .replace('listen 80;', `listen 127.0.0.1:${port};`)
        .replace(/include (\w+_params)/g, 'include /etc/nginx/$1');
      const config = `daemon off; master_process off; pid ${directory}/pid; error_log stderr; events {}\nhttp { access_log off; client_max_body_size 0; ${places}\n${own} }`;
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
      const own = text.replace('bind :80', `bind 127.0.0.1:${port}`).replace('/srv/shop', directory);
      const config = `defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n${own}`;
      return { config, args: ['-db', '-f', path] };
    }
  }
}

describe('a front of docs/app-server.md', { concurrency: 4 }, () => {
  let app: Viaduct;
  const ports: Record<string, number> = {};

  before(async () => {
    const listen: string[] = [];
    for (const protocol of Object.keys(PORTS)) {
      ports[protocol] = await freePort();
      listen.push(`${protocol}://127.0.0.1:${ports[protocol]}`);
    }
    app = await startViaduct({
      args: ['app', join(ROOT, 'test/apps/gateway.py'), '--workers', '1', '--access-log', 'off'],
      listen: listen.join(','),
    });
  });

  after(() => app.stop());

  /** `text` with the ports that the application server really has. */
  function placed(text: string): string {
    return Object.entries(PORTS).reduce((all, [name, port]) => all.replaceAll(String(port), String(ports[name])), text);
  }

  async function start(t: TestContext, language: string, text: string): Promise<number> {
    if (language === 'toml') {
      const server = await startViaduct({
        cwd: makeProject(t, { 'viaduct.toml': placed(text) }),
        args: ['web', '--access-log', 'off'],
      });
      t.after(() => server.stop());
      return server.port;
    }
    const directory = mkdtempSync(join(tmpdir(), 'viaduct-front-'));
    const port = await freePort();
    const { config, args } = wholeOf(language, placed(text), directory, port);
    writeFileSync(join(directory, 'front.conf'), config);
    const program = startProgram(PROGRAMS[language] ?? language, args, { cwd: directory });
    t.after(async () => {
      await program.stop();
      rmSync(directory, { recursive: true, force: true });
    });
    await eventually('the front listens', async () => {
      if (program.process.exitCode !== null) throw new Error(`${language} did not start:\n${program.output()}`);
      return accepts(port);
    });
    return port;
  }

  for (const { language, text, index } of EXAMPLES) {
    const program = PROGRAMS[language] ?? language;
    const skip = language === 'toml' || findProgram(program) !== null ? false : missing(program);
    const prefix = text.includes('/shop/') ? '/shop' : '';
    it(`stands before the application server: ${language}, number ${index + 1}`, { skip }, async (t) => {
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

  it('has been found for every front and protocol', () => {
    const count = (language: string): number => EXAMPLES.filter((example) => example.language === language).length;
    assert.deepEqual(['nginx', 'apache', 'lighttpd', 'haproxy', 'toml'].map(count), [5, 4, 4, 2, 1]);
  });
});
