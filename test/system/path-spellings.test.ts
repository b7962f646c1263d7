import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { encodeRequest, variablesOf } from '../support/cgi-frames.ts';
import { ask } from '../support/http-client.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { ATTACK_PROTOCOLS, PathAttack } from '../support/path-attack.ts';
import { makeProject } from '../support/project.ts';
import { SocketClient } from '../support/socket-client.ts';
import { NO_PACKAGES, startViaduct } from '../support/viaduct.ts';

const SEED = 20_260_201;
const COUNTS = { 'HTTP/1.1': 3000, 'HTTP/2': 3000, uwsgi: 600, fastcgi: 600, scgi: 600 } as const;

describe('a route that protects a path', { skip: NO_PACKAGES }, () => {
  const suite = suiteLifetime();
  let attack: PathAttack;

  before(async () => {
    attack = await PathAttack.start(suite);
  });

  for (const protocol of ATTACK_PROTOCOLS) {
    it(`lets no spelling that Django or Flask protects past it, over ${protocol}`, async () => {
      const { findings, reached } = await attack.run(protocol, SEED, COUNTS[protocol]);
      assert.deepEqual(findings.slice(0, 10), [], `${findings.length} findings`);
      assert.ok(reached > COUNTS[protocol] / 10, `${reached} reached the application`);
    });
  }
});

const ECHO = `def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return ['|'.join([environ['SCRIPT_NAME'], environ['PATH_INFO'], environ['REQUEST_URI']]).encode('latin-1')]
`;

const ROUTES = `
[[route]]
mount = "/mnt"
app = "main"

[[route]]
path = "/area/*"

[[route]]
path = "/area/public/*"
rewrite = { prefix = "/area/public", replacement = "/p" }

[[route]]
path = "/name"
match_headers = { X-Name = "é" }
respond = { body = "é" }

[[route]]
path = "/café"
respond = { body = "coffee" }
`;

describe('a path with slashes in several spellings', () => {
  const suite = suiteLifetime();
  let port = 0;

  before(async () => {
    const project = makeProject(suite, { 'app.py': ECHO, 'viaduct.toml': ROUTES });
    ({ port } = await startViaduct(suite, ['serve', project]));
  });

  for (const [path, answer] of [
    ['/mnt/x', '/mnt|/x|/mnt/x'],
    ['//mnt/x', '/mnt|/x|/mnt/x'],
    ['//mnt//x', '/mnt|/x|/mnt/x'],
    ['/%2Fmnt%2fx', '/mnt|/x|/mnt/x'],
    ['/mnt%2Fx', '/mnt|/x|/mnt/x'],
    ['//mnt', '/mnt||/mnt'],
    ['/%6dnt/a%2Fb//c', '/mnt|/a/b//c|/%6dnt/a%2Fb//c'],
    ['/other//x%2Fy', '|/other//x/y|/other//x%2Fy'],
    ['/area/http://x', '|/area/http://x|/area/http://x'],
    ['/area//public/x', '|/p/x|/p/x'],
    ['/area/public//x', '|/p/x|/p/x'],
    ['/area/public/a//x', '|/p/a//x|/p/a//x'],
  ] as const) {
    it(`arrives as ${answer} when the client sends ${path}`, async () => {
      assert.equal((await ask(port, path)).body, answer);
    });
  }

  for (const [path, status] of [
    ['/area/%FF', 200],
    ['/caf%E9', 200],
    ['/mnt/..;/x', 400],
    ['/area/a%0Ab', 400],
    ['/area/..%5Cx', 400],
  ] as const) {
    it(`is answered with ${status} when it is ${path}`, async () => {
      assert.equal((await ask(port, path)).status, status);
    });
  }

  it('compares the values of fields as UTF-8', async () => {
    const { body } = await ask(port, '/name', { headers: [['X-Name', Buffer.from('é').toString('latin1')]] });
    assert.equal(Buffer.from(body, 'latin1').toString(), 'é');
  });
});

