import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as z from 'zod';
import { reasonPhrase } from '../../src/http/semantics/status.ts';
import type { TraceDocument } from '../../src/trace/document.ts';
import { harOf as archiveOf, type Har } from '../../src/trace/har.ts';
import { documentOf, hostileDocument, spanOf } from '../support/trace-document.ts';

const harOf = (document: TraceDocument, version: string): Har => archiveOf(document, version, reasonPhrase);

const pair = z.strictObject({ name: z.string(), value: z.string() });
const cookie = z.strictObject({
  name: z.string(),
  value: z.string(),
  path: z.string().optional(),
  domain: z.string().optional(),
  expires: z.iso.datetime().optional(),
  httpOnly: z.boolean().optional(),
  secure: z.boolean().optional(),
});
/** -1, or a duration. */
const optionalMs = z.number().min(-1);
const ms = z.number().min(0);

/** HTTP Archive 1.2, http://www.softwareishard.com/blog/har-12-spec/: required and optional fields, and no others but those with an underscore. */
const HAR = z.strictObject({
  log: z.strictObject({
    version: z.literal('1.2'),
    creator: z.strictObject({ name: z.string(), version: z.string() }),
    pages: z.array(z.never()),
    entries: z.array(
      z.strictObject({
        startedDateTime: z.iso.datetime({ offset: true }),
        time: ms,
        request: z.strictObject({
          method: z.string(),
          url: z.string(),
          httpVersion: z.string(),
          cookies: z.array(cookie),
          headers: z.array(pair),
          queryString: z.array(pair),
          headersSize: z.int().min(-1),
          bodySize: z.int().min(-1),
        }),
        response: z.strictObject({
          status: z.int(),
          statusText: z.string(),
          httpVersion: z.string(),
          cookies: z.array(cookie),
          headers: z.array(pair),
          content: z.strictObject({ size: z.int().min(0), mimeType: z.string() }),
          redirectURL: z.string(),
          headersSize: z.int().min(-1),
          bodySize: z.int().min(-1),
        }),
        cache: z.strictObject({}),
        timings: z.strictObject({
          blocked: optionalMs,
          dns: optionalMs,
          connect: optionalMs,
          ssl: optionalMs,
          send: ms,
          wait: ms,
          receive: ms,
        }),
        connection: z.string(),
        _viaduct: z.object({ id: z.string() }),
      }),
    ),
  }),
});

describe('the export as HAR', () => {
  it('has request, response, cookies and query of a trace', () => {
    const har = harOf(documentOf(), '1.0.0');
    HAR.parse(har);
    const [entry] = har.log.entries;
    assert.equal(entry?.request.url, 'http://127.0.0.1:8000/shop/?page=2');
    assert.deepEqual(entry?.request.queryString, [{ name: 'page', value: '2' }]);
    assert.deepEqual(entry?.request.cookies, [
      { name: 'theme', value: 'dark' },
      { name: 'sessionid', value: '[redacted]' },
    ]);
    const expires = '2026-01-01T00:00:00.000Z';
    assert.deepEqual(entry?.response.cookies, [
      { name: 'seen', value: '1', path: '/', expires, httpOnly: true, secure: false },
    ]);
    assert.deepEqual(entry?.response.content, { size: 5120, mimeType: 'text/html; charset=utf-8' });
    assert.equal(entry?._viaduct.id, 'a1b2c3-1');
  });

  it('has the phrase with which the application started the response, or else the usual one', () => {
    const phraseOf = (change: Partial<TraceDocument>): unknown =>
      harOf(documentOf(change), '1').log.entries[0]?.response.statusText;
    const started = (...statuses: string[]): Pick<TraceDocument, 'startResponse'> => ({
      startResponse: statuses.map((status) => ({ caller: '', status, headers: [], hasExcInfo: false })),
    });
    const response = { status: 404, headers: [], bodyBytes: 0, reason: '' };
    assert.equal(phraseOf({ response, ...started() }), 'Not Found');
    assert.equal(phraseOf({ response, ...started('404 None', '404 No Such Book', '200 OK') }), 'No Such Book');
    assert.equal(phraseOf({ response, ...started('200 OK') }), 'Not Found', 'a handler answered instead');
    assert.equal(phraseOf({ response: { ...response, status: 299 }, ...started() }), '');
    assert.equal(phraseOf({ response: null }), '', 'there was no response');
  });

  it('divides the time between arrival, wait and response', () => {
    const [entry] = harOf(documentOf(), '1.0.0').log.entries;
    assert.deepEqual(entry?.timings, {
      blocked: -1,
      dns: -1,
      connect: 0.9,
      ssl: -1,
      send: 0.3,
      wait: 40.7,
      receive: 1,
    });
    assert.ok(Math.abs((entry?.time ?? 0) - 42.9) < 1e-9);
  });

  it('is valid for what is incomplete, absurd or hostile', () => {
    HAR.parse(harOf(documentOf({ response: null, durationUs: null, spans: [], route: null }), '1'));
    HAR.parse(harOf(hostileDocument(), '1'));
    const backwards = [
      spanOf({ kind: 'content', startUs: 0, endUs: 90_000 }),
      spanOf({ kind: 'response', startUs: 10, endUs: 5 }),
    ];
    HAR.parse(harOf(documentOf({ spans: backwards }), '1'));
    const cookies: [string, string][] = [
      ['Set-Cookie', 'a; Expires=never; Domain='],
      ['set-cookie', '=;;'],
    ];
    HAR.parse(harOf(documentOf({ response: { status: 301, headers: cookies, bodyBytes: 0, reason: '' } }), '1'));
  });
});
