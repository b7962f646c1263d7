import { doesNotMatch, match } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tracebackPage } from '../../../src/handlers/pages/error-page.ts';

describe('the page of an error in development', () => {
  const pageOf = (anatomy?: string): string => String(tracebackPage('It failed', 'ValueError: no', anatomy).body);

  it('leads to the anatomy of the request', () => {
    match(pageOf('/__viaduct/requests/a-1'), /<a href="\/__viaduct\/requests\/a-1">Source, local variables/);
  });

  it('has no link without an anatomy', () => {
    doesNotMatch(pageOf(), /<a /);
  });

  it('writes an address as text', () => {
    match(pageOf('/x"><script>'), /href="\/x&#34;&#62;&#60;script&#62;"/);
  });
});
