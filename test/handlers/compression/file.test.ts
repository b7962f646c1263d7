import { equal, ok } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { compression } from '../../../src/handlers/compression/compression.ts';
import type { FileBody } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { decode } from '../../support/codings.ts';
import { ask } from '../../support/http-client.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

describe('compression of files from an application', () => {
  const suite = suiteLifetime();
  const temporary = temporaryDirectory(suite);
  let body: FileBody;
  let server: TestServer;

  before(async () => {
    server = await serveHandler(suite, [
      compression(),
      () => Response.fromHeaders(200, ['Content-Type', 'text/html'], body),
    ]);
  });

  function serve(file: FileBody): void {
    body = file;
  }

  const path = join(temporary, 'file');
  const content = Buffer.from('a line of a file\n'.repeat(200_000));
  let releases = 0;

  before(() => writeFileSync(path, content));

  function file(end = content.length, start = 0): FileBody {
    const fd = openSync(path, 'r');
    releases = 0;
    return {
      fd,
      start,
      end,
      release: () => {
        releases += 1;
        if (releases === 1) closeSync(fd);
      },
    };
  }

  it('sends the part of the file and releases it once', async () => {
    serve(file(2_000_000, 5));
    const answer = await ask(server.port, '/', { headers: [['Accept-Encoding', 'gzip']] });
    equal(answer.whole, true);
    ok(decode('gzip', answer.body).equals(content.subarray(5, 2_000_000)));
    equal(releases, 1);
  });

  it('releases it once for HEAD', async () => {
    serve(file());
    const answer = await ask(server.port, '/', { method: 'HEAD', headers: [['Accept-Encoding', 'gzip']] });
    equal(answer.header('content-encoding'), 'gzip');
    equal(answer.header('content-length'), null);
    equal(releases, 1);
  });

  it('breaks off when the file has become shorter, and releases it once', async () => {
    serve(file(content.length + 1));
    const answer = await ask(server.port, '/', { headers: [['Accept-Encoding', 'gzip']] });
    equal(answer.whole, false);
    equal(releases, 1);
  });

  it('releases it once when the client leaves', { timeout: 30_000 }, async () => {
    let released: () => void = () => {};
    const gone = new Promise<void>((resolve) => {
      released = resolve;
    });
    writeFileSync(path, randomBytes(30_000_000));
    const { release, ...rest } = file(30_000_000);
    serve({
      ...rest,
      release: () => {
        release();
        released();
      },
    });
    const request = httpGet({ port: server.port, agent: false, headers: { 'Accept-Encoding': 'gzip' } });
    request.on('error', () => {});
    const [answer]: [IncomingMessage] = (await once(request, 'response')) as [IncomingMessage];
    await once(answer, 'readable');
    answer.destroy();
    await gone;
    await new Promise((resolve) => setImmediate(resolve));
    equal(releases, 1);
  });
});
