import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { NO_BROWSER, openBrowser } from '../support/browser.ts';
import { type ExampleCopy, prepareDjangoSite } from '../support/examples.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, startViaduct, type Viaduct } from '../support/viaduct.ts';

describe('a Django site in a browser over HTTP/2', { skip: NO_BROWSER || NO_PACKAGES }, () => {
  let site: ExampleCopy;
  const suite = suiteLifetime();
  let viaduct: Viaduct;
  let browser: Browser;

  before(async () => {
    site = prepareDjangoSite(suite);
    const args = ['serve', site.directory, '--python', PYTHON_WITH_PACKAGES as string, '--tls-self-signed'];
    viaduct = await startViaduct(suite, args, { env: { XDG_CACHE_HOME: site.directory } });
    browser = await openBrowser();
  });

  after(() => browser?.close());

  it('has its styles, logs in over https, and uses HTTP/2 for every request', async () => {
    const context = await browser.newContext({ baseURL: viaduct.url, ignoreHTTPSErrors: true });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto('/admin/');
    await page.fill('#id_username', 'admin');
    await page.fill('#id_password', 'admin');
    await page.click('[type=submit]');
    await page.waitForURL(/\/admin\/$/);
    assert.match(await page.locator('#user-tools').innerText(), /log out/i);
    const display = await page.evaluate<string>("getComputedStyle(document.querySelector('#header')).display");
    assert.equal(display, 'flex');
    const protocols = await page.evaluate<string[]>(
      "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map((entry) => entry.nextHopProtocol)",
    );
    assert.ok(protocols.length > 3, `${protocols}`);
    assert.deepEqual([...new Set(protocols)], ['h2']);
    if (process.env.TEST_SHOTS !== undefined)
      await page.screenshot({ path: `${process.env.TEST_SHOTS}/http2-admin.png` });
    assert.deepEqual(complaints, []);
    await context.close();
  });
});
