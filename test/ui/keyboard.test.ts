import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { NO_BROWSER, openBrowser } from '../support/browser.ts';
import { openPage, until } from './pages.ts';
import { startUiServer, type UiServer } from './ui-server.ts';

const FOCUSED = `(() => {
  const element = document.activeElement;
  return element.getAttribute('aria-label') ?? element.innerText?.trim() ?? '';
})()`;

describe('the pages without a pointer', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  let server: UiServer;

  before(async () => {
    [browser, server] = await Promise.all([openBrowser(), startUiServer({ kept: 20 })]);
  });
  after(() => Promise.all([browser?.close(), server?.close()]));

  it('lead from the dashboard to the query behind a slow view', async () => {
    const { page, assertClean } = await openPage(browser, `${server.url}/`);
    await page.waitForSelector('.workers');
    const tabTo = async (wanted: RegExp): Promise<void> => {
      for (let turn = 0; turn < 60; turn += 1) {
        await page.keyboard.press('Tab');
        if (wanted.test(await page.evaluate<string>(FOCUSED))) return;
      }
      assert.fail(`Tab does not lead to ${wanted}`);
    };
    await tabTo(/^Skip to content$/);
    await tabTo(/^Requests$/);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.request-row[aria-rowindex]');
    await page.keyboard.press('/');
    await page.keyboard.type('sql:catalogue_engineer');
    await until(page, `document.querySelectorAll('.request-row[aria-rowindex]').length < 6`);
    await tabTo(/^Requests, the newest first$/);
    const target = page.locator('#request-3, .request-row').filter({ hasText: '194 ms' });
    while ((await target.getAttribute('aria-selected')) !== 'true') await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/requests/slow');
    await tabTo(/^Waterfall/);
    await tabTo(/^Spans of the request$/);
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    const selected = page.getByRole('treeitem', { selected: true });
    for (let turn = 0; turn < 60 && !/38×/.test(await selected.innerText()); turn += 1)
      await page.keyboard.press('ArrowDown');
    assert.match(await page.getByRole('complementary').innerText(), /38 similar queries[\s\S]*views\.py:37/);
    await page.keyboard.press('z');
    await page.keyboard.press('0');
    await page.keyboard.press('ArrowLeft');
    assert.match(await selected.innerText(), /view/);
    await page.keyboard.press('Escape');
    assert.equal(await page.getByRole('complementary').count(), 0);
    assertClean();
    await page.context().close();
  });
});
