import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import {
  connect,
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import express, { type NextFunction, type Request, type Response } from 'express';
import { type Application, pythonApp } from 'viaduct';
import { toNode } from 'viaduct/adapters';
import { serveNode } from '../../support/frameworks.ts';
import { makeProject } from '../../support/project.ts';

const TEXT = [['Content-Type', 'text/plain']] as const;

/** Answers with its environ as JSON. */
const environ: Application = (given, startResponse) => {
  startResponse('200 OK', TEXT);
  const strings = Object.entries(given).filter(([, value]) => typeof value === 'string');
  return [Buffer.from(JSON.stringify(Object.fromEntries(strings)))];
};

const digest: Application = async (given, startResponse) => {
  const hash = createHash('sha256');
  for await (const block of given['wsgi.input'].blocks()) hash.update(block);
  startResponse('200 OK', TEXT);
  return [Buffer.from(`${given.CONTENT_LENGTH ?? 'chunked'} ${hash.digest('hex')}`)];
};

describe('toNode', () => {
  it('passes errors of the application to the error handler of Express', async (t) => {
    const app = express();
    app.use(toNode(() => Promise.reject(new Error('rejected on purpose'))));
    app.use(
      (error: Error, _req: Request, res: Response, _next: NextFunction) => void res.status(418).send(error.message),
    );
    const response = await fetch(await serveNode(t, app));
    assert.deepEqual([response.status, await response.text()], [418, 'rejected on purpose']);
  });

  it('passes on content that a parser has read as bytes, and explains what to do about other parsers', async (t) => {
    const app = express();
    app.use('/raw', express.raw({ type: '*/*' }), toNode(digest));
    app.use('/json', express.json(), toNode(digest));
    app.use((error: Error & { advice?: string }, _req: Request, res: Response, _next: NextFunction) => {
      res.status(500).send(`${error.message}. ${error.advice}`);
    });
    const url = await serveNode(t, app);
    const init = { method: 'POST', body: '{"a": 1}', headers: { 'Content-Type': 'application/json' } };
    const sha = createHash('sha256').update(init.body).digest('hex');
    assert.equal(await (await fetch(`${url}/raw`, init)).text(), `8 ${sha}`);
    assert.match(await (await fetch(`${url}/json`, init)).text(), /something has read it already.*express\.raw\(\)/);
    assert.equal((await fetch(`${url}/json`)).status, 200);
  });

  it('keeps cookies and Vary that the framework has set, and uses its setting for trusted proxies', async (t) => {
    const app = express();
    app.set('trust proxy', true);
    app.use((_req, res, next) => {
      res.cookie('outer', '1').vary('Origin').set('X-Both', 'outer');
      next();
    });
    const seen: string[] = [];
    app.use(
      toNode((given, startResponse) => {
        seen.push(given['wsgi.url_scheme'], given.REMOTE_ADDR);
        startResponse('200 OK', [
          ['Set-Cookie', 'inner=1'],
          ['Vary', 'Cookie'],
          ['X-Both', 'inner'],
        ]);
        return [];
      }),
    );
    const url = await serveNode(t, app);
    const headers = { 'X-Forwarded-For': '192.0.2.7', 'X-Forwarded-Proto': 'https' };
    const response = await fetch(url, { headers });
    assert.deepEqual(response.headers.getSetCookie(), ['outer=1; Path=/', 'inner=1']);
    assert.deepEqual([response.headers.get('vary'), response.headers.get('x-both')], ['Origin, Cookie', 'inner']);
    assert.deepEqual(seen, ['https', '192.0.2.7']);
  });

  it('passes requests that are not below its mount to the framework', async (t) => {
    const app = express();
    app.use(toNode(environ, { mount: '/admin' }));
    app.get('/other', (_req, res) => void res.send('express'));
    const url = await serveNode(t, app);
    assert.equal(await (await fetch(`${url}/other`)).text(), 'express');
    assert.equal((JSON.parse(await (await fetch(`${url}/admin/x`)).text()) as { PATH_INFO: string }).PATH_INFO, '/x');
    assert.throws(() => toNode(environ, { mount: 'admin/' }), { code: 'USAGE' });
  });

  it('sends blocks of write before it returns', async (t) => {
    const application: Application = async (_given, startResponse) => {
      const write = startResponse('200 OK', TEXT);
      await write(Buffer.from('written '));
      return [Buffer.from('returned')];
    };
    const url = await serveNode(t, toNode(application));
    assert.equal(await (await fetch(url)).text(), 'written returned');
  });

  it('answers over HTTP/2, which the dev server of Vite speaks if it has a certificate', async (t) => {
    const handler = toNode(digest) as unknown as (req: Http2ServerRequest, res: Http2ServerResponse) => void;
    const server = createHttp2Server(handler).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    t.after(() => {
      client.destroy();
      server.close();
    });
    const empty = createHash('sha256').digest('hex');
    const full = createHash('sha256').update('content').digest('hex');
    const got = client.request({ ':path': '/x' });
    assert.equal(Buffer.concat(await got.toArray()).toString(), `chunked ${empty}`);
    const posted = client.request({ ':path': '/x', ':method': 'POST' });
    posted.end('content');
    assert.equal(Buffer.concat(await posted.toArray()).toString(), `chunked ${full}`);
  });

  it('lets Python know that the client has left, passes uploads to it, and sends its files', async (t) => {
    const directory = makeProject(t, { 'wsgi.py': PYTHON, 'file.txt': 'a file' });
    await using python = pythonApp({ directory, project: 'wsgi:application', threads: 2 });
    const url = await serveNode(t, express().use('/py', toNode(python)));
    const content = randomBytes(3_000_000);
    const sha = createHash('sha256').update(content).digest('hex');
    assert.equal(
      await (await fetch(`${url}/py/digest`, { method: 'POST', body: content })).text(),
      `/py 3000000 ${sha}`,
    );
    assert.equal(await (await fetch(`${url}/py/file`)).text(), 'a file');
    const [endless] = (await once(httpRequest(`${url}/py/endless`, { agent: false }).end(), 'response')) as [
      IncomingMessage,
    ];
    await once(endless, 'data');
    endless.destroy();
    assert.equal(await (await fetch(`${url}/py/closed`)).text(), 'closed');
    assert.equal((await fetch(`${url}/py/raises`)).status, 500);
  });
});

const PYTHON = `import hashlib, threading
closed = threading.Event()

class Endless:
    def __iter__(self):
        return self
    def __next__(self):
        return b'x' * 65536
    def close(self):
        closed.set()

def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/raises':
        raise ValueError('raised on purpose')
    start_response('200 OK', [('Content-Type', 'text/plain')])
    if path == '/endless':
        return Endless()
    if path == '/file':
        return environ['wsgi.file_wrapper'](open('file.txt', 'rb'))
    if path == '/closed':
        return [b'closed' if closed.wait(30) else b'open']
    body = environ['wsgi.input'].read()
    return [f"{environ['SCRIPT_NAME']} {environ['CONTENT_LENGTH']} {hashlib.sha256(body).hexdigest()}".encode()]
`;
