import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { NO_BROWSER, openBrowser } from '../support/browser.ts';
import { openPage, PHONE, screenshot, violations, WIDE } from './pages.ts';
import { startUiServer, type UiServer } from './ui-server.ts';

/** Each page, with what is there when it is complete. */
const PAGES = [
  ['dashboard', '/', '.workers'],
  ['requests', '/requests', '.request-row[aria-rowindex]'],
  ['errors', '/errors', '.error-group'],
  ['compare', '/compare/good/slow', '.spans-table'],
  ['waterfall', '/requests/slow', '.span-row'],
  ['queries', '/requests/slow#queries', '.queries'],
  ['headers', '/requests/slow#headers', '.hops'],
  ['message', '/requests/slow#message', '.call'],
  ['route', '/requests/slow#route', '.routes'],
  ['environ', '/requests/slow#environ', '.fields'],
  ['profile', '/requests/slow#profile', '.flame'],
  ['exception', '/requests/failed', '.frames'],
  ['killed-worker', '/requests/killed', '.notice'],
  ['proxied', '/requests/proxied', '.span-row'],
  ['missing', '/requests/none', '.empty'],
] as const;

const LOOKS = [
  ['light', WIDE, 'light'],
  ['dark', WIDE, 'dark'],
  ['phone', PHONE, 'light'],
] as const;

describe('the look of the pages', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  let server: UiServer;

  before(async () => {
    [browser, server] = await Promise.all([openBrowser(), startUiServer()]);
  });
  after(() => Promise.all([browser?.close(), server?.close()]));

  for (const [name, path, complete] of PAGES)
    it(`of ${name} has no barrier and fits, light, dark and on a phone`, async () => {
      const { page } = await openPage(browser, server.url + path, { reducedMotion: 'reduce' });
      await page.waitForSelector(complete);
      for (const [look, viewport, colorScheme] of LOOKS) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize(viewport);
        await screenshot(page, `${name}-${look}`);
        assert.deepEqual(await violations(page), [], look);
        const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
        assert.ok(overflow <= 0, `${look}: the page is ${overflow} pixels too wide`);
      }
      await page.context().close();
    });

  it('of a waterfall on a phone has the names of deep hops beside their bars', async () => {
    const { page } = await openPage(browser, `${server.url}/requests/slow`, { viewport: PHONE });
    await page.waitForSelector('.span-row');
    const rows = await page.evaluate<readonly (readonly [text: string, width: number])[]>(
      `[...document.querySelectorAll('.span-row')].flatMap((row) => {
        const text = row.querySelector('.span-text');
        const shown = Math.min(text.getBoundingClientRect().right, row.querySelector('.span-time').getBoundingClientRect().left);
        return text.textContent === '' ? [] : [[text.textContent, shown - text.getBoundingClientRect().left]];
      })`,
    );
    assert.ok(rows.length >= 10);
    for (const [text, width] of rows)
      assert.ok(width >= Math.min(60, text.length * 6), `"${text}" has ${width} pixels`);
    await page.context().close();
  });
});
