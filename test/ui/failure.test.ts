import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import type { Log } from '../../src/log/log.ts';
import { NO_BROWSER, openBrowser } from '../support/browser.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { djangoFiles, makeProject } from '../support/project.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, ROOT, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { openPage, PHONE, screenshot, violations, type WatchedPage } from './pages.ts';

const WSGI = `import os
import signal

def price_of(order):
    api_token = 'sk_live_abcdefghijklmnop'
    return order['price']

def total(orders):
    try:
        return sum(price_of(each) for each in orders)
    except KeyError as error:
        raise ValueError('the <b>order</b> has no price') from error

def application(environ, start_response):
    if environ['PATH_INFO'] == '/dies':
        os.kill(os.getpid(), signal.SIGKILL)
    if environ['PATH_INFO'] == '/raises':
        total([{'price': 2}, {'name': 'x'}])
    if environ['PATH_INFO'] == '/frame':
        start_response('200 OK', [('Content-Type', 'text/html')])
        return [b'<!doctype html><iframe src="/raises"></iframe>']
    if environ['PATH_INFO'] == '/long':
        raise ValueError('one\\n  two\\n' + 'x' * 100_000)
    start_response('200 OK', [('Content-Type', 'text/html')])
    return [b'<!doctype html><title>Shop</title><body>The shop</body>']
`;
const FLASK = `from flask import Flask
app = Flask(__name__)

@app.get('/raises')
def view():
    amount = 3
    return str(amount / 0)

@app.errorhandler(404)
def missing(error):
    return '<body>our own page</body>', 500
`;
const TYPESCRIPT = `function priceOf(order: { readonly price?: number }): number {
  if (order.price === undefined) throw new RangeError('no price', { cause: new Error('the database is empty') });
  return order.price;
}

export default function application(): never {
  throw new TypeError(\`cannot add \${priceOf({})}\`);
}
`;
const DJANGO = `from django.urls import path

def view(request):
    amount = 3
    return amount / 0

urlpatterns = [path('raises', view)]
`;

const GROUP = `def price(order):
    return order['price']

def failed(number):
    try:
        try:
            price({'name': number})
        except KeyError as error:
            raise ValueError(f'order {number}') from error
    except ValueError as error:
        return error

def application(environ, start_response):
    inner = ExceptionGroup('inner', [failed(2)])
    raise ExceptionGroup('orders failed', [failed(0), failed(1), inner])
`;
const SETTINGS = `KNOWN = {'name': 'shop'}
api_token = 'sk_live_abcdefghijklmnop'

def read(name):
    return KNOWN[name]

try:
    HOST = read('host')
except KeyError as error:
    raise RuntimeError('there is no host') from error
`;

const SILENT: Log = { info() {}, warn() {}, error() {} };

