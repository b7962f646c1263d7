import { deepEqual, equal, ok } from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { compression } from '../../../src/handlers/compression/compression.ts';
import { staticFiles } from '../../../src/handlers/files/static.ts';
import { Response } from '../../../src/http/response.ts';
import { decode, TESTED_CODINGS } from '../../support/codings.ts';
import { ask } from '../../support/http-client.ts';
import type { HttpAnswer } from '../../support/http-message.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const PAGE = Buffer.from('<li>compressible</li>\n'.repeat(200));
const GZIP = [['Accept-Encoding', 'gzip']] as const;

describe('compression of static files', () => {
  const suite = suiteLifetime();
  const temporary = temporaryDirectory(suite);
  const root = join(temporary, 'root');
  const large = Buffer.from('body { color: red }\n'.repeat(40_000));
  let server: TestServer;

  before(async () => {
    mkdirSync(root);
    writeFileSync(join(root, 'small.css'), PAGE);
    writeFileSync(join(root, 'medium.css'), large.subarray(0, 100_000));
    writeFileSync(join(root, 'large.css'), large);
    const files = staticFiles({
      mounts: [{ urlPrefix: '/', directories: [root] }],
      cacheBytesMax: 1_000_000,
      revalidateMs: 60_000,
    });
    server = await serveHandler(suite, [compression(), files, () => Response.text(404, 'nothing')]);
  });

  for (const [name, content] of [
    ['small.css', PAGE],
    ['medium.css', large.subarray(0, 100_000)],
    ['large.css', large],
  ] as const) {
    for (const coding of TESTED_CODINGS) {
      it(`sends ${name} in ${coding} repeatedly, and 304 for its tag`, async () => {
        for (let time = 0; time < 3; time += 1) {
          const got = await ask(server.port, `/${name}`, { headers: [['Accept-Encoding', coding]] });
          equal(got.whole, true);
          equal(got.header('content-encoding'), coding);
          ok(decode(coding, got.body).equals(content));
          const etag = got.header('etag') ?? '';
          ok(etag.startsWith('W/"'));
          const again = await ask(server.port, `/${name}`, {
            headers: [
              ['Accept-Encoding', coding],
              ['If-None-Match', etag],
            ],
          });
          equal(again.status, 304);
          equal(again.header('etag'), etag);
          equal(again.header('vary'), 'Accept-Encoding');
        }
      });
    }

    it(`sends ${name} uncompressed, and parts of it, to other clients`, async () => {
      for (let time = 0; time < 2; time += 1) {
        const got = await ask(server.port, `/${name}`);
        equal(got.body, content.toString('latin1'));
        equal(got.header('vary'), 'Accept-Encoding');
        equal(got.header('content-length'), `${content.length}`);
      }
      const part = await ask(server.port, `/${name}`, { headers: [...GZIP, ['Range', 'bytes=10-1999']] });
      equal(part.status, 206);
      equal(part.header('content-encoding'), null);
      equal(part.body, content.subarray(10, 2000).toString('latin1'));
    });

    it(`sends the same fields of ${name} for HEAD as for GET`, async () => {
      const [head, whole] = [
        await ask(server.port, `/${name}`, { headers: GZIP, method: 'HEAD' }),
        await ask(server.port, `/${name}`, { headers: GZIP }),
      ];
      const fields = ({ headers }: HttpAnswer) =>
        headers.filter(([field]) => field !== 'date' && field !== 'transfer-encoding').sort();
      deepEqual(fields(head), fields(whole));
    });
  }
});
