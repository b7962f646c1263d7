import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser, CDPSession, Page } from 'playwright-core';
import type { Har } from '../../src/trace/har.ts';
import { NO_BROWSER, openBrowser } from '../support/browser.ts';
import { type ExampleCopy, prepareDjangoSite } from '../support/examples.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';
import { openPage, type WatchedPage } from '../ui/pages.ts';

/** The page whose template asks the database again for each bridge. */
const SLOW = '/regions/';
const TEMPLATE = 'bridges/templates/bridges/region_list.html';

describe('the pages about requests to examples/django-site', { skip: NO_BROWSER || NO_PACKAGES }, () => {
  const suite = suiteLifetime();
  let site: ExampleCopy;
  let viaduct: Viaduct;
  let browser: Browser;

  before(async () => {
    site = prepareDjangoSite(suite);
    const args = ['serve', site.directory, '--dev', '--workers', '1'];
    const env = { VIRTUAL_ENV: join(PYTHON_WITH_PACKAGES as string, '../..') };
    [viaduct, browser] = await Promise.all([startViaduct(suite, args, { env }), openBrowser()]);
  });
  after(() => browser?.close());

  const open = (path: string): Promise<WatchedPage> => openPage(browser, viaduct.url + path);

  /** The anatomy of a new request to the slow page, opened from the bar of that page. */
  async function openAnatomy(): Promise<WatchedPage> {
    const opened = await open(SLOW);
    await clickInBar(opened.page, 'Viaduct');
    await opened.page.waitForURL(/\/__viaduct\/requests\/[\w-]+$/);
    await opened.page.getByRole('heading', { name: 'What stands out' }).waitFor();
    return opened;
  }

  it('are announced at the start', async () => {
    const line = `\nThe requests are shown on ${viaduct.url}/__viaduct/\n`;
    await eventually('the line', () => viaduct.output().includes(line));
  });

  it('are one click away from the page: its bar names time, queries and N+1', async () => {
    const { page, assertClean } = await open(SLOW);
    await eventually('the bar', async () => /Python .*\d+ queries.*N\+1/.test(await textOf(page)));
    await clickInBar(page, 'Viaduct');
    await page.waitForURL(/\/__viaduct\/requests\/[\w-]+$/);
    await page.getByRole('heading', { name: SLOW }).waitFor();
    assertClean();
    await page.context().close();
  });

  it('name the queries that make the page slow, and the line of the template that sends them', async () => {
    const lines = readFileSync(join(site.directory, TEMPLATE), 'utf8').split('\n');
    const line = lines.findIndex((text) => text.includes('inspection=bridge.inspections.first')) + 1;
    assert.notEqual(line, 0, 'the template asks for the last inspection of each bridge');
    const { page, assertClean } = await openAnatomy();
    const finding = page.locator('.finding', { hasText: 'N+1' }).first();
    assert.match(await finding.innerText(), /N\+1: \d+ similar queries from one line/);
    const place = finding.getByRole('link');
    assert.match(await place.innerText(), new RegExp(`bridges/region_list\\.html:${line}$`));
    assert.match((await place.getAttribute('href')) ?? '', new RegExp(`${TEMPLATE}:${line}$`));
    await finding.getByRole('button').click();
    const repeated = await page.locator('.repeated').innerText();
    assert.match(repeated, /FROM "bridges_inspection"/, 'the table is in sight');
    assertClean();
    await page.context().close();
  });

  it('name the middleware that changed Cache-Control, with both values', async () => {
    const { page, assertClean } = await openAnatomy();
    const finding = page.locator('.finding', { hasText: 'Cache-Control' });
    assert.match(await finding.innerText(), /private_pages changed Cache-Control/);
    await finding.getByRole('button').click();
    const hop = page.locator('li', { hasText: 'private_pages' }).filter({ hasText: 'Cache-Control' }).first();
    assert.match(await hop.innerText(), /Cache-Control.*public.*private/s);
    assertClean();
    await page.context().close();
  });

  it('name the development bar as what made the page longer', async () => {
    const { page } = await openAnatomy();
    await page.getByRole('tab', { name: /^Header changes/ }).click();
    const hop = page.locator('li', { hasText: 'handler devBar' }).first();
    assert.match(await hop.innerText(), /Content-Length/);
    await page.context().close();
  });

  it('save the request as HAR, and as a page that opens from a disk without a network', async () => {
    const directory = temporaryDirectory(suite);
    const { page, assertClean } = await openAnatomy();
    const save = async (name: string): Promise<string> => {
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByText(name).click()]);
      const path = join(directory, download.suggestedFilename());
      await download.saveAs(path);
      return path;
    };
    const har = JSON.parse(readFileSync(await save('Save HAR'), 'utf8')) as Har;
    const [entry] = har.log.entries;
    assert.equal(entry?.request.url, viaduct.url + SLOW);
    assert.equal(entry?.response.status, 200);
    const file = pathToFileURL(await save('Save HTML')).href;
    assertClean();
    await page.context().close();

    const saved = await openPage(browser, file, { offline: true });
    await saved.page.locator('.finding', { hasText: 'N+1' }).first().waitFor();
    await saved.page.getByRole('tab', { name: /^Header changes/ }).click();
    assert.match(await saved.page.getByRole('tabpanel').innerText(), /private_pages[\s\S]*Cache-Control/);
    saved.assertClean();
    await saved.page.context().close();
  });

  it('show an error of the application, one click away from its page', async () => {
    const { page } = await open('/bridges/no-such-bridge/');
    await eventually('the bar', async () => /404/.test(await textOf(page)));
    await clickInBar(page, 'Viaduct');
    await page.waitForURL(/\/__viaduct\/requests\/[\w-]+$/);
    await page.getByRole('heading', { name: '/bridges/no-such-bridge/' }).waitFor();
    await page.context().close();
  });

  it('list requests without those of static files', async () => {
    await (await fetch(viaduct.url + SLOW)).text();
    await (await fetch(`${viaduct.url}/static/bridges/site.css`)).text();
    const { page, assertClean } = await open('/__viaduct/requests');
    const rows = page.getByRole('row');
    await rows.filter({ hasText: 'site.css' }).first().waitFor();
    await page.getByRole('button', { name: 'Without /static/' }).click();
    await rows.filter({ hasText: 'site.css' }).first().waitFor({ state: 'detached' });
    assert.match(await rows.first().innerText(), /\/regions\//);
    assertClean();
    await page.context().close();
  });

  it('leave everything but pages as it is', async () => {
    const heads = { 'Sec-Fetch-Dest': 'document' };
    for (const path of ['/health', '/static/bridges/site.css', '/inspections.csv', '/__viaduct/']) {
      const text = await (await fetch(viaduct.url + path, { headers: heads })).text();
      assert.ok(!text.includes('/bar.js'), path);
    }
    const fragment = await fetch(viaduct.url + SLOW, { headers: { 'HX-Request': 'true' } });
    assert.ok(!(await fragment.text()).includes('/bar.js'));
  });
});

