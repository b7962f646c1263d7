import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { TraceDocument } from '../../src/trace/document.ts';
import { exportHtml } from '../../src/trace/export-html.ts';
import { NO_BROWSER, openBrowser } from '../support/browser.ts';
import { makeProject } from '../support/project.ts';
import { documentOf, hostileDocument } from '../support/trace-document.ts';

/** A page that shows what it finds as text, as the real one does. Its script has what could end its own element. */
const FILES = {
  index: `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Viaduct</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="assets/app.css">
    <script src="assets/app.js" defer></script>
  </head>
  <body>
    <div id="app"></div>
  </body>
</html>
`,
  script: `const tricky = '</script><!--';\r\nconst trace = JSON.parse(document.getElementById('viaduct-trace').textContent);
document.getElementById('app').textContent = JSON.stringify([tricky, trace]);`,
  style: `#app { color: rgb(1, 2, 3) } /* </style> */`,
};

describe('the export as one file', () => {
  it('has nothing outside of the file, and no text of the trace as markup', () => {
    const html = exportHtml(hostileDocument(), FILES);
    assert.doesNotMatch(html, /(?:src|href)="(?!data:)/);
    const [, data = ''] = /<script type="application\/json" id="viaduct-trace">(.*?)<\/script>/s.exec(html) ?? [];
    assert.deepEqual(JSON.parse(data), hostileDocument());
    assert.doesNotMatch(data, /<|\u2028/);
    assert.equal(html.match(/<\/script>/g)?.length, 2);
  });

  it('refuses a page that it does not know', () => {
    assert.throws(() => exportHtml(documentOf(), { ...FILES, index: '<html></html>' }), /Cannot export the page/);
  });

  it('shows the trace in a browser from the file, and runs nothing of it', { skip: NO_BROWSER }, async (t) => {
    const cwd = makeProject(t, {});
    const path = join(cwd, 'trace.html');
    writeFileSync(path, exportHtml(hostileDocument(), FILES));
    const browser = await openBrowser();
    t.after(() => browser.close());
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('dialog', (dialog) => {
      problems.push('an alert');
      void dialog.dismiss();
    });
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(path).href);
    const [tricky, shown] = JSON.parse((await page.textContent('#app')) ?? '') as [string, TraceDocument];
    assert.equal(tricky, '</script><!--');
    assert.deepEqual(shown, hostileDocument());
    const colour = await page.evaluate("getComputedStyle(document.getElementById('app')).color");
    assert.equal(colour, 'rgb(1, 2, 3)');
    const inject = `const added = document.createElement('script'); added.append('document.title = "injected"'); document.body.append(added)`;
    await page.evaluate(inject).catch(() => {});
    assert.notEqual(await page.title(), 'injected');
    assert.deepEqual(
      requests.filter((url) => !url.startsWith('file:') && !url.startsWith('data:')),
      [],
    );
    assert.ok(
      problems.every((problem) => /Content Security Policy|TrustedScript/.test(problem)),
      problems.join('\n'),
    );
  });
});
