import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { NO_BROWSER, openBrowser } from '../support/browser.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { makeProject } from '../support/project.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, startViaduct } from '../support/viaduct.ts';
import { openPage } from './pages.ts';

const APP = `orders = []

def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/html')])
    if environ['REQUEST_METHOD'] == 'POST':
        orders.append(environ['wsgi.input'].read().decode())
    return [f'''<!doctype html><html lang="en"><title>Shop</title><body>
<p>{' '.join(orders)}</p><form method="post"><input name="a" value="1"><button>Order</button></form></body></html>'''.encode()]
`;

describe('a form that is sent again', { skip: NO_BROWSER || NO_PACKAGES }, () => {
  const suite = suiteLifetime();
  let browser: Browser;
  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser?.close());

  it('reaches the application with its content, after a confirmation', async () => {
    const args = ['serve', 'app:application', '--dev', '--workers', '1', '--python', PYTHON_WITH_PACKAGES as string];
    const { url } = await startViaduct(suite, args, { cwd: makeProject(suite, { 'app.py': APP }) });
    const { page, assertClean } = await openPage(browser, `${url}/`);
    await page.getByRole('button', { name: 'Order' }).click();
    await page.locator('p', { hasText: /^a=1$/ }).waitFor();
    await page.goto(`${url}/__viaduct/requests`);
    await page.locator('.request-row', { hasText: 'POST' }).first().click();
    await page.getByRole('button', { name: 'Replay' }).waitFor();
    const first = page.url();
    await page.getByRole('button', { name: 'Replay' }).click();
    await page.getByRole('button', { name: 'Send POST' }).click();
    await page.waitForURL((shown) => /\/requests\/[\w-]+/.test(shown.href) && shown.href !== first);
    await page.goto(`${url}/`);
    assert.equal(await page.locator('p').innerText(), 'a=1 a=1');
    assertClean();
    await page.context().close();
  });
});
