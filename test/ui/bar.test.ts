import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { devBar } from '../../src/handlers/pages/dev-bar.ts';
import type { Request } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { NO_BROWSER, openBrowser } from '../support/browser.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { serveHandler } from '../support/serve-handler.ts';
import { ROOT } from '../support/viaduct.ts';
import { openPage, PHONE, screenshot } from './pages.ts';
import { TRACES } from './ui-server.ts';

const STRICT = "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'";
const PAGE = `<!doctype html><html lang="en"><title>Bridges</title><body>${'<p>A bridge</p>'.repeat(80)}</body></html>`;

/** The page of a project, the script, and the trace that it asks for. */
function site({ path }: Request): Response {
  if (path === '/__viaduct/assets/bar.js')
    return Response.fromHeaders(
      200,
      ['Content-Type', 'text/javascript; charset=utf-8'],
      readFileSync(join(ROOT, 'dist/ui/bar.js')),
    );
  if (path.startsWith('/__viaduct/api/'))
    return Response.fromHeaders(
      200,
      ['Content-Type', 'application/json'],
      Buffer.from(JSON.stringify(TRACES.get('slow'))),
    );
  if (path === '/favicon.ico') return Response.fromHeaders(204, [], null);
  const policy = path === '/strict' ? ['Content-Security-Policy', STRICT] : [];
  return Response.fromHeaders(200, ['Content-Type', 'text/html; charset=utf-8', ...policy], Buffer.from(PAGE));
}

describe('the development bar in a browser', { skip: NO_BROWSER }, () => {
  const suite = suiteLifetime();
  let browser: Browser;
  let url: string;

  before(async () => {
    const bar = devBar({ prefix: '/__viaduct', allow: () => true, onForbidden: () => {} });
    const [opened, server] = await Promise.all([openBrowser(), serveHandler(suite, [bar, site])]);
    browser = opened;
    url = `http://127.0.0.1:${server.port}`;
  });
  after(() => browser?.close());

  /** The shadow root is closed, so the test looks at the page as a person does: through the accessibility tree. */
  async function textOf(page: Page): Promise<string> {
    const session = await page.context().newCDPSession(page);
    const { nodes } = (await session.send('Accessibility.getFullAXTree')) as { nodes: { name?: { value?: string } }[] };
    await session.detach();
    return nodes.map(({ name }) => name?.value ?? '').join(' | ');
  }
  async function untilText(page: Page, pattern: RegExp): Promise<void> {
    for (let turn = 0; turn < 200 && !pattern.test(await textOf(page)); turn += 1) await page.waitForTimeout(20);
    assert.match(await textOf(page), pattern);
  }

  for (const path of ['/', '/strict'])
    it(`shows time and queries at ${path}, and the page stays as it was`, async () => {
      const { page, assertClean } = await openPage(browser, url + path);
      await untilText(page, /194 ms .*Python 188 ms.*42 queries.*N\+1/);
      const height = await page.evaluate<number>('document.body.getBoundingClientRect().height');
      await page.evaluate("document.querySelector('viaduct-bar').remove()");
      assert.equal(await page.evaluate<number>('document.body.getBoundingClientRect().height'), height);
      assertClean();
      await page.context().close();
    });

  it('is closed to the page', async () => {
    const { page } = await openPage(browser, `${url}/`);
    await page.locator('viaduct-bar').waitFor({ state: 'attached' });
    assert.equal(await page.evaluate("document.querySelector('viaduct-bar').shadowRoot"), null);
    await page.context().close();
  });

  it('goes away by one click, stays away, and comes back', async () => {
    const { page, assertClean } = await openPage(browser, `${url}/`);
    await untilText(page, /Put the Viaduct bar away/);
    await screenshot(page, 'bar-light');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await untilText(page, /Show the Viaduct bar/);
    await page.reload();
    await untilText(page, /Show the Viaduct bar/);
    assert.doesNotMatch(await textOf(page), /194 ms/);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await untilText(page, /194 ms/);
    assertClean();
    await page.context().close();
  });

  it('leads to the anatomy of the request', async () => {
    const { page } = await openPage(browser, `${url}/`, { viewport: PHONE });
    await untilText(page, /194 ms/);
    await screenshot(page, 'bar-phone');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/__viaduct\/requests\/[\w-]+$/);
    await page.context().close();
  });
});
