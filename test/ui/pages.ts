import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { ROOT } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Not kept by git. */
export const SCREENSHOTS = join(ROOT, '.build/screenshots');
export const WIDE = { width: 1360, height: 900 };
export const PHONE = { width: 390, height: 844 };

const REPORT_VIOLATIONS =
  "document.addEventListener('securitypolicyviolation', (event) => console.error('policy: ' + event.violatedDirective))";

/** A page that notes what must not happen: errors, violations of the policy, requests to other hosts. */
export interface WatchedPage {
  readonly page: Page;
  /** Fails if anything of this has happened. */
  assertClean(): void;
}

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: WIDE, colorScheme: 'light', ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  const { origin } = new URL(url);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (!/^(?:data|blob|file):/.test(request.url()) && new URL(request.url()).origin !== origin)
      faults.push(`request to another host: ${request.url()}`);
  });
  await page.addInitScript(REPORT_VIOLATIONS);
  await page.goto(url);
  return { page, assertClean: () => assert.deepEqual(faults, []) };
}

/** Rules of WCAG 2.2 at level AA, and what axe-core calls good practice. Returns what is violated, and where. */
export async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const { violations: found } = await page.evaluate<{ violations: AxeViolation[] }>('axe.run()');
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

interface AxeViolation {
  readonly id: string;
  readonly nodes: readonly { readonly target: readonly string[] }[];
}

export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

/** Waits until an expression is true in the page. The page's policy forbids the browser's own way to wait, which compiles texts there. */
export function until(page: Page, expression: string): Promise<void> {
  return eventually(expression, () => page.evaluate<boolean>(expression));
}
