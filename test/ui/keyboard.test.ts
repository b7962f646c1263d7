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

/** What a person can use without a pointer and sees: each gets a number. Returns their names. */
const MARK_CONTROLS = `(() => {
  const all = [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')];
  const used = all.filter((each) => each.tabIndex >= 0 && !each.disabled && each.checkVisibility({ visibilityProperty: true }));
  used.forEach((each) => { each.__isReached = false; });
  window.__controls = used;
  return used.map((each) => each.getAttribute('aria-label') ?? each.textContent.trim());
})()`;

/** Returns what has the focus without an outline or another sign of it; '' if all is well. */
const NOTE_FOCUSED = `(() => {
  const element = document.activeElement;
  if (element === null || element === document.body) return '';
  element.__isReached = true;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  const isSeen = (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
  return isSeen ? '' : element.outerHTML.slice(0, 200);
})()`;

const UNREACHED = `window.__controls.filter((each) => each.isConnected && !each.__isReached).map((each) => each.outerHTML.slice(0, 200))`;

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

  for (const [path, ready] of [
    ['/', '.workers'],
    ['/requests', '.request-row[aria-rowindex]'],
    ['/errors', '.error-group'],
    ['/requests/slow', '.summary'],
    ['/requests/failed', '.frames'],
    ['/requests/failed#environ', '.summary'],
    ['/requests/slow#queries', '.repeated'],
    ['/requests/slow#headers', '.hops'],
    ['/requests/slow#profile', '.summary'],
    ['/compare/good/slow', '.page'],
  ] as const)
    it(`reach everything at ${path} with Tab, see where they are, and get out again`, async () => {
      const { page, assertClean } = await openPage(browser, server.url + path);
      await page.waitForSelector(ready);
      const missed = await page.evaluate<string[]>(MARK_CONTROLS);
      assert.ok(missed.length > 5, 'the page has controls');
      for (let turn = 0; turn < missed.length + 10; turn += 1) {
        await page.keyboard.press('Tab');
        assert.equal(await page.evaluate(NOTE_FOCUSED), '', 'the focus can be seen');
      }
      assert.deepEqual(await page.evaluate<string[]>(UNREACHED), []);
      assertClean();
      await page.context().close();
    });

  it('open an error and compare it with the last good request', async () => {
    const { page, assertClean } = await openPage(browser, `${server.url}/errors`);
    await page.waitForSelector('.error-group');
    const press = async (name: RegExp): Promise<void> => {
      for (let turn = 0; turn < 60; turn += 1) {
        await page.keyboard.press('Tab');
        if (!name.test(await page.evaluate<string>(FOCUSED))) continue;
        await page.keyboard.press('Enter');
        return;
      }
      assert.fail(`Tab does not lead to ${name}`);
    };
    await press(/^Open the newest$/);
    await page.waitForURL(/\/requests\/[\w-]+$/);
    await page.waitForSelector('.summary');
    await press(/^Compare with the last good one$/);
    await page.waitForURL(/\/compare\//);
    assertClean();
    await page.context().close();
  });
});
