import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import type { TraceDocument } from '../../src/trace/document.ts';
import { NO_BROWSER, openBrowser } from '../support/browser.ts';
import { openPage, type WatchedPage } from './pages.ts';
import { exportedPage, startUiServer, TRACES, type UiServer } from './ui-server.ts';

describe('the anatomy of a request', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  let server: UiServer;
  let watched: WatchedPage;

  before(async () => {
    [browser, server] = await Promise.all([openBrowser(), startUiServer()]);
  });
  beforeEach(() => {
    server.replayed.length = 0;
  });
  after(() => Promise.all([browser?.close(), server?.close()]));

  async function open(path: string): Promise<WatchedPage['page']> {
    watched = await openPage(browser, `${server.url}/requests/${path}`);
    await watched.page.waitForSelector('.summary');
    return watched.page;
  }
  async function close(): Promise<void> {
    watched.assertClean();
    await watched.page.context().close();
  }

  it('leads from a slow page to the line with the N+1 queries', async () => {
    const page = await open('slow');
    await page.getByRole('button', { name: 'N+1: 38 similar queries from one line' }).click();
    const repeated = page.locator('.repeated').first();
    assert.match(await repeated.innerText(), /38×/);
    const link = repeated.getByRole('link', { name: 'bridges/catalogue/views.py:37' });
    assert.equal(await link.getAttribute('href'), 'vscode://file/srv/bridges/catalogue/views.py:37');
    await close();
  });

  it('says which hop changed a header, and compares any two hops', async () => {
    const page = await open('slow');
    await page.getByRole('tab', { name: /^Header changes/ }).click();
    const timing = page.locator('.hops li', { has: page.getByText('middleware TimingMiddleware') }).first();
    assert.match(await timing.innerText(), /Cache-Control private, max-age=60 no-store/);
    await page
      .getByRole('combobox', { name: 'From', exact: true })
      .selectOption({ label: 'middleware SecurityMiddleware' });
    await page
      .getByRole('combobox', { name: 'To', exact: true })
      .selectOption({ index: (TRACES.get('slow') as TraceDocument).hops.length - 1 });
    const change = (name: string) =>
      page.locator('.difference tr', { has: page.getByRole('rowheader', { name, exact: true }) });
    assert.match(await change('Content-Encoding').innerText(), /added\s+br/);
    assert.match(await change('Content-Length').innerText(), /removed\s+61204/);
    assert.match(await change('Vary').innerText(), /changed\s+Cookie\s+Cookie, Accept-Encoding/);
    assert.equal(await change('X-Frame-Options').count(), 0);
    await page.getByLabel('Unchanged, too').check();
    assert.match(await change('X-Frame-Options').innerText(), /same/);
    await close();
  });

  it('shows where the time went, and the part that is ours', async () => {
    const page = await open('slow');
    const text = await page.locator('.times').innerText();
    assert.match(text, /Queue\s+4\.24 ms 2\.2 %/);
    assert.match(text, /Python\s+188 ms 97 %/);
    assert.match(text, /0\.6 % of the time is Viaduct's own\. The clocks of Node and Python differ by at most 4 µs/);
    assert.match(text, /Queries\s+169 ms 90 %/);
    await close();
  });

  it('searches spans, shows only slow ones, and zooms', async () => {
    const page = await open('slow');
    await page.getByPlaceholder('Search names, SQL, files').fill('bridge_list.html');
    await page.getByText('1 match', { exact: true }).waitFor();
    assert.match(await page.locator('.spans').innerText(), /template/);
    await page.getByPlaceholder('Search names, SQL, files').fill('');
    await page.getByRole('button', { name: /^Only slow/ }).click();
    const slow = await page.locator('.span-row').count();
    assert.ok(slow > 3 && slow < 20, `${slow} spans are slow`);
    await page.getByRole('button', { name: /^Only slow/ }).click();
    await page.getByRole('button', { name: 'Zoom in' }).click();
    assert.ok(await page.getByRole('button', { name: 'Whole request' }).isEnabled());
    await page.getByRole('button', { name: 'Whole request' }).click();
    assert.ok(await page.getByRole('button', { name: 'Whole request' }).isDisabled());
    await close();
  });

  it('shows what a span took, where it is, what it changed and what it is', async () => {
    const page = await open('slow');
    await page.getByRole('treeitem', { name: /TimingMiddleware/ }).click();
    const details = page.getByRole('complementary', { name: 'Details of the span' });
    const text = await details.innerText();
    assert.match(text, /Passed on the response\s+.*Cache-Control/s);
    assert.match(text, /What is this\?\s+Middleware of the framework wraps every view/);
    assert.equal(
      await details.getByRole('link', { name: /middleware\.py:8/ }).getAttribute('href'),
      'vscode://file/srv/bridges/bridges/middleware.py:8',
    );
    await close();
  });

  it('joins similar queries to one line, which opens', async () => {
    const page = await open('slow');
    const group = page.getByRole('treeitem', { name: /SQL query.*38×/ });
    await group.click();
    assert.match(await page.getByRole('complementary').innerText(), /38 similar queries/);
    await page.locator('.spans').press('ArrowRight');
    assert.equal(await group.getAttribute('aria-expanded'), 'true');
    await close();
  });

  it('opens files in the editor that was chosen, also after a reload', async () => {
    const page = await open('slow');
    await page.getByLabel('Open files in').selectOption('PyCharm');
    await page.reload();
    const link = page.locator('.findings').getByRole('link', { name: 'bridges/catalogue/views.py:37' });
    assert.equal(await link.getAttribute('href'), 'pycharm://open?file=/srv/bridges/catalogue/views.py&line=37');
    await page.getByLabel('Open files in').selectOption('none');
    assert.equal(await page.locator('.findings a').count(), 0);
    await close();
  });

  it('shows the exception with source, locals and traceback first', async () => {
    const page = await open('failed');
    assert.equal(await page.getByRole('tab', { selected: true }).innerText(), 'Exception');
    assert.match(
      await page.locator('.project .source-line.at').first().innerText(),
      /37\s+engineer = Engineer\.objects\.get/,
    );
    assert.match(await page.locator('.frame.project .fields').first().innerText(), /bridge\s+<Bridge: Ponte de Lima>/);
    await close();
  });

  it('groups the environ, and finds in it', async () => {
    const page = await open('slow');
    await page.getByRole('tab', { name: /^environ/ }).click();
    assert.deepEqual(await page.locator('.tab-panel h2').allInnerTexts(), [
      'Request 8',
      'Server 4',
      'WSGI 7',
      'Process 3',
    ]);
    await page.getByPlaceholder('Search names and values').fill('multithread');
    assert.deepEqual(await page.locator('.tab-panel h2').allInnerTexts(), ['WSGI 1']);
    await close();
  });

  it('shows the route and those that did not match, both heads, and start_response', async () => {
    const page = await open('slow');
    await page.getByRole('tab', { name: 'Route' }).click();
    assert.match(await page.locator('.routes').innerText(), /static\s+The path does not begin with “\/static\/”/);
    await page.getByRole('tab', { name: 'Request & response' }).click();
    const text = await page.locator('.tab-panel').innerText();
    assert.match(text, /GET \/bridges\/\?country=pt&page=2 HTTP\/1\.1\nHost: bridges\.example:8000/);
    assert.match(text, /WSGIHandler called it with 200 OK/);
    await close();
  });

  it('shows a profile, and one box of it alone', async () => {
    const page = await open('slow');
    await page.getByRole('tab', { name: /^Profile/ }).click();
    await page.getByRole('button', { name: /^_execute .*41 samples/ }).click();
    assert.ok(await page.getByRole('button', { name: 'Whole profile' }).isEnabled());
    await close();
  });

  it('says what is not known of a request whose worker was killed', async () => {
    const page = await open('killed');
    assert.match(await page.locator('.notice').innerText(), /worker 48219 was killed by SIGKILL/);
    assert.match(await page.locator('.findings').innerText(), /worker killed/);
    await close();
  });

  it('replays a safe method at once, and asks before another', async () => {
    let page = await open('slow');
    await page.getByRole('button', { name: 'Replay' }).click();
    await page.waitForURL('**/requests/good');
    assert.deepEqual(server.replayed, [{ id: 'slow', confirmed: false }]);
    await close();
    page = await open('proxied');
    await page.getByRole('button', { name: 'Replay' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(server.replayed.length, 1);
    await page.getByRole('button', { name: 'Replay' }).click();
    await page.getByRole('button', { name: 'Send POST' }).click();
    await page.waitForURL('**/requests/good');
    assert.deepEqual(server.replayed[1], { id: 'proxied', confirmed: true });
    await close();
  });

  it('saves HAR and HTML', async () => {
    const page = await open('slow');
    for (const [name, file] of [
      ['Save HAR', 'slow.har'],
      ['Save HTML', 'slow.html'],
    ] as const) {
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()]);
      assert.equal(download.suggestedFilename(), file);
    }
    await close();
  });

  it('compares with the last good one', async () => {
    const page = await open('slow');
    await page.getByRole('button', { name: 'Compare with the last good one' }).click();
    await page.waitForURL('**/compare/good/slow');
    await page.waitForSelector('.query-pairs');
    assert.match(await page.locator('.query-pairs').innerText(), /1 → 38\s+\+161 ms/);
    assert.match(await page.locator('.total').innerText(), /23\.2 ms\s+194 ms\s+\+171 ms/);
    await page.goBack();
    await page.waitForSelector('.summary');
    await close();
  });

  it('shows an exported file without a server', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'viaduct-export-'));
    const file = join(directory, 'slow.html');
    writeFileSync(file, exportedPage(TRACES.get('slow') as TraceDocument));
    watched = await openPage(browser, pathToFileURL(file).href);
    const { page } = watched;
    assert.match(await page.getByRole('heading', { level: 1 }).innerText(), /GET \/bridges\//);
    assert.equal(await page.getByRole('button', { name: 'Replay' }).count(), 0);
    await page.getByRole('tab', { name: /^Queries/ }).click();
    assert.match(await page.locator('.repeated').first().innerText(), /38×/);
    await close();
    rmSync(directory, { recursive: true });
  });
});
