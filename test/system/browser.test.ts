import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Browser, BrowserContext, Page, Response } from 'playwright-core';
import { NO_BROWSER, openBrowser } from '../support/browser.ts';
import { type ExampleCopy, prepareDjangoSite } from '../support/examples.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, startViaduct, type Viaduct } from '../support/viaduct.ts';

/** A picture of one dark green pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkmM/wHwADgQF/e7ZYZQAAAABJRU5ErkJggg==',
  'base64',
);
/** Where to save screenshots of the pages. */
const SHOTS = process.env.TEST_SHOTS;

describe('a Django site in a browser', { skip: NO_BROWSER || NO_PACKAGES }, () => {
  let site: ExampleCopy;
  const suite = suiteLifetime();
  let viaduct: Viaduct;
  let browser: Browser;
  let files: string;
  let context: BrowserContext;
  let page: Page;
  let responses: Response[];
  let complaints: string[];

  before(async () => {
    files = temporaryDirectory(suite);
    site = prepareDjangoSite(suite);
    viaduct = await startViaduct(suite, ['serve', site.directory, '--python', PYTHON_WITH_PACKAGES as string]);
    browser = await openBrowser();
  });

  after(() => browser?.close());

  beforeEach(async () => {
    context = await browser.newContext({ baseURL: viaduct.url, viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    responses = [];
    complaints = [];
    page.on('response', (response) => responses.push(response));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`);
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
  });

  afterEach(async () => {
    await context.close();
  });

  it('shows the public pages with their styles and without an error in the console', async () => {
    for (const path of ['/', '/bridges/', '/bridges/?q=bridge&page=2', '/accounts/login/']) {
      const answer = await page.goto(path);
      assert.equal(answer?.status(), 200, path);
      assert.equal(await styleOf('.top', 'background-color'), 'rgb(255, 253, 248)', path);
      await shot(`public${path.replaceAll(/\W+/g, '-')}`);
    }
    assertStylesheets(1);
    await page.goto('/bridges/');
    await page.locator('.cards h3 a').first().click();
    assert.match(await page.locator('h1').innerText(), /Abbotsford Bridge/);
    await shot('public-bridge');
    await page.locator('tbody a').first().click();
    await page.waitForURL(/\/inspections\/\d+\/$/);
    await shot('public-inspection');
    const pictures = responses.filter((response) => response.url().endsWith('.svg') && response.status() === 200);
    assert.ok(pictures.length >= 5);
    for (const picture of pictures) assert.match(picture.headers()['content-type'] ?? '', /^image\/svg\+xml/);
    assert.deepEqual(complaints, []);
  });

  it('logs in to the admin, adds a record, uploads a file and logs out', async () => {
    await logIn();
    assert.equal(await styleOf('#header', 'display'), 'flex');
    assertStylesheets(2);
    await shot('admin-index');

    await page.goto('/admin/bridges/bridge/add/');
    await page.fill('#id_number', 'B-001');
    await page.locator('#id_name').pressSequentially('Browser’s Bridge');
    assert.equal(await page.inputValue('#id_slug'), 'browsers-bridge', 'the admin’s scripts run');
    await page.selectOption('#id_region', { label: 'Harbour' });
    await page.selectOption('#id_kind', 'truss');
    await page.selectOption('#id_traffic', 'foot');
    for (const [field, value] of Object.entries({
      material: 'Larch',
      crosses: 'the test',
      built: '2024',
      length_m: '12.5',
    })) {
      await page.fill(`#id_${field}`, value);
    }
    await shot('admin-bridge');
    await page.click('[name=_save]');
    assert.match(
      await page.locator('.messagelist .success').innerText(),
      /Browser’s Bridge \(B-001\).+added successfully/,
    );
    await shot('admin-bridges');

    const report = pdf(300_000);
    writeFileSync(join(files, 'report.pdf'), report);
    await page.goto('/admin/bridges/inspection/add/');
    await page.locator('.field-bridge .select2-selection').click();
    await page.locator('.select2-search__field').fill('B-001');
    await page.locator('.select2-results__option', { hasText: 'Browser’s Bridge' }).click();
    await page.fill('#id_date', '2025-03-04');
    await page.selectOption('#id_rating', '4');
    await page.fill('#id_summary', 'Sounded with a hammer: ä, 漢, 🌉.');
    await page.setInputFiles('#id_report', join(files, 'report.pdf'));
    await page.selectOption('#id_defects-0-element', 'deck');
    await page.fill('#id_defects-0-note', 'Loose board');
    await shot('admin-inspection');
    await page.click('[name=_continue]');
    assert.match(await page.locator('.messagelist .success').innerText(), /added successfully/);

    const link = await page.locator('.file-upload a').getAttribute('href');
    const read = await context.request.get(link as string);
    assert.equal(read.status(), 200);
    assert.equal(read.headers()['content-type'], 'application/pdf');
    assert.ok((await read.body()).equals(report), 'the uploaded file comes back as it was');

    await page.goto('/bridges/browsers-bridge/');
    assert.equal(await page.locator('h1 .pill').innerText(), 'Poor');
    await page.locator('tbody a').click();
    assert.match(await page.locator('.lead').innerText(), /ä, 漢, 🌉/);
    assert.match(await page.locator('.defects').innerText(), /Loose board/);

    await page.goto('/admin/');
    await page.locator('#logout-form button').click();
    await page.goto('/admin/');
    assert.match(page.url(), /\/admin\/login\/\?next=\/admin\/$/);
    assert.deepEqual(complaints, []);
  });

  it('accepts a public notice with a photo that only staff may see', async () => {
    writeFileSync(join(files, 'stone.png'), PNG);
    await page.goto('/bridges/priory-bridge/notice/');
    await page.fill('#id_name', 'Ann Passer-By');
    await page.fill('#id_message', 'A stone is loose <b>here</b>.');
    await page.setInputFiles('#id_photo', join(files, 'stone.png'));
    await shot('public-notice');
    await page.click('main button');
    await page.waitForURL(/\/bridges\/priory-bridge\/$/);
    assert.match(await page.locator('.message').innerText(), /^Thank you/);

    await logIn();
    await page.goto('/notices/');
    const notice = page.locator('.notices > li').first();
    assert.match(await notice.innerText(), /A stone is loose <b>here<\/b>\./);
    const photo = (await notice.locator('img').getAttribute('src')) as string;
    assert.ok((await (await context.request.get(photo)).body()).equals(PNG));
    await page.waitForFunction('document.querySelector(".notices img").naturalWidth === 1');
    await shot('staff-notices');
    await notice.getByRole('button', { name: 'Done' }).click();
    assert.match(await page.locator('.message').innerText(), /Priory Bridge: done/);
    await page.getByRole('button', { name: 'Log out admin' }).click();
    assert.equal((await context.request.get(photo)).status(), 404, 'for strangers there is no photo');
    assert.deepEqual(complaints, []);
  });

  it('refuses a form when its token is missing', async () => {
    const form = { name: 'Mallory', message: 'forged' };
    const answer = await context.request.post('/bridges/priory-bridge/notice/', { form });
    assert.equal(answer.status(), 403);
    await page.goto('/bridges/priory-bridge/notice/');
    const withCookie = await context.request.post('/bridges/priory-bridge/notice/', { form });
    assert.equal(withCookie.status(), 403, 'the cookie alone is not enough');
  });

  it('downloads a CSV that the application makes while it is sent', async () => {
    await page.goto('/');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Open data')]);
    assert.equal(download.suggestedFilename(), 'inspections.csv');
    const lines = readFileSync(await download.path(), 'utf8')
      .trimEnd()
      .split('\r\n');
    assert.equal(lines[0], 'date,number,bridge,region,kind,rating,defects,summary,address');
    const count = Number(await page.locator('.figures dd').nth(1).innerText());
    assert.equal(lines.length - 1, count, 'as many rows as the home page shows');
    assert.ok(
      lines.slice(1).every((line) => /^\d{4}-\d\d-\d\d,/.test(line) && line.includes(`${viaduct.url}/inspections/`)),
    );
  });

  async function logIn(): Promise<void> {
    await page.goto('/admin/');
    await page.fill('#id_username', 'admin');
    await page.fill('#id_password', 'admin');
    await shot('admin-login');
    await page.click('[type=submit]');
    await page.waitForURL(/\/admin\/$/);
  }

  function styleOf(selector: string, property: string): Promise<string> {
    return page.locator(selector).evaluate((element, name) => {
      const { getComputedStyle } = globalThis as unknown as {
        getComputedStyle(element: unknown): { getPropertyValue(name: string): string };
      };
      return getComputedStyle(element).getPropertyValue(name);
    }, property);
  }

  /** Asserts that at least `count` different stylesheets came, each with 200 and its type. A repeated one may get 304. */
  function assertStylesheets(count: number): void {
    const sheets = responses.filter((response) => response.request().resourceType() === 'stylesheet');
    const seen = new Set<string>();
    for (const sheet of sheets) {
      const url = sheet.url();
      if (seen.has(url) && sheet.status() === 304) continue;
      assert.equal(sheet.status(), 200, url);
      assert.match(sheet.headers()['content-type'] ?? '', /^text\/css\b/, url);
      seen.add(url);
    }
    assert.ok(seen.size >= count, `${seen.size} stylesheets`);
  }

  async function shot(name: string): Promise<void> {
    if (SHOTS !== undefined) await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
  }
});

/** A file that starts like a PDF and is too large for memory. It has every octet, in an order that does not repeat soon. */
function pdf(length: number): Buffer {
  const content = Buffer.from(Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) & 255));
  content.write('%PDF-1.4\n', 'latin1');
  return content;
}