interface Node {
  readonly name?: { readonly value?: string };
  readonly role?: { readonly value?: string };
  readonly backendDOMNodeId?: number;
}

/** The bar's shadow root is closed, so the tests look at the page as a person does: through the accessibility tree. */
async function nodesOf(session: CDPSession): Promise<readonly Node[]> {
  return ((await session.send('Accessibility.getFullAXTree')) as { nodes: Node[] }).nodes;
}

async function textOf(page: Page): Promise<string> {
  const session = await page.context().newCDPSession(page);
  const nodes = await nodesOf(session);
  await session.detach();
  return nodes.map(({ name }) => name?.value ?? '').join(' ');
}

/** Clicks the link with this name, where it is on the screen. It moves when the bar gets its facts. */
async function clickInBar(page: Page, name: string): Promise<void> {
  await eventually('the facts of the bar', async () => /Python .*Viaduct /.test(await textOf(page)));
  const session = await page.context().newCDPSession(page);
  await session.send('DOM.enable');
  let id: number | undefined;
  await eventually(`the link "${name}"`, async () => {
    const found = (await nodesOf(session)).filter((node) => node.role?.value === 'link' && node.name?.value === name);
    id = found.at(-1)?.backendDOMNodeId;
    return id !== undefined;
  });
  const { model } = await session.send('DOM.getBoxModel', { backendNodeId: id as number });
  const [left, top, right, , , bottom] = model.content as number[] as [number, number, number, number, number, number];
  await session.detach();
  await page.mouse.click((left + right) / 2, (top + bottom) / 2);
}
