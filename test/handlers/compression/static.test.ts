import { deepEqual, equal, ok } from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { compression } from '../../../src/handlers/compression/compression.ts';
import { staticFiles } from '../../../src/handlers/files/static.ts';
import { Response } from '../../../src/http/response.ts';
import { startChainServer } from '../../support/chain-server.ts';
import { decode, TESTED_CODINGS } from '../../support/codings.ts';
import { ask, type HttpAnswer } from '../../support/http-client.ts';
import type { TestServer } from '../../support/serve.ts';
import { temporaryDirectory } from '../../support/static-server.ts';

const PAGE = Buffer.from('<li>compressible</li>\n'.repeat(200));
const GZIP = [['Accept-Encoding', 'gzip']] as const;

describe('compression of static files', () => {
  const temporary = temporaryDirectory();
  const root = join(temporary.path, 'root');
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
    server = await startChainServer([compression(), files], () => Response.text(404, 'nothing'));
  });
  after(() => {
    server.close();
    temporary.remove();
  });

  for (const [name, content] of [
    ['small.css', PAGE],
    ['medium.css', large.subarray(0, 100_000)],
    ['large.css', large],
  ] as const) {
    for (const coding of TESTED_CODINGS) {
      it(`sends ${name} in ${coding}, again and again, and 304 for the tag that this has`, async () => {
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

    it(`sends ${name} as it is, and parts of it, to others`, async () => {
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

    it(`tells of ${name} to HEAD what GET tells`, async () => {
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
