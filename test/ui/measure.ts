/**
 * Measures the list of requests in Chromium: `node .build/test/ui/measure.js`. It prints how long the page takes to open with 10,000 requests, and
 * the long tasks of its main thread while 1,000 requests come each second. The time of the processor says more than the clock where others work at the
 * same time. Nothing is asserted: the numbers depend on the machine.
 */
import type { CDPSession, Page } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { startUiServer } from './ui-server.ts';

const TURNS = 5;
const RATE = 1000;
const LIVE_MS = 10_000;
const OBSERVE = `
  globalThis.longTasks = [];
  new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => Math.round(duration)))).observe({ type: 'longtask', buffered: true });
  globalThis.shownAt = {};
  const look = () => {
    const rows = document.querySelectorAll('.request-row[aria-rowindex]').length;
    if (rows > 0) shownAt.first ??= performance.now();
    const all = document.querySelector('[role=grid]')?.getAttribute('aria-rowcount');
    if (Number(all) >= 10000) shownAt.all ??= performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
`;

const sessions = new WeakMap<Page, CDPSession>();

const server = await startUiServer({ kept: 10_000 });
const browser = await openBrowser();
try {
  for (let turn = 0; turn < TURNS; turn += 1) {
    const page = await open('/requests');
    await page.waitForTimeout(2000);
    const { first, all } = await page.evaluate<{ first: number; all: number }>('shownAt');
    const cpu = await processorMs(page);
    console.log(
      `opened: first lines after ${first.toFixed(0)} ms, all 10,000 after ${all.toFixed(0)} ms; main thread ${cpu.toFixed(0)} ms of processor`,
    );
    await page.close();
  }
  for (const path of ['/requests', '/']) {
    const page = await open(path);
    await page.waitForTimeout(1500);
    await page.evaluate('longTasks.length = 0');
    const before = await processorMs(page);
    server.rate = RATE;
    await page.waitForTimeout(LIVE_MS);
    server.rate = 0;
    const tasks = await page.evaluate<number[]>('longTasks');
    const most = Math.max(0, ...tasks);
    const share = ((await processorMs(page)) - before) / LIVE_MS;
    const live = `${path}, ${RATE} requests/s for ${LIVE_MS / 1000} s`;
    console.log(
      `${live}: ${tasks.length} tasks above 50 ms, the longest ${most} ms; main thread busy ${(share * 100).toFixed(1)} %`,
    );
    await page.close();
  }
} finally {
  await browser.close();
  await server.close();
}

async function open(path: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1360, height: 900 } });
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  sessions.set(page, session);
  await page.addInitScript(OBSERVE);
  await page.goto(server.url + path);
  return page;
}

/** What the tasks of the main thread have taken of a processor so far. */
async function processorMs(page: Page): Promise<number> {
  const result = await (sessions.get(page) as CDPSession).send('Performance.getMetrics');
  return (result.metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1000;
}
