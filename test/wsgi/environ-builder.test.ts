import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Client, Environ } from '../../src/wsgi/contract.ts';
import { EnvironBuilder } from '../../src/wsgi/environ-builder.ts';
import { requestOf } from '../support/handler.ts';

const ERRORS = { write() {}, writelines() {}, flush() {} };
const CLIENT: Client = { gone: false, signal: new AbortController().signal };
const HINTS = () => {};

describe('an environ', () => {
  const environs = new EnvironBuilder({ listeners: [], software: 'test/1', multiprocess: false, errors: ERRORS });
  const request = requestOf({ query: 'a=b' });

  /** Whether the environ counts as unchanged after `change`. */
  const isUnchanged = (change: (environ: Environ) => void): boolean => {
    const section = environs.sectionOf(request);
    const environ = section.environ(request, CLIENT, HINTS);
    change(environ);
    return section.isUnchanged(environ, request, CLIENT, HINTS);
  };

  it('is unchanged when nothing has changed it, also for a repeated section', () => {
    for (let i = 0; i < 3; i += 1)
      assert.equal(
        isUnchanged(() => {}),
        true,
      );
  });

  it('has what a front-end proxy adds over a CGI protocol', () => {
    const variables = ['DOCUMENT_ROOT', '/srv', 'SERVER_NAME', 'shop.example', 'toString', 'a'];
    const cgi = { scriptName: '', protocol: 'HTTP/1.1', variables, user: ['REMOTE_USER', 'jane'] } as const;
    const environ = environs.sectionOf(requestOf({ headerCacheId: 0, peer: { cgi } })).environ(request, CLIENT, HINTS);
    const names = ['DOCUMENT_ROOT', 'SERVER_NAME', 'REMOTE_USER', 'toString'];
    const values = names.map((name) => (environ as unknown as Record<string, string>)[name]);
    assert.deepEqual(values, ['/srv', 'shop.example', 'jane', 'a']);
  });

  for (const [what, change] of [
    ['wsgi.early_hints is another', (environ) => Object.assign(environ, { 'wsgi.early_hints': () => {} })],
    ['wsgi.early_hints is gone', (environ) => delete environ['wsgi.early_hints']],
    ['viaduct.client is another', (environ) => Object.assign(environ, { 'viaduct.client': { ...CLIENT } })],
    ['SERVER_NAME is another', (environ) => Object.assign(environ, { SERVER_NAME: 'other' })],
    ['HTTP_HOST is gone', (environ) => delete environ.HTTP_HOST],
    ['there is one more variable', (environ) => Object.assign(environ, { 'test.more': 1 })],
    ['RAW_URI is another', (environ) => Object.assign(environ, { RAW_URI: '/other' })],
    ['PATH_INFO is another', (environ) => Object.assign(environ, { PATH_INFO: '/other' })],
  ] satisfies [string, (environ: Environ) => unknown][]) {
    it(`is changed when ${what}`, () => {
      assert.equal(isUnchanged(change), false);
    });
  }
});
