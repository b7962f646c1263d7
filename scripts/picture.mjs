/**
 * `node scripts/picture.mjs`: makes docs/images/viaduct.png, the picture in the README. It serves a copy of the example site as a user
 * would, in a terminal, opens the site in Chromium, and draws what both show side by side. Needs a build, Chromium and port 8000.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { chromium } from 'playwright-core';
import { mustRun, ROOT } from './steps.mjs';
import { prepareVenv } from './venv.mjs';

const SITE = join(ROOT, 'examples/django-site');
const PICTURE = join(ROOT, 'docs/images/viaduct.png');
const URL = 'http://127.0.0.1:8000/';
const GENERATED = ['.venv', 'var', '__pycache__'];
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Root would see a line of advice that others do not see. */
const NOBODY = 65534;
const IS_ROOT = process.getuid?.() === 0;
/** Runs a command in a terminal, so that it prints what people see. */
const IN_TERMINAL = 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) != 0)';
const START_MS = 60_000;
/** Ctrl-C. */
const INTERRUPT = '\x03';

const directory = mkdtempSync(join(tmpdir(), 'viaduct-'));
const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
try {
  const project = prepareProject();
  await draw(await useSite(project));
  console.log(`Written: ${PICTURE}`);
} finally {
  await browser.close();
  rmSync(directory, { recursive: true, force: true });
}

/** A copy of the example site with its database and files. */
function prepareProject() {
  const project = join(directory, 'bridges');
  const python = prepareVenv(join(SITE, '.venv'), join(SITE, 'requirements.txt'));
  if (python === null) process.exit(1);
  cpSync(SITE, project, { recursive: true, filter: (path) => !GENERATED.includes(basename(path)) });
  symlinkSync(join(SITE, '.venv'), join(project, '.venv'));
  for (const args of [['migrate'], ['collectstatic', '--noinput'], ['demo']])
    mustRun(`manage.py ${args[0]}`, python, ['manage.py', ...args], { quiet: true, directory: project });
  if (IS_ROOT)
    for (const path of ['', ...readdirSync(directory, { recursive: true })]) own(join(directory, String(path)));
  return project;
}

function own(path) {
  if (!path.includes('.venv')) chownSync(path, NOBODY, NOBODY);
}

/** Starts Viaduct in the project and opens the site. Returns the text of the terminal, and the address and a PNG of the page. */
async function useSite(project) {
  const command = ['-c', IN_TERMINAL, process.execPath, join(ROOT, 'bin/viaduct.js')];
  const { DJANGO_SETTINGS_MODULE: _, ...env } = process.env;
  const terminal = spawn('python3', command, {
    cwd: project,
    env: { ...env, HOME: directory },
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(IS_ROOT ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  const ended = once(terminal, 'close');
  let output = '';
  const waitFor = (pattern) =>
    new Promise((resolve, reject) => {
      const look = () => pattern.test(output) && resolve();
      terminal.stdout.on('data', look);
      terminal.on('close', () => reject(new Error(`Cannot serve the site:\n${output}`)));
      setTimeout(() => reject(new Error(`Cannot serve the site in time:\n${output}`)), START_MS).unref();
      look();
    });
  terminal.stdout.on('data', (block) => {
    output += block;
  });
  try {
    await waitFor(/Press Ctrl-C/);
    const page = await browser.newPage({ viewport: { width: 700, height: 540 } });
    await page.goto(URL, { waitUntil: 'networkidle' });
    await page.getByRole('link', { name: 'Bridges' }).first().click();
    await page.waitForLoadState('networkidle');
    await waitFor(/GET \/bridges\//);
    return { output, address: page.url(), page: await page.screenshot() };
  } finally {
    terminal.stdin.end(INTERRUPT);
    await ended;
  }
}

async function draw({ output, address, page }) {
  const drawing = await browser.newPage({ viewport: { width: 1360, height: 608 } });
  await drawing.setContent(`<!doctype html><style>
    body { margin: 0; padding: 18px; background: #e7ecf1; display: flex; gap: 18px; width: 1324px; height: 572px }
    figure { margin: 0; border-radius: 8px; overflow: hidden; box-shadow: 0 2px 10px #0004; display: flex; flex-direction: column }
    figcaption { font: 12px 'DejaVu Sans', sans-serif; padding: 8px 12px; background: #d3dae2; color: #333 }
    #terminal { flex: 1; background: #17212b } #browser { width: 700px; background: #fff }
    pre { margin: 0; padding: 12px; color: #e6edf3; font: 12px/1.45 'DejaVu Sans Mono', monospace; white-space: pre-wrap; overflow-wrap: anywhere }
    pre b { color: #fff } pre i { font-style: normal; color: #8b9cac } pre em { font-style: normal; color: #e5c07b } pre u { text-decoration: none; color: #7ee787 }
  </style>
  <figure id="terminal"><figcaption>Terminal</figcaption><pre><u>bridges $</u> viaduct\n${toHtml(output)}</pre></figure>
  <figure id="browser"><figcaption>${address}</figcaption><img src="data:image/png;base64,${page.toString('base64')}"></figure>`);
  mkdirSync(dirname(PICTURE), { recursive: true });
  await drawing.screenshot({ path: PICTURE });
}

/** What a terminal would show of `output`: the few attributes that Viaduct uses. */
function toHtml(output) {
  const tags = { 1: 'b', 2: 'i', 33: 'em' };
  const [first, ...others] = output
    .replaceAll('\r', '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .split('\x1b[');
  let close = '';
  const marked = others.map((part) => {
    const before = close;
    const tag = tags[Number.parseInt(part, 10)];
    close = tag === undefined ? '' : `</${tag}>`;
    return `${before}${tag === undefined ? '' : `<${tag}>`}${part.slice(part.indexOf('m') + 1)}`;
  });
  return [first, ...marked, close].join('');
}
