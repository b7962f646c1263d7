/**
 * `node scripts/request-pictures.mjs`: makes the pictures and the tree of docs/how-a-request-becomes-a-response.md from one request to the
 * example site, so that they show what happens. Needs a build, Chromium and port 8000.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { EXAMPLE_SITE, prepareExampleSite } from './example-site.mjs';
import { requestTree } from './request-tree.mjs';
import { ROOT } from './steps.mjs';

const PAGE = join(ROOT, 'docs/how-a-request-becomes-a-response.md');
const IMAGES = join(ROOT, 'docs/images');
const SITE = 'http://localhost:8000';
const PATH = '/regions/';
const API = `${SITE}/__viaduct/api/requests`;
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));
const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];
const TRIES = 100;
const TRY_MS = 200;

prepareExampleSite();
const server = spawn(process.execPath, [join(ROOT, 'bin/viaduct.js'), '--dev'], {
  cwd: join(ROOT, EXAMPLE_SITE),
  stdio: ['ignore', 'ignore', 'inherit'],
});
try {
  const document = await trace();
  writeTree(requestTree(document));
  await takePictures(document.id);
} finally {
  server.kill();
  await once(server, 'exit');
}

/** The trace of a request, after others that have loaded what is loaded once. */
async function trace() {
  for (let count = 0; count < 5; count += 1)
    await until(() => fetch(`${SITE}${PATH}`).then((response) => response.text()));
  return until(async () => {
    const { requests } = await (await fetch(`${API}?path=${PATH}&limit=1`)).json();
    const document = await (await fetch(`${API}/${requests[0].id}`)).json();
    if (document.state !== 'done') throw new Error('The trace is not complete');
    return document;
  });
}

async function until(action) {
  for (let count = 1; ; count += 1) {
    try {
      return await action();
    } catch (error) {
      if (count === TRIES) throw error;
      await delay(TRY_MS);
    }
  }
}

function writeTree(lines) {
  const [before, rest] = readFileSync(PAGE, 'utf8').split('<!-- request:tree -->');
  const after = rest.split('<!-- /request:tree -->')[1];
  const tree = ['```text', ...lines, '```'].join('\n');
  writeFileSync(PAGE, `${before}<!-- request:tree -->\n${tree}\n<!-- /request:tree -->${after}`);
}

async function takePictures(id) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 1500 }, colorScheme: 'light' });
    const open = async (tab) => {
      await page.goto(`${SITE}/__viaduct/requests/${id}`);
      if (tab !== '') await page.getByRole('tab', { name: tab }).click();
      await page.getByText('Where the time went').waitFor();
    };
    const take = (name, locator = page) => locator.screenshot({ path: join(IMAGES, `request-${name}.png`) });
    await open('');
    await page.screenshot({
      path: join(IMAGES, 'request-waterfall.png'),
      clip: { x: 0, y: 0, width: 1200, height: 1250 },
    });
    await take('times', page.locator('.card', { hasText: 'Where the time went' }).first());
    await page.getByRole('searchbox', { name: /search/i }).fill('middleware');
    await take('python', page.getByRole('tabpanel'));
    await open(/^Queries/);
    const { x, y, width } = await page.getByRole('tabpanel').boundingBox();
    await page.screenshot({ path: join(IMAGES, 'request-queries.png'), clip: { x, y, width, height: 560 } });
    await open(/^Header changes/);
    await take('headers', page.locator('.card', { hasText: 'Hop by hop' }).first());
  } finally {
    await browser.close();
  }
}
