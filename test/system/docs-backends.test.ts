import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { findProgram, freePort, missing, startPeer } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { accepts } from '../support/socket-client.ts';
import { BIN, ROOT, startViaduct } from '../support/viaduct.ts';

/** The commands of the page that start a backend at port 9000, each with the configuration after it. */
const PAGE = readFileSync(join(ROOT, 'docs/backends.md'), 'utf8');
const EXAMPLES = [
  ...PAGE.matchAll(/^```console\n\$ (.*127\.0\.0\.1.*9000.*)\n```\n\n(?:[^`\n].*\n\n)*```toml\n([\s\S]*?)^```$/gm),
].map(([, command = '', config = '']) => ({ command, config }));
const APACHE_MODULES = '/usr/lib/apache2/modules';
const NO_MOD_WSGI =
  missing('apache2') || (existsSync(`${APACHE_MODULES}/mod_wsgi.so`) ? false : 'mod_wsgi is not installed');
const LARGE = Buffer.alloc(2_000_000, 'abcdefghijklmnopqrstuvwxyz').toString();

/** The application as a CGI program. */
const CGI =
  '#!/usr/bin/env python3\nimport wsgiref.handlers, shop\nwsgiref.handlers.CGIHandler().run(shop.application)\n';

/** The words of a command, split like a shell does. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

describe('a backend of docs/backends.md', { concurrency: 3 }, () => {
  for (const { command, config } of EXAMPLES) {
    const [name = '', ...args] = wordsOf(command);
    const isOurs = name === 'viaduct';
    const skip = isOurs || findProgram(name) !== null ? false : missing(name);
    const protocol = /proxy = "(\w+):/.exec(config)?.[1] ?? '';
    it(`works behind the web server over ${protocol}: ${command}`, { skip }, async (t) => {
      const port = await freePort();
      const home = makeProject(t, {});
      const placed = (text: string): string => text.replaceAll('9000', `${port}`).replaceAll('/srv/shop', home);
      const cwd = makeProject(t, { 'viaduct.toml': placed(config) });
      copyFileSync(join(ROOT, 'test/apps/views.py'), join(home, 'shop.py'));
      writeFileSync(join(home, 'shop.cgi'), CGI, { mode: 0o755 });
      const words = args.map(placed);
      const options = { cwd: home, ready: () => accepts(port) };
      if (isOurs) await startPeer(t, 'node', [BIN, ...words], options);
      else await startPeer(t, name, words, { ...options, env: { PYTHONPATH: home } });
      const server = await startViaduct(t, ['web', '--access-log', 'off'], { cwd });
      const { status, body } = await ask(server.port, '/a%20b/environ?x=%2F&y', { headers: [['X-Field', 'value']] });
      assert.equal(status, 200, server.output());
      const environ = new Map(
        body.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      );
      const expected = {
        SCRIPT_NAME: '',
        PATH_INFO: '/a b/environ',
        QUERY_STRING: 'x=%2F&y',
        HTTP_X_FIELD: 'value',
        REMOTE_ADDR: '127.0.0.1',
      };
      for (const [key, value] of Object.entries(expected)) assert.equal(environ.get(key), value, key);
      for (const framing of ['length', 'chunked'] as const) {
        const chunked = {
          headers: [['Transfer-Encoding', 'chunked']],
          body: `${LARGE.length.toString(16)}\r\n${LARGE}\r\n0\r\n\r\n`,
        } as const;
        // gunicorn and granian set no CONTENT_LENGTH for content in chunks. Without it this application reads nothing.
        if (framing === 'chunked' && /^(gunicorn|granian)/.test(name)) continue;
        const echoed = await ask(server.port, '/echo', {
          method: 'POST',
          ...(framing === 'length' ? { body: LARGE } : chunked),
        });
        assert.ok(echoed.status === 200 && echoed.body === LARGE, `${framing}: ${echoed.status} ${echoed.body.length}`);
      }
      const stream = await ask(server.port, '/stream');
      assert.deepEqual([stream.status, stream.whole, stream.body.length], [200, true, 4000]);
      assert.equal((await ask(server.port, '/missing')).status, 404);
      assert.equal((await ask(server.port, '/unchanged')).status, 304);
      // waitress may send content after it, so no request that must succeed follows.
      const head = await ask(server.port, '/', { method: 'HEAD' });
      assert.deepEqual([head.status, head.body], [200, '']);
      // granian ends an unfinished response as if it were whole.
      if (name === 'granian') return;
      // A backend over HTTP/2 may give up the response before Viaduct has passed on its start: then it is 502.
      const broken = await ask(server.port, '/broken').catch(() => null);
      assert.ok(broken?.whole !== true || broken.status === 502);
    });
  }

  it('works behind the web server: Apache with mod_wsgi', { skip: NO_MOD_WSGI }, async (t) => {
    const [, text = '', config = ''] = /^```apache\n([\s\S]*?)^```\n\n```toml\n([\s\S]*?)^```$/m.exec(PAGE) ?? [];
    const port = await freePort();
    const home = makeProject(t, { 'run/.keep': '' });
    const placed = (source: string): string => source.replaceAll('9000', `${port}`).replaceAll('/srv/shop', home);
    copyFileSync(join(ROOT, 'test/apps/views.py'), join(home, 'shop.py'));
    for (const path of [dirname(home), home]) chmodSync(path, 0o755);
    const modules = ['mpm_event', 'authz_core', 'remoteip', 'wsgi'].map(
      (name) => `LoadModule ${name}_module ${APACHE_MODULES}/mod_${name}.so`,
    );
    const user = process.getuid?.() === 0 ? 'User www-data\nGroup www-data\n' : '';
    const directives = `ServerRoot ${home}\nDefaultRuntimeDir run\nWSGISocketPrefix run/wsgi\nPidFile run/pid\nErrorLog error.log\nServerName localhost\n`;
    writeFileSync(join(home, 'apache.conf'), `${modules.join('\n')}\n${user}${directives}${placed(text)}`);
    const args = ['-D', 'FOREGROUND', '-f', join(home, 'apache.conf')];
    await startPeer(t, 'apache2', args, { cwd: home, ready: () => accepts(port) });
    const server = await startViaduct(t, ['web', '--access-log', 'off'], {
      cwd: makeProject(t, { 'viaduct.toml': placed(config) }),
    });
    const { status, body } = await ask(server.port, '/a%20b/environ?x=%2F&y');
    assert.equal(status, 200, body);
    for (const line of ['PATH_INFO=/a b/environ', 'QUERY_STRING=x=%2F&y', 'SCRIPT_NAME=', 'REMOTE_ADDR=127.0.0.1'])
      assert.ok(body.split('\n').includes(line), `${line} in\n${body}`);
    const echoed = await ask(server.port, '/echo', { method: 'POST', body: LARGE });
    assert.ok(echoed.status === 200 && echoed.body === LARGE);
  });

  it('exists for every server and protocol', () => {
    assert.deepEqual(
      EXAMPLES.map(({ command }) => command.split(' ', 1)[0]),
      [
        ...['gunicorn', 'uwsgi', 'uwsgi', 'uwsgi', 'uwsgi', 'waitress-serve', 'granian', 'granian', 'fcgiwrap'],
        ...['viaduct', 'viaduct'],
      ],
    );
  });
});
