import { equal, match, ok } from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';

const APPLICATION = `
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'from the application']
`;

describe('static files of a running server', () => {
  const suite = suiteLifetime();
  const top = temporaryDirectory(suite);
  let viaduct: Viaduct;

  before(async () => {
    for (const name of ['first', 'second']) mkdirSync(join(top, name));
    writeFileSync(join(top, 'app.py'), APPLICATION);
    writeFileSync(join(top, 'first/a.css'), 'body {}');
    writeFileSync(join(top, 'second/large.bin'), Buffer.alloc(20_000_000, '0123456789'));
    viaduct = await startViaduct(suite, [
      top,
      '--static',
      `/static/=${join(top, 'first')}`,
      '--static',
      `/files/=${join(top, 'second')}`,
    ]);
  });

  it('come from the directories of --static, everything else from the application', async () => {
    const answer = await ask(viaduct.port, '/static/a.css');
    equal(answer.body, 'body {}');
    equal(answer.header('content-type'), 'text/css; charset=utf-8');
    equal((await ask(viaduct.port, '/static/nothing')).status, 404);
    equal((await ask(viaduct.port, '/a.css')).body, 'from the application');
  });

  it('are sent in order for pipelined requests of all kinds', async () => {
    const etag = (await ask(viaduct.port, '/static/a.css')).header('etag');
    const client = await SocketClient.open(viaduct.port);
    try {
      const request = (method: string, target: string, more = '') =>
        `${method} ${target} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
      client.send(
        request('GET', '/static/a.css') +
          request('HEAD', '/files/large.bin') +
          request('GET', '/static/a.css', `If-None-Match: ${etag}\r\n`) +
          request('GET', '/files/large.bin', 'Range: bytes=10-19\r\n') +
          request('GET', '/static/a.css', 'Connection: close\r\n'),
      );
      await client.untilClosed();
      const statuses = [...client.received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);
      equal(statuses.join(' '), '200 200 304 206 200');
      match(client.received, /\r\n\r\n0123456789HTTP\/1\.1 200 /);
      ok(client.received.endsWith('body {}'));
    } finally {
      client.close();
    }
  });

  it('arrive whole at many clients at once, even if some are slow', async () => {
    const slow = await SocketClient.open(viaduct.port);
    slow.send('GET /files/large.bin HTTP/1.1\r\nHost: x\r\n\r\n');
    slow.socket.pause();
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(viaduct.port, '/files/large.bin')));
    for (const { whole, body } of answers) ok(whole && body.endsWith('0123456789'));
    slow.close();
  });
});
