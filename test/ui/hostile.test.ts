import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { NO_BROWSER, openBrowser } from '../support/browser.ts';
import { HOSTILE } from './fixtures/others.ts';
import { summaryAt } from './fixtures/summaries.ts';
import { openPage, PHONE, until } from './pages.ts';
import { startUiServer, type UiServer } from './ui-server.ts';

const TABS = ['exception', 'waterfall', 'queries', 'headers', 'message', 'route', 'environ', 'profile'];
const FOREIGN_ELEMENTS = '#app img, #app script, #app iframe, #app svg[onload]';

describe('markup in a trace', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  let server: UiServer;

  before(async () => {
    [browser, server] = await Promise.all([openBrowser(), startUiServer()]);
  });
  after(() => Promise.all([browser?.close(), server?.close()]));

  for (const path of [
    ...TABS.map((tab) => `/requests/hostile#${tab}`),
    '/compare/hostile/slow',
    '/requests',
    '/errors',
    '/',
  ])
    it(`stays text at ${path}`, async () => {
      const { page, assertClean } = await openPage(browser, server.url + path, { viewport: PHONE });
      await until(page, `document.getElementById('main').innerText.includes('<img src=x onerror=')`);
      assert.equal(await page.locator(FOREIGN_ELEMENTS).count(), 0);
      assert.equal(await page.evaluate('globalThis.hacked'), undefined);
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      assert.ok(overflow <= 0, `the page is ${overflow} pixels too wide`);
      assertClean();
      await page.context().close();
    });

  it('stays text in what comes live', async () => {
    const { page, assertClean } = await openPage(browser, `${server.url}/requests`);
    await page.getByText('Live').waitFor();
    server.announce([{ ...summaryAt(50_000, Date.now()), target: `/${HOSTILE}`, error: HOSTILE }]);
    await page.getByText(`/${HOSTILE}`).waitFor();
    assert.equal(await page.locator(FOREIGN_ELEMENTS).count(), 0);
    assertClean();
    await page.context().close();
  });
});
