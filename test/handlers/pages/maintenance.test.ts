import { equal } from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type MaintenanceOptions, maintenance } from '../../../src/handlers/pages/maintenance.ts';
import { Response } from '../../../src/http/response.ts';
import { ask } from '../../support/http-client.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

describe('maintenance', () => {
  const suite = suiteLifetime();
  const temporary = temporaryDirectory(suite);
  const file = join(temporary, 'maintenance');

  async function withMaintenance(
    options: Partial<MaintenanceOptions>,
    work: (server: TestServer) => Promise<void>,
  ): Promise<void> {
    const all = { file: null, enabled: false, allow: () => false, retryAfterSeconds: 120, page: null, ...options };
    await work(await serveHandler(suite, [maintenance(all), () => Response.text(200, 'the site')]));
  }

  it('is off by default', () =>
    withMaintenance({}, async ({ port }) => equal((await ask(port, '/')).body, 'the site')));

  it('answers everything with 503 and Retry-After', () =>
    withMaintenance({ enabled: true }, async ({ port }) => {
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
        const got = await ask(port, '/any/where', { method, body: 'content' });
        equal(got.status, 503, method);
        equal(got.header('retry-after'), '120');
        equal(got.header('cache-control'), 'no-store');
        equal(got.header('content-type'), 'text/plain; charset=utf-8');
        equal(got.whole, true);
        equal(got.body, method === 'HEAD' ? '' : 'Service Unavailable: down for maintenance\n');
      }
    }));

  it('sends no Retry-After without a time', () =>
    withMaintenance({ enabled: true, retryAfterSeconds: null }, async ({ port }) =>
      equal((await ask(port, '/')).header('retry-after'), null),
    ));

  it('shows a page from HTML or from a file', async () => {
    await withMaintenance({ enabled: true, page: { html: '<h1>{status}</h1>' } }, async ({ port }) => {
      const got = await ask(port, '/');
      equal(got.body, '<h1>503</h1>');
      equal(got.header('content-type'), 'text/html; charset=utf-8');
      equal(got.header('retry-after'), '120');
      equal(got.header('cache-control'), 'no-store');
      const head = await ask(port, '/', { method: 'HEAD' });
      equal(head.header('content-length'), '12');
      equal(head.whole, true);
    });
    const page = { file: join(temporary, 'page.html') };
    await withMaintenance({ enabled: true, page, checkMs: 0 }, async ({ port }) => {
      equal((await ask(port, '/')).body, 'Service Unavailable: down for maintenance\n');
      writeFileSync(page.file, 'back at {status}');
      equal((await ask(port, '/')).body, 'back at 503');
    });
  });

  it('is on while its file exists', () =>
    withMaintenance({ file, checkMs: 0 }, async ({ port }) => {
      equal((await ask(port, '/')).status, 200);
      writeFileSync(file, '');
      equal((await ask(port, '/')).status, 503);
      rmSync(file);
      equal((await ask(port, '/')).status, 200);
    }));

  it('does not check for its file too often', () =>
    withMaintenance({ file, checkMs: 3_600_000 }, async ({ port }) => {
      equal((await ask(port, '/')).status, 200);
      writeFileSync(file, '');
      equal((await ask(port, '/')).status, 200);
      rmSync(file);
    }));

  it('lets allowed clients through', async () => {
    const seen: string[] = [];
    const allow = (address: string) => {
      seen.push(address);
      return address === '127.0.0.1';
    };
    await withMaintenance({ enabled: true, allow }, async ({ port }) => equal((await ask(port, '/')).status, 200));
    equal(seen.join(), '127.0.0.1');
    await withMaintenance({ enabled: true, allow: (address) => address === '::1' }, async ({ port }) =>
      equal((await ask(port, '/')).status, 503),
    );
  });
});