describe('the page of a failed request in development', { skip: NO_BROWSER || NO_PACKAGES }, () => {
  const suite = suiteLifetime();
  let browser: Browser;
  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser?.close());

  const serve = (files: Readonly<Record<string, string>>, ...args: string[]): Promise<Viaduct> => {
    const python = ['--python', PYTHON_WITH_PACKAGES as string];
    return startViaduct(suite, ['serve', '--dev', '--workers', '1', ...python, ...args], {
      cwd: makeProject(suite, files),
    });
  };

  /** The page at `path`, when its anatomy is there. */
  async function open(
    server: Pick<Viaduct, 'url'>,
    path: string,
    options: BrowserContextOptions = {},
  ): Promise<WatchedPage> {
    const watched = await openPage(browser, server.url + path, options);
    await watched.page.getByRole('heading', { name: 'What stands out' }).waitFor();
    return watched;
  }
  const mainText = async ({ page }: WatchedPage): Promise<string> => page.locator('main').innerText();

  it('has the exception, what led to it, the source and the local variables, and the anatomy below', async () => {
    const server = await serve({ 'app.py': WSGI }, 'app:application');
    const watched = await open(server, '/raises');
    const { page } = watched;
    assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'the <b>order</b> has no price');
    const text = await mainText(watched);
    assert.match(text, /The application raised an exception: ValueError/i);
    assert.match(text, /It was raised because of\s+KeyError: 'price'/);
    const frame = page.locator('.frame', { hasText: 'price_of' }).last();
    assert.match(await frame.innerText(), /return order\['price'\]/);
    assert.match(await frame.innerText(), /order\s+\{'name': 'x'\}/);
    assert.doesNotMatch(await page.content(), /sk_live_abcdefghijklmnop/);
    const place = frame.getByRole('link', { name: /app\.py:6$/ }).first();
    assert.match((await place.getAttribute('href')) ?? '', /^vscode:\/\/file\/.*app\.py:6$/);
    await page.getByRole('tab', { name: /^environ/ }).click();
    assert.match(await page.getByRole('tabpanel').innerText(), /PATH_INFO\s+\/raises/);
    assert.equal(await page.getByRole('tab', { name: 'Exception' }).count(), 0, 'it stands above');
    assert.deepEqual(await violations(page), []);
    await page.getByRole('link', { name: 'Requests', exact: true }).click();
    await page.waitForURL('**/__viaduct/requests');
    await page.context().close();
  });

  it('is a text for clients that name no pages in what they accept', async () => {
    const server = await serve({ 'app.py': WSGI }, 'app:application');
    for (const accept of ['*/*', 'application/json']) {
      const response = await fetch(`${server.url}/raises`, { headers: { accept } });
      assert.equal(response.status, 500);
      assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
      assert.match(await response.text(), /^Traceback [\s\S]*ValueError: the <b>order<\/b> has no price\n$/);
    }
  });

  it('is the traceback within a frame of another page, which could not show the anatomy', async () => {
    const server = await serve({ 'app.py': WSGI }, 'app:application');
    const { page } = await openPage(browser, `${server.url}/frame`);
    const frame = page.frameLocator('iframe');
    assert.match(await frame.getByRole('heading', { level: 2 }).innerText(), /^ValueError: the <b>order/);
    await page.context().close();
  });

  it('shortens a long message, and keeps its lines', async () => {
    const server = await serve({ 'app.py': WSGI }, 'app:application');
    const { page } = await open(server, '/long');
    const message = await page.getByRole('heading', { level: 1 }).innerText();
    assert.match(message, /^one\n {2}two\nx{900,1000}…$/);
    assert.match(await page.title(), /^ValueError: one$/);
    await page.context().close();
  });

  it('can be read in light, dark and on a phone', async () => {
    const server = await serve({ 'app.py': WSGI }, 'app:application');
    for (const [name, options] of [
      ['light', {}],
      ['dark', { colorScheme: 'dark' }],
      ['phone', { viewport: PHONE }],
    ] as const) {
      const { page } = await open(server, '/raises', options);
      await screenshot(page, `failure-${name}`);
      assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, name);
      await page.context().close();
    }
  });

  it('stays a page of text without scripts', async () => {
    const server = await serve({ 'app.py': WSGI }, 'app:application');
    const { page } = await openPage(browser, `${server.url}/raises`, { javaScriptEnabled: false });
    assert.match(
      await page.locator('pre').innerText(),
      /^Traceback[\s\S]*KeyError: 'price'[\s\S]*ValueError: the <b>order/,
    );
    assert.ok(await page.getByRole('link', { name: 'All hops of this request' }).isVisible());
    await page.context().close();
  });

  it('is there for a worker that died, and says what is not known', async () => {
    const server = await serve({ 'app.py': WSGI }, 'app:application');
    const watched = await open(server, '/dies');
    assert.match(
      await watched.page.getByRole('heading', { level: 1 }).innerText(),
      /worker that ran this request died/i,
    );
    assert.match(
      await watched.page.getByRole('region', { name: 'What is not known' }).innerText(),
      /Python is not known: the worker died of SIGKILL before/,
    );
    await screenshot(watched.page, 'failure-died');
    await watched.page.context().close();
  });

  it('takes the place of the page by which Flask hides an exception, and not of one that the project made', async () => {
    const server = await serve({ 'app.py': FLASK });
    const watched = await open(server, '/raises');
    assert.match(await mainText(watched), /ZeroDivisionError[\s\S]*division by zero[\s\S]*return str\(amount \/ 0\)/);
    assert.ok((await watched.page.locator('.frame.library').count()) > 0, 'frames of Flask are one line');
    await watched.page.goto(`${server.url}/missing`);
    assert.match(await watched.page.locator('body').innerText(), /our own page/);
    await watched.page.context().close();
  });

  it('is there for an application in TypeScript, with its cause', async () => {
    const server = await serve({ 'app.ts': TYPESCRIPT }, './app.ts');
    const watched = await open(server, '/');
    const text = await mainText(watched);
    assert.match(text, /RangeError[\s\S]*no price[\s\S]*if \(order\.price === undefined\) throw/);
    assert.match(text, /because of\s+Error: the database is empty/);
    assert.ok((await watched.page.getByRole('link', { name: /app\.ts:2$/ }).count()) > 0);
    await watched.page.context().close();
  });

  it('has the exceptions of a group, the first one open, and what led to them', async () => {
    const server = await serve({ 'app.py': GROUP }, 'app:application');
    const watched = await open(server, '/');
    const group = watched.page.getByRole('region', {
      name: 'Exceptions of the group orders failed (3 sub-exceptions)',
    });
    const members = group.locator(':scope > details');
    assert.equal(await members.count(), 3);
    assert.match(
      await members.first().innerText(),
      /1 of 3 ValueError: order 0[\s\S]*because of[\s\S]*KeyError: 'price'/,
    );
    assert.equal(await members.nth(1).getAttribute('open'), null);
    await members.nth(2).locator('summary').first().click();
    assert.match(await members.nth(2).innerText(), /3 of 3 ExceptionGroup: inner[\s\S]*1 of 1 ValueError: order 2/);
    assert.deepEqual(await violations(watched.page), []);
    await screenshot(watched.page, 'failure-group');
    await watched.page.context().close();
  });

  it('is there for a project that cannot be imported: with source, variables and what led to it', async () => {
    const server = await serve({ 'app.py': 'import settings\n', 'settings.py': SETTINGS }, 'app:application');
    const watched = await open(server, '/');
    const text = await mainText(watched);
    assert.match(text, /app:application cannot be imported: RuntimeError\s+there is no host/i);
    assert.match(text, /because of\s+KeyError: 'host'/);
    assert.match(text, /return KNOWN\[name\]/);
    assert.match(text, /name\s+'host'/);
    assert.doesNotMatch(text, /viaduct_worker|importlib|__builtins__/);
    assert.doesNotMatch(await watched.page.content(), /sk_live_abcdefghijklmnop/);
    assert.deepEqual(await violations(watched.page), []);
    await screenshot(watched.page, 'failure-import');
    await watched.page.context().close();
    const response = await fetch(server.url);
    assert.equal(response.status, 500);
    assert.match(
      await response.text(),
      /^Cannot import "app:application": RuntimeError: there is no host\nTraceback[\s\S]*RuntimeError: there is no host\n$/,
    );
  });

  it('marks the place of a syntax error', async () => {
    const server = await serve({ 'app.py': 'import broken\n', 'broken.py': "near = 'é'\nx = 'é' +* 3\n" }, 'app:app');
    const watched = await open(server, '/');
    const frame = watched.page.locator('.frame', { hasText: 'not compiled' });
    assert.match(await frame.innerText(), /broken\.py:2/);
    assert.equal(await frame.locator('.source-line.at mark').innerText(), '*');
    await watched.page.context().close();
  });

  it('is there for a module in TypeScript that cannot be imported', async () => {
    const server = await serve(
      { 'app.ts': "throw new RangeError('no settings', { cause: new Error('no file') });\n" },
      './app.ts',
    );
    const watched = await open(server, '/');
    const text = await mainText(watched);
    assert.match(text, /cannot be imported: RangeError[\s\S]*no settings[\s\S]*app\.ts:1/i);
    assert.match(text, /because of\s+Error: no file/);
    await watched.page.context().close();

    const broken = await serve({ 'app.ts': 'const near = 1;\nexport const greeting: string = ;\n' }, './app.ts');
    const other = await open(broken, '/');
    const frame = other.page.locator('.frame', { hasText: 'not compiled' });
    assert.match(await frame.innerText(), /app\.ts:2[\s\S]*const near = 1;/);
    assert.equal(await frame.locator('.source-line.at mark').innerText(), ';');
    await other.page.context().close();
  });

  it('names the backends that were tried, and what happened', async () => {
    const config = `[[route]]\npath = "/*"\nproxy = ["http://127.0.0.1:9", "http://127.0.0.1:10"]\n`;
    const server = await startViaduct(suite, ['serve', '--dev'], {
      cwd: makeProject(suite, { 'viaduct.toml': config }),
    });
    const watched = await open(server, '/x');
    assert.equal(await watched.page.getByRole('heading', { level: 1 }).innerText(), 'No backend answered');
    const tried = await watched.page.getByRole('region', { name: 'What went wrong' }).innerText();
    for (const port of [9, 10])
      assert.match(tried, new RegExp(`backend http://127\\.0\\.0\\.1:${port}\\s+connect: the connection was refused`));
    assert.doesNotMatch(await mainText(watched), /What happened within the backend is not known/);
    assert.deepEqual(await violations(watched.page), []);
    await screenshot(watched.page, 'failure-backend');
    await watched.page.context().close();
    assert.equal(await (await fetch(`${server.url}/x`)).text(), 'Bad Gateway\n');
  });

  it('is one click away from the page that Django makes with DEBUG, and takes the place of the one without', async () => {
    const files = (debug: boolean): Record<string, string> => ({
      ...djangoFiles(`DEBUG = ${debug ? 'True' : 'False'}\n`),
      'mysite/urls.py': DJANGO,
    });
    const open500 = await openPage(browser, `${(await serve(files(true))).url}/raises`);
    assert.match(await open500.page.title(), /ZeroDivisionError/);
    await open500.page.locator('viaduct-bar').waitFor({ state: 'attached' });
    const id = /data-id="([\w-]+)"/.exec(await open500.page.content())?.[1] ?? '';
    await open500.page.goto(`${new URL(open500.page.url()).origin}/__viaduct/requests/${id}`);
    await open500.page.getByRole('tab', { name: 'Exception', selected: true }).waitFor();
    assert.match(await open500.page.getByRole('tabpanel').innerText(), /division by zero[\s\S]*return amount \/ 0/);
    await open500.page.context().close();

    const watched = await open(await serve(files(false)), '/raises');
    assert.match(await mainText(watched), /ZeroDivisionError[\s\S]*return amount \/ 0/);
    await watched.page.context().close();
  });

  it('is there for a server that a program starts, and its Python application', async () => {
    // Only the build has the pages.
    const built = pathToFileURL(join(ROOT, 'dist/index.js')).href;
    const { createServer, pythonApp } = (await import(built)) as typeof import('../../src/index.ts');
    const directory = makeProject(suite, { 'app.py': WSGI });
    const python = PYTHON_WITH_PACKAGES as string;
    const application = pythonApp({ project: 'app:application', directory, python, log: SILENT });
    const server = await createServer({ dev: true, application, listen: '127.0.0.1:0', log: SILENT });
    suite.after(() => server.stop());
    const watched = await open({ url: server.url }, '/raises');
    assert.match(await mainText(watched), /ValueError[\s\S]*KeyError: 'price'/);
    await watched.page.goto(server.url);
    await watched.page.locator('viaduct-bar').waitFor({ state: 'attached' });
    await watched.page.context().close();
  });

  it('is for people with a browser only', async () => {
    const server = await serve({ 'app.py': WSGI }, 'app:application');
    const died = await fetch(`${server.url}/dies`);
    assert.match(await died.text(), /^Bad Gateway: the worker that ran this request died\n$/);
    const closed = await serve({ 'app.py': WSGI }, 'app:application', '--dev-pages', 'off');
    const headers = { accept: 'text/html' };
    const text = await (await fetch(`${closed.url}/raises`, { headers })).text();
    assert.doesNotMatch(text, /__viaduct/);
    assert.match(text, /ValueError: the &#60;b&#62;order/);
  });
});
