import { match, ok } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tracebackPage } from '../../../src/handlers/pages/error-page.ts';

describe('the traceback as a page', () => {
  it('has the error as its title, and no markup of it', () => {
    const page = String(tracebackPage('It failed', 'Traceback …\nValueError: <b>no</b>\n').body);
    match(page, /<title>ValueError: &#60;b&#62;no&#60;\/b&#62;<\/title>/);
    match(page, /<pre>Traceback …\nValueError: &#60;b&#62;no/);
  });

  it('has a long error shortened as its title', () => {
    const page = String(tracebackPage('It failed', `Traceback …\nValueError: ${'x'.repeat(100_000)}\n`).body);
    const [, title = ''] = /<title>(.*)<\/title>/.exec(page) ?? [];
    match(title, /^ValueError: x{250,}…$/);
    ok(title.length < 1000, `${title.length}`);
  });

  it('has the first line as its title if that has the error, as in JavaScript', () => {
    const page = String(tracebackPage('It failed', 'TypeError: no\n    at view (site.ts:1:2)\n').body);
    match(page, /<title>TypeError: no<\/title>/);
  });
});
