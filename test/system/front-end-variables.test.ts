import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { encodeRequest, variablesOf } from '../support/cgi-frames.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { makeProject } from '../support/project.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const APP = `
import json
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [json.dumps({key: value for key, value in environ.items() if isinstance(value, str)}).encode()]
`;

const SENT = {
  SERVER_NAME: 'shop.example:8443',
  SERVER_PORT: '8443',
  REQUEST_SCHEME: 'https',
  DOCUMENT_ROOT: '/srv/shop',
  SSL_CLIENT_VERIFY: 'SUCCESS',
  SSL_CLIENT_S_DN: 'CN=J\xf6rg',
  MY_VAR: 'mine',
  REMOTE_USER: 'jane',
  AUTH_TYPE: 'Basic',
  'wsgi.url_scheme': 'ftp',
  'wsgi.input': 'none',
  PATH: '/evil',
  SERVER_SOFTWARE: 'evil',
};

for (const user of [false, true]) {
  describe(`the environ behind a front-end proxy that may ${user ? '' : 'not '}state the user`, () => {
    const suite = suiteLifetime();
    let server: Viaduct;

    before(async () => {
      const values = `["address", "scheme"${user ? ', "user"' : ''}]`;
      const cwd = makeProject(suite, { 'app.py': APP, 'viaduct.toml': `trusted_proxy_values = ${values}\n` });
      const listen = ['uwsgi', 'scgi', 'fastcgi'].map((protocol) => `${protocol}://127.0.0.1:0`).join(',');
      server = await startViaduct(suite, ['app', '--workers', '1', '--access-log', 'off'], { cwd, listen });
    });

    for (const protocol of ['uwsgi', 'scgi', 'fastcgi'] as const) {
      it(`has its variables over ${protocol}, also behind a further proxy`, async () => {
        const port = Number(new RegExp(`${protocol}://127\\.0\\.0\\.1:(\\d+)`).exec(server.output())?.[1]);
        for (const [more, address] of [
          [{}, '192.0.2.7'],
          [{ REMOTE_ADDR: '127.0.0.1', HTTP_X_FORWARDED_FOR: '203.0.113.9' }, '203.0.113.9'],
        ] as const) {
          const client = await SocketClient.open(port);
          client.send(encodeRequest(protocol, variablesOf({ ...SENT, ...more })));
          await client.untilClosed();
          const environ = JSON.parse(/\{.*\}/.exec(client.received)?.[0] ?? '') as Record<string, string>;
          const { SERVER_NAME, SERVER_PORT, DOCUMENT_ROOT, SSL_CLIENT_VERIFY, SSL_CLIENT_S_DN, MY_VAR } = environ;
          assert.deepEqual(
            [SERVER_NAME, SERVER_PORT, DOCUMENT_ROOT, SSL_CLIENT_VERIFY, SSL_CLIENT_S_DN, MY_VAR],
            ['shop.example', '8443', '/srv/shop', 'SUCCESS', 'CN=J\xf6rg', 'mine'],
          );
          assert.deepEqual(
            [environ.REMOTE_ADDR, environ['wsgi.url_scheme'], environ.PATH],
            [address, 'https', undefined],
          );
          assert.match(environ.SERVER_SOFTWARE ?? '', /^viaduct\//);
          const isBelieved = user || protocol !== 'fastcgi';
          assert.deepEqual(
            [environ.REMOTE_USER, environ.AUTH_TYPE],
            isBelieved ? ['jane', 'Basic'] : [undefined, undefined],
          );
          if (!isBelieved)
            await eventually('the log names it', () => /sent REMOTE_USER over FastCGI/.test(server.output()));
        }
      });
    }
  });
}
