import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { NO_BROWSER, openBrowser } from '../support/browser.ts';
import { summaryAt } from './fixtures/summaries.ts';
import { openPage, until } from './pages.ts';
import { startUiServer, type UiServer } from './ui-server.ts';

describe('the list of requests', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  let server: UiServer;

  before(async () => {
    [browser, server] = await Promise.all([openBrowser(), startUiServer({ kept: 2000 })]);
  });
  after(() => Promise.all([browser?.close(), server?.close()]));

  async function withList(use: (page: Page) => Promise<void>, query = ''): Promise<void> {
    const { page, assertClean } = await openPage(browser, `${server.url}/requests${query}`);
    await page.waitForSelector('.request-row[aria-rowindex]');
    await use(page);
    assertClean();
    await page.context().close();
  }
  const first = (page: Page) => page.locator('.request-row[aria-rowindex="2"]');

  it('has only the lines that are seen', () =>
    withList(async (page) => {
      await page.getByText('2 007 requests shown').waitFor();
      assert.ok((await page.locator('.request-row[aria-rowindex]').count()) < 60);
      await page.locator('.requests').evaluate((list) => {
        list.scrollTop = list.scrollHeight;
      });
      await page.locator('.request-row[aria-rowindex="2008"]').waitFor();
    }));

  it('searches path, status, time and SQL', () =>
    withList(async (page) => {
      const search = page.getByPlaceholder('/path  POST');
      await search.fill('/api/ POST');
      await until(
        page,
        `document.querySelectorAll('.request-row[aria-rowindex]').length > 0 && [...document.querySelectorAll('.request-row[aria-rowindex]')].every((row) => row.innerText.includes('POST'))`,
      );
      await search.fill('sql:catalogue_engineer');
      await page.getByText(/^[34] requests shown/).waitFor();
      await search.fill('');
      await page.getByRole('button', { name: 'Failed' }).click();
      await until(
        page,
        `[...document.querySelectorAll('.request-row[aria-rowindex] .badge')].every((badge) => badge.innerText.startsWith('5'))`,
      );
      assert.match(page.url(), /\?q=5xx$/);
      await search.fill('/nothing-like-this');
      await page.getByText('No kept request matches').waitFor();
    }));

  it('starts with the search of its address', () =>
    withList(async (page) => {
      assert.match(await first(page).innerText(), /404/);
    }, '?q=404'));

  it('shows new requests at once, and holds them while it is paused', () =>
    withList(async (page) => {
      await page.getByText('Live').waitFor();
      server.announce([{ ...summaryAt(90_000, Date.now()), target: '/fresh-one' }]);
      await first(page).getByText('/fresh-one').waitFor();
      await page.getByRole('button', { name: 'Pause' }).click();
      server.announce([{ ...summaryAt(90_001, Date.now()), target: '/fresh-two' }]);
      await page.getByRole('button', { name: 'Continue (1 new)' }).click();
      await first(page).getByText('/fresh-two').waitFor();
    }));

  it('keeps what one reads in its place when others come', () =>
    withList(async (page) => {
      await page.getByText(/^2\s0\d\d requests shown/).waitFor();
      await page.locator('.requests').evaluate((list) => {
        list.scrollTop = 3600;
      });
      const row = page.locator('.request-row[aria-rowindex="104"]');
      const before = await row.innerText();
      const top = (await row.boundingBox())?.y;
      server.announce(Array.from({ length: 5 }, (_, index) => summaryAt(91_000 + index, Date.now())));
      const moved = page.locator('.request-row[aria-rowindex="109"]');
      await until(
        page,
        `document.querySelector('.request-row[aria-rowindex="109"]')?.innerText === ${JSON.stringify(before)}`,
      );
      assert.equal((await moved.boundingBox())?.y, top);
    }));

  it('is used with the keyboard alone', () =>
    withList(async (page) => {
      await page.keyboard.press('j');
      await page.keyboard.press('j');
      await page.keyboard.press('k');
      assert.equal(await first(page).getAttribute('aria-selected'), 'true');
      await page.keyboard.press('/');
      await page.keyboard.type('country=pt');
      await until(page, `document.querySelector('.request-row[aria-rowindex="2"]')?.innerText.includes('country=pt')`);
      await page.keyboard.press('Tab');
      await page.keyboard.press('p');
      await page.getByRole('button', { name: 'Continue' }).waitFor();
    }));
});
