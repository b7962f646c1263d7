import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Hop } from '../../../src/trace/document.ts';
import { findingsOf } from '../../../ui/model/findings.ts';
import { documentOf } from '../../support/trace-document.ts';

describe('findingsOf', () => {
  it('names the hop that removed a field, but not what belongs to the trace', () => {
    const hop = (name: string, headers: Hop['headers']): Hop => ({
      span: -1,
      direction: 'request',
      name,
      status: '',
      headers,
    });
    const hops = [
      hop('the client', [
        ['X-Own', 'a'],
        ['Viaduct-Trace', 'b'],
        ['traceparent', 'c'],
      ]),
      hop('application', []),
    ];
    const titles = findingsOf(documentOf({ hops, durationUs: 0 })).map(({ title }) => title);
    assert.ok(titles.includes('application removed X-Own'), String(titles));
    assert.ok(!titles.some((title) => /trace/i.test(title)), String(titles));
  });

  it('says that the application answered with a status of failure, also without an exception', () => {
    const response = { status: 500, headers: [], bodyBytes: 0, reason: '' };
    const titles = (status: number) =>
      findingsOf(documentOf({ hops: [], exception: null, response: { ...response, status } })).map(
        ({ title }) => title,
      );
    assert.equal(titles(500)[0], 'Status 500');
    assert.ok(!titles(404).includes('Status 404'));
  });

  it('names no hop that only development has', () => {
    const hop = (name: string, type: string): Hop => ({
      span: -1,
      direction: 'response',
      name,
      status: '502',
      headers: [['Content-Type', type]],
    });
    const changed = (name: string) =>
      findingsOf(documentOf({ hops: [hop('application', 'text/plain'), hop(name, 'text/html')], durationUs: 0 })).map(
        ({ title }) => title,
      );
    assert.ok(changed('handler headers').includes('handler headers changed Content-Type'));
    assert.ok(!changed('the page of the failure').some((title) => /Content-Type/.test(title)));
  });

  it('says the kind of a span once', () => {
    const span = {
      parent: -1,
      kind: 'rules',
      name: 'rules',
      startUs: 0,
      endUs: 90,
      attributes: {},
      file: '',
      line: 0,
    } as const;
    const titles = findingsOf(documentOf({ hops: [], spans: [span], durationUs: 100 })).map(({ title }) => title);
    assert.ok(titles.includes('Slowest: rules'), String(titles));
  });
});
