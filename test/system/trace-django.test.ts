import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { TraceDocument } from '../../src/trace/document.ts';
import type { TraceSummary } from '../../src/trace/store.ts';
import { prepareDjangoSite } from '../support/examples.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import {
  NO_PACKAGES,
  PYTHON_WITH_NEWEST_DJANGO,
  PYTHON_WITH_PACKAGES,
  ROOT,
  startViaduct,
  type Viaduct,
} from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const SLOW = '/regions/';

const { requestTree } = (await import(pathToFileURL(join(ROOT, 'scripts/request-tree.mjs')).href)) as {
  requestTree(document: TraceDocument): readonly string[];
};

const NO_NEWEST =
  PYTHON_WITH_NEWEST_DJANGO === null
    ? 'the newest Django, which needs Python 3.12, is not in .setup/newest-django'
    : false;

for (const [name, python, skip] of [
  ['Django 5.2', PYTHON_WITH_PACKAGES, NO_PACKAGES],
  ['the newest Django', PYTHON_WITH_NEWEST_DJANGO, NO_NEWEST],
] as const)
  describe(`a trace of examples/django-site with ${name}`, { skip }, () => {
    const suite = suiteLifetime();
    let viaduct: Viaduct;

    before(async () => {
      const { directory } = prepareDjangoSite(suite, python as string);
      const env = { VIRTUAL_ENV: join(python as string, '../..') };
      viaduct = await startViaduct(suite, ['serve', directory, '--dev', '--workers', '1'], { env });
    });

    /** The trace of a new request to `path`, on a kept connection and of a worker that has answered before: what is loaded once is not in it. */
    async function traceOf(path: string): Promise<TraceDocument> {
      let document: TraceDocument | undefined;
      await eventually('a complete trace on a kept connection', async () => {
        await (await fetch(viaduct.url + path)).text();
        const list = await fetch(`${viaduct.url}/__viaduct/api/requests?path=${path}&limit=1`);
        const { requests } = (await list.json()) as { requests: readonly TraceSummary[] };
        const found = await fetch(`${viaduct.url}/__viaduct/api/requests/${requests[0]?.id}`);
        document = (await found.json()) as TraceDocument;
        return document.state === 'done' && document.spans.every(({ kind }) => kind !== 'connection');
      });
      return document as TraceDocument;
    }

    it('has the hops that docs/how-a-request-becomes-a-response.md shows', async () => {
      const document = await traceOf(SLOW);
      const page = readFileSync(join(ROOT, 'docs/how-a-request-becomes-a-response.md'), 'utf8');
      const shown = /<!-- request:tree -->\n```text\n([\s\S]*?)\n```\n<!-- \/request:tree -->/.exec(page)?.[1];
      assert.deepEqual(requestTree(document), shown?.split('\n'), 'run node scripts/request-pictures.mjs');
      assert.deepEqual(document.missing, []);
    });

    it('has middleware, view and templates of the admin', async () => {
      const { spans, missing, response } = await traceOf('/admin/login/');
      const namesOf = (wanted: string): string[] =>
        spans.filter(({ kind }) => kind === wanted).map((span) => span.name);
      assert.equal(response?.status, 200);
      assert.deepEqual(namesOf('url'), ['admin/login/']);
      assert.ok(
        namesOf('view').some((view) => view.endsWith('AdminSite.login')),
        String(namesOf('view')),
      );
      assert.ok(namesOf('template').includes('admin/login.html'), String(namesOf('template')));
      assert.ok(namesOf('middleware').includes('SessionMiddleware'));
      assert.deepEqual(missing, []);
    });
  });
