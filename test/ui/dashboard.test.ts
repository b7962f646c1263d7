import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { NO_BROWSER, openBrowser } from '../support/browser.ts';
import { openPage, until } from './pages.ts';
import { startUiServer, type UiServer } from './ui-server.ts';

describe('the dashboard', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  let server: UiServer;

  before(async () => {
    [browser, server] = await Promise.all([openBrowser(), startUiServer()]);
  });
  after(() => Promise.all([browser?.close(), server?.close()]));

  it('shows the server, and goes on as it changes', async () => {
    const { page, assertClean } = await openPage(browser, `${server.url}/`);
    await page.waitForSelector('.workers');
    const worker = page.locator('.workers tbody tr').nth(2);
    assert.match(await worker.innerText(), /3 bridges, pid 48219\s+busy\s+GET \/reports\/2025\.pdf\s+4\.21 s/);
    assert.match(await page.locator('.tiles').innerText(), /Workers\s+2 of 4\s+run a request/);
    const done = await worker.innerText();
    await until(page, `document.querySelectorAll('.workers tbody tr')[2].innerText !== ${JSON.stringify(done)}`);
    assert.equal(await page.locator('.plot canvas').count(), 2);
    const main = await page.locator('#main').innerText();
    assert.match(main, /http:\/\/127\.0\.0\.1:9002\s+down/);
    assert.match(main, /api\.bridges\.example\s+valid for 5 days/);
    assertClean();
    await page.context().close();
  });

  it('leads to errors, and from there to the request', async () => {
    const { page, assertClean } = await openPage(browser, `${server.url}/`);
    await page.locator('nav').getByRole('link', { name: 'Errors' }).click();
    const group = page.locator('.error-group').first();
    assert.match(await group.innerText(), /12×\s+catalogue\.models\.Engineer\.DoesNotExist/);
    await group.getByText('Traceback', { exact: true }).click();
    assert.match(await group.innerText(), /Traceback \(most recent call last\)/);
    await group.getByRole('link', { name: 'Open the newest' }).click();
    await page.waitForURL('**/requests/failed');
    assertClean();
    await page.context().close();
  });

  it('keeps the colours that were chosen', async () => {
    const { page, assertClean } = await openPage(browser, `${server.url}/`, { colorScheme: 'light' });
    const ground = (): Promise<string> => page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    const light = await ground();
    await page.getByLabel('Colours').selectOption('dark');
    const dark = await ground();
    assert.notEqual(dark, light);
    await page.reload();
    assert.equal(await ground(), dark);
    await page.getByLabel('Colours').selectOption('system');
    assert.equal(await ground(), light);
    assertClean();
    await page.context().close();
  });

  it('says that it is not live when too many pages are', async () => {
    const other = await startUiServer();
    other.refusesStreams = true;
    const { page } = await openPage(browser, `${other.url}/requests`);
    await page.getByText('Not live: close other pages of Viaduct').waitFor();
    await page.context().close();
    await other.close();
  });

  it('says what to do when the server has ended', async () => {
    const other = await startUiServer();
    const { page } = await openPage(browser, `${other.url}/`);
    await page.waitForSelector('.workers');
    await other.close();
    await page.getByText('Reconnecting').waitFor();
    await page.locator('nav').getByRole('link', { name: 'Errors' }).click();
    assert.match(await page.getByRole('alert').innerText(), /The server does not answer\..*start it, then reload/);
    await page.context().close();
  });
});
