import { equal } from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type MaintenanceOptions, maintenance } from '../../../src/handlers/pages/maintenance.ts';
import { Response } from '../../../src/http/response.ts';
import { startChainServer } from '../../support/chain-server.ts';
import { ask } from '../../support/http-client.ts';
import type { TestServer } from '../../support/serve.ts';
import { temporaryDirectory } from '../../support/static-server.ts';

describe('maintenance', () => {
  const temporary = temporaryDirectory();
  const file = join(temporary.path, 'maintenance');
  after(() => temporary.remove());

  async function withMaintenance(
    options: Partial<MaintenanceOptions>,
    work: (server: TestServer) => Promise<void>,
  ): Promise<void> {
    const all = { file: null, enabled: false, allow: () => false, retryAfterSeconds: 120, page: null, ...options };
    const server = await startChainServer([maintenance(all)], () => Response.text(200, 'the site'));
    try {
      await work(server);
    } finally {
      server.close();
    }
  }

  it('is off unless something switches it on', () =>
    withMaintenance({}, async ({ port }) => equal((await ask(port, '/')).body, 'the site')));

  it('answers everything with 503 and when to come back', () =>
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

  it('does not say when to come back where nobody knows', () =>
    withMaintenance({ enabled: true, retryAfterSeconds: null }, async ({ port }) =>
      equal((await ask(port, '/')).header('retry-after'), null),
    ));

  it('shows a page, of HTML or of a file', async () => {
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
    const page = { file: join(temporary.path, 'page.html') };
    await withMaintenance({ enabled: true, page, checkMs: 0 }, async ({ port }) => {
      equal((await ask(port, '/')).body, 'Service Unavailable: down for maintenance\n');
      writeFileSync(page.file, 'back at {status}');
      equal((await ask(port, '/')).body, 'back at 503');
    });
  });

  it('comes and goes with its file', () =>
    withMaintenance({ file, checkMs: 0 }, async ({ port }) => {
      equal((await ask(port, '/')).status, 200);
      writeFileSync(file, '');
      equal((await ask(port, '/')).status, 503);
      rmSync(file);
      equal((await ask(port, '/')).status, 200);
    }));

  it('does not look for its file again before its time', () =>
    withMaintenance({ file, checkMs: 3_600_000 }, async ({ port }) => {
      equal((await ask(port, '/')).status, 200);
      writeFileSync(file, '');
      equal((await ask(port, '/')).status, 200);
      rmSync(file);
    }));

  it('lets those through who may see the site', async () => {
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