const ROOTS = `
[[route]]
mount = "/mnt"
app = "main"

[[route]]
path = "/mnt/"
respond = { body = "exact" }

[[route]]
path = "/behind/"
respond = { body = "exact" }

[[route]]
path = ["/shop/*", "/sale/*"]
mount = "/shop"
app = "main"

[[route]]
path_pattern = '^/shop/$'
methods = "GET"
respond = { body = "pattern" }

[[route]]
mount = "/bare"
app = "main"

[[route]]
path = "/bare"
redirect = "/bare/"
`;

describe('the root of an application below a prefix', () => {
  const suite = suiteLifetime();
  let port = 0;
  let socket = '';

  before(async () => {
    const project = makeProject(suite, { 'app.py': ECHO, 'viaduct.toml': ROOTS });
    socket = join(project, 'uwsgi.sock');
    ({ port } = await startViaduct(suite, ['serve', project], { listen: `127.0.0.1:0,uwsgi://unix:${socket}` }));
  });

  for (const [method, path, answer] of [
    ['GET', '/mnt', 'exact'],
    ['GET', '//mnt', 'exact'],
    ['GET', '/%6dnt', 'exact'],
    ['GET', '/%2Fmnt', 'exact'],
    ['GET', '/mnt/', 'exact'],
    ['GET', '/mnt//', 'exact'],
    ['GET', '/mnt/x', '/mnt|/x|/mnt/x'],
    ['GET', '/shop', 'pattern'],
    ['GET', '//shop', 'pattern'],
    ['POST', '/shop', '/shop||/shop'],
    ['GET', '//shop/x', '/shop|/x|/shop/x'],
    ['GET', '/%2Fshop%2Fx', '/shop|/x|/shop/x'],
    ['GET', '/bare', ''],
    ['GET', '/bare/', '/bare|/|/bare/'],
  ] as const) {
    it(`answers ${method} ${path} with ${answer === '' ? 'a redirect' : answer}`, async () => {
      assert.equal((await ask(port, path, { method })).body, answer);
    });
  }

  it('is the path with a slash also when a front-end proxy says the prefix', async () => {
    const client = await SocketClient.open(socket);
    const variables = { SCRIPT_NAME: '/behind', PATH_INFO: '', REQUEST_URI: '/behind' };
    client.send(encodeRequest('uwsgi', variablesOf(variables)));
    await client.untilClosed();
    assert.match(client.received, /\r\n\r\nexact$/);
  });
});

describe('a route for all paths with a mount', () => {
  it('serves its prefix when slashes are repeated or encoded', async (t) => {
    const routes = '[[route]]\npath = "/*"\nmount = "/mnt"\napp = "main"\n';
    const project = makeProject(t, { 'app.py': ECHO, 'viaduct.toml': routes });
    const { port } = await startViaduct(t, ['serve', project]);
    for (const path of ['/mnt/x', '//mnt/x', '/%2fmnt//x', '/mnt%2Fx']) {
      assert.equal((await ask(port, path)).body, '/mnt|/x|/mnt/x', path);
    }
    assert.equal((await ask(port, '//other/x')).status, 404);
  });
});

describe('a request without a host', () => {
  it('belongs to the route of the address that applications read instead', async (t) => {
    const routes = '[[route]]\nhost = "127.0.0.1"\nrespond = { body = "address" }\n';
    const project = makeProject(t, { 'app.py': ECHO, 'viaduct.toml': routes });
    const { port } = await startViaduct(t, ['serve', project]);
    for (const [head, answer] of [
      ['GET /x HTTP/1.0', 'address'],
      ['GET /x HTTP/1.0\r\nHost: a', '|/x|/x'],
    ] as const) {
      const client = await SocketClient.open(port);
      client.send(`${head}\r\n\r\n`);
      await client.untilClosed();
      assert.equal(client.received.split('\r\n\r\n')[1], answer, head);
    }
  });
});
