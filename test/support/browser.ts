import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

const CHROMIUM = [
  ...(process.env.PATH ?? '').split(delimiter).flatMap((directory) => NAMES.map((name) => join(directory, name))),
  ...NAMES.map((name) => join('/usr/bin', name)),
  ...APPLICATIONS,
].find((path) => existsSync(path));

/** For `{ skip: NO_BROWSER }`: false if Chromium is installed, otherwise the reason to skip. */
export const NO_BROWSER = CHROMIUM === undefined ? 'chromium is not installed' : false;

/** Starts a headless Chromium that makes no requests of its own. The test closes it. */
export function openBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('chromium is not installed');
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
