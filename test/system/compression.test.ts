import { equal, match, ok } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { NO_CURL } from '../support/certificates.ts';
import { createDecoder, decode, TESTED_CODINGS } from '../support/codings.ts';
import { ask } from '../support/http-client.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';

const run = promisify(execFile);

const APPLICATION = `
import threading

released = threading.Semaphore(0)
PAGE = b'<p>a page</p>' * 5000

def blocks():
    for name in (b'first', b'second', b'third'):
        yield name
        released.acquire()

def application(environ, start_response):
    path = environ['PATH_INFO']
    headers = [('Content-Type', 'text/html'), ('ETag', '"tag"'), ('Vary', 'Cookie')]
    if path == '/release':
        released.release()
        start_response('204 No Content', [])
        return []
    if path == '/file':
        start_response('200 OK', headers)
        return environ['wsgi.file_wrapper'](open('page.html', 'rb'))
    if path == '/broken':
        start_response('200 OK', headers)
        return broken()
    if path == '/stream':
        start_response('200 OK', headers)
        return blocks()
    if path == '/echo':
        content = environ['wsgi.input'].read()
        start_response('200 OK', [('Content-Type', 'application/octet-stream')])
        return [content]
    start_response('200 OK', [*headers, ('Content-Length', str(len(PAGE)))])
    return [PAGE] if environ['REQUEST_METHOD'] == 'GET' else []

def broken():
    yield b'x' * 10000
    raise ValueError('in the middle')
`;
const PAGE = '<p>a page</p>'.repeat(5000);

describe('compression of the answers of an application', () => {
  const suite = suiteLifetime();
  const directory = temporaryDirectory(suite);
  let viaduct: Viaduct;

  before(async () => {
    writeFileSync(join(directory, 'pages.py'), APPLICATION);
    writeFileSync(join(directory, 'page.html'), PAGE);
    writeFileSync(join(directory, 'viaduct.toml'), '[compression]\n');
    const args = ['serve', 'pages:application', '--chdir', directory, '--workers', '1', '--threads', '2'];
    viaduct = await startViaduct(suite, args, { cwd: directory });
  });

  for (const coding of TESTED_CODINGS) {
    const accept = [['Accept-Encoding', coding]] as const;

    it(`sends pages and files in ${coding}, with the same fields for HEAD`, async () => {
      for (const target of ['/', '/file']) {
        const got = await ask(viaduct.port, target, { headers: accept });
        equal(got.status, 200);
        equal(got.whole, true);
        equal(got.header('content-encoding'), coding);
        equal(got.header('etag'), 'W/"tag"');
        equal(got.header('vary'), 'Cookie, Accept-Encoding');
        equal(decode(coding, got.body).toString(), PAGE);
      }
      const head = await ask(viaduct.port, '/', { method: 'HEAD', headers: accept });
      equal(head.header('content-encoding'), coding);
      equal(head.header('content-length'), null);
      equal(head.whole, true);
    });

    it(`sends each block of the application in ${coding} before the application makes the next`, async () => {
      const request = httpGet({
        port: viaduct.port,
        path: '/stream',
        agent: false,
        headers: { 'Accept-Encoding': coding },
      });
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      const decoder = answer.pipe(createDecoder(coding));
      let got = '';
      for (const block of ['first', 'second', 'third']) {
        while (!got.endsWith(block)) {
          const piece: Buffer | null = decoder.read();
          if (piece === null) await once(decoder, 'readable');
          else got += piece.toString();
        }
        equal((await ask(viaduct.port, '/release')).status, 204);
      }
      decoder.resume();
      await once(decoder, 'end');
      equal(got, 'firstsecondthird');
    });

    it(`breaks the connection off when the application fails in the middle of ${coding}`, async () => {
      equal((await ask(viaduct.port, '/broken', { headers: accept })).whole, false);
      match(viaduct.output(), /in the middle/);
    });
  }

  it('can be decoded by curl', { skip: NO_CURL }, async () => {
    const url = `http://127.0.0.1:${viaduct.port}`;
    for (const target of ['/', '/file']) {
      const args = ['-sS', '--max-time', '20', '--compressed', '-w', '\n%{size_download}', `${url}${target}`];
      const { stdout } = await run('curl', args);
      const [content = '', size] = stdout.split('\n');
      equal(content, PAGE);
      ok(Number(size) < PAGE.length / 10);
    }
  });

  it('leaves the content of requests as it is', async () => {
    const body = Buffer.from('1f8b0800', 'hex').toString('latin1');
    const got = await ask(viaduct.port, '/echo', { method: 'POST', body, headers: [['Content-Encoding', 'gzip']] });
    equal(got.body, body);
  });
});
