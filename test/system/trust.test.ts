import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { before, describe, it } from 'node:test';
import type { Request } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { CidrList } from '../../src/http/semantics/cidr.ts';
import { trustProxies } from '../../src/listen/trust/trust-policy.ts';
import { ask } from '../support/http-client.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { NO_NGINX, nginxSocket, startNginx } from '../support/nginx.ts';
import { makeProject } from '../support/project.ts';
import { serveHandler } from '../support/serve-handler.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startViaduct } from '../support/viaduct.ts';

/** Two nginx servers in a row in front of a server on a Unix socket. The outer one faces the world. */
const SERVERS = `
  proxy_http_version 1.1;
  server {
    listen unix:DIR/nginx.sock; set_real_ip_from unix:; real_ip_header X-Test-Client;
    location / {
      proxy_pass http://unix:DIR/inner;
      proxy_set_header Host www.example; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto https; proxy_set_header X-Forwarded-Host ""; proxy_set_header X-Forwarded-Port "";
    }
  }
  server {
    listen unix:DIR/inner;
    location / {
      proxy_pass http://unix:DIR/server; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For "$http_x_forwarded_for, 10.0.0.9";
    }
  }`;

describe('a server behind two nginx', { skip: NO_NGINX }, () => {
  const suite = suiteLifetime();
  const directory = temporaryDirectory(suite);
  const logged: string[] = [];

  before(async () => {
    const address = join(directory, 'server');
    const list = CidrList.parse(['10.0.0.0/8', 'unix']);
    await serveHandler(suite, (request) => Response.text(200, JSON.stringify(shown(request))), {
      address: `unix:${address}`,
      receive: trustProxies({ trusted: (client) => list.matches(client) }),
      onAnswered: ({ peer }) => logged.push(peer.remoteAddress),
      onError: (error) => logged.push(String(error)),
    });
    await startNginx(suite, directory, SERVERS);
  });

  it('gets the real client, scheme and host, whatever the client claims', async () => {
    const { body } = await ask(nginxSocket(directory), '/', {
      headers: [
        ['X-Test-Client', '203.0.113.7'],
        ['X-Forwarded-For', '127.0.0.1, "'],
        ['X-Forwarded-Proto', 'http'],
        ['X-Forwarded-Host', 'evil.example'],
        ['Forwarded', 'for=127.0.0.1;host=evil.example;proto=http'],
      ],
    });
    assert.deepEqual(JSON.parse(body), {
      address: '203.0.113.7',
      secure: true,
      host: 'www.example',
      port: '443',
      claims: ['X-Forwarded-For: 203.0.113.7, 10.0.0.9', 'X-Forwarded-Proto: https'],
    });
    assert.equal(logged.at(-1), '203.0.113.7');
  });
});

function shown({ peer, host, headers }: Request) {
  const claims = headers.flatMap((name, i) =>
    i % 2 === 0 && /forwarded|real/i.test(name) ? [`${name}: ${headers[i + 1]}`] : [],
  );
  return { address: peer.remoteAddress, secure: peer.secure, host, port: peer.serverPort, claims };
}

describe('a listener with TLS', () => {
  for (const [proto, scheme] of [
    ['http', 'http'],
    ['https', 'https'],
    ['', 'https'],
  ] as const) {
    it(`has the scheme ${scheme} when a trusted proxy says ${proto || 'nothing'}`, async (t) => {
      const project = makeProject(t, { 'app.py': ECHO_SCHEME, 'viaduct.toml': 'tls_self_signed = true\n' });
      const server = await startViaduct(t, ['serve', project], { listen: 'https://127.0.0.1:0' });
      const headers = proto === '' ? {} : { 'X-Forwarded-Proto': proto };
      const options = { port: server.port, host: '127.0.0.1', rejectUnauthorized: false, headers };
      const [answer] = (await once(get(options), 'response')) as [IncomingMessage];
      assert.equal(await text(answer), scheme);
    });
  }
});

const ECHO_SCHEME = `def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [environ['wsgi.url_scheme'].encode()]
`;
