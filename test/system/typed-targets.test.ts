import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { before, describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { NO_BROWSER, openBrowser } from '../support/browser.ts';
import { ask } from '../support/http-client.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { missing } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';

/** Answers with what it sees of the target. */
const APP = `
import json
KEYS = 'RAW_URI', 'REQUEST_URI', 'PATH_INFO', 'QUERY_STRING'
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [json.dumps([environ[key] for key in KEYS]).encode()]
`;

type Seen = readonly [raw: string, uri: string, path: string, query: string];

describe('a target with characters that no URI contains', () => {
  const suite = suiteLifetime();
  let direct: Viaduct;
  let proxied: Viaduct;

  before(async () => {
    direct = await startViaduct(suite, ['--workers', '1'], { cwd: makeProject(suite, { 'app.py': APP }) });
    const config = `[[route]]\npath = "/*"\nproxy = "http://127.0.0.1:${direct.port}"\n`;
    proxied = await startViaduct(suite, ['web'], { cwd: makeProject(suite, { 'viaduct.toml': config }) });
  });

  for (const [version, flags] of [
    ['HTTP/1.1', []],
    ['HTTP/2', ['--http2-prior-knowledge']],
  ] as const) {
    it(`arrives as curl sends it over ${version}`, { skip: missing('curl') }, async () => {
      const fetched = async (target: string) => {
        const args = ['-sSg', '--path-as-is', ...flags, `${direct.url}${target}`];
        return JSON.parse((await promisify(execFile)('curl', args)).stdout) as Seen;
      };
      const target = '/a<b>|c^d?q=<x>\\y|';
      assert.deepEqual(await fetched(target), [target, target, '/a<b>|c^d', 'q=%3Cx%3E\\y|']);
      assert.deepEqual(await fetched('/a?'), ['/a?', '/a?', '/a', '']);
      await assert.rejects(fetched('/a\\b'), /JSON/, 'a backslash in a path is refused');
    });
  }

  it('arrives as Chromium sends it, which encodes what it must', { skip: NO_BROWSER }, async (t: TestContext) => {
    const browser = await openBrowser();
    t.after(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`${direct.url}/`);
    const seen = await page.evaluate<Seen>(String.raw`fetch('/a<b>\\c?q=<x>\\y|').then((answer) => answer.json())`);
    assert.deepEqual(seen, ['/a%3Cb%3E/c?q=%3Cx%3E\\y|', '/a%3Cb%3E/c?q=%3Cx%3E\\y|', '/a<b>/c', 'q=%3Cx%3E\\y|']);
  });

  it('is encoded for backends, which get the question mark of an empty query too', async () => {
    const through = async (target: string) => JSON.parse((await ask(proxied.port, target)).body) as Seen;
    assert.deepEqual(await through('/a<b>?<c>'), ['/a%3Cb%3E?%3Cc%3E', '/a%3Cb%3E?%3Cc%3E', '/a<b>', '%3Cc%3E']);
    assert.deepEqual(await through('/a?'), ['/a?', '/a?', '/a', '']);
    assert.deepEqual(await through('http://127.0.0.1/a?b'), ['/a?b', '/a?b', '/a', 'b']);
  });
});
