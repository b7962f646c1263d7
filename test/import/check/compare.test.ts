import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { differencesOf } from '../../../src/import/check/compare.ts';
import type { DifferenceKind } from '../../../src/import/check/difference.ts';
import type { Outcome, Probe } from '../../../src/import/check/outcome.ts';

const PROBE: Probe = {
  address: '0.0.0.0:80',
  secure: false,
  client: '192.0.2.1',
  authorized: true,
  method: 'GET',
  target: '/a',
  fields: [['Host', 'example.org']],
};

function answer(status: number, location: string | null = null, fields: [string, string][] = []): Outcome {
  return { kind: 'answer', status, location, content: null, type: null, fields };
}

function text(content: string, type: string): Outcome {
  return { kind: 'answer', status: 200, location: null, content, type, fields: [] };
}

function file(path: string, type = 'text/plain', listing = false): Outcome {
  return { kind: 'file', path, type, listing, status: 200, fields: [] };
}

function backend(to: string, sent: [string, string | null][] = [], target = '/a'): Outcome {
  return { kind: 'backend', to: [to], method: 'GET', target, status: null, sent, fields: [] };
}

const APP = 'http://127.0.0.1:8000';

/** What happened before, what happens now, and the kinds of the differences. */
const CASES: readonly (readonly [name: string, before: Outcome, now: Outcome, ...kinds: DifferenceKind[]])[] = [
  ['a refusal that stays', answer(403), answer(403)],
  ['a refusal that becomes content', answer(403), backend(APP), 'more open'],
  ['a closed address that answers', { kind: 'closed' }, answer(200), 'more open'],
  ['a missing file that is there', answer(404), file('/srv/a'), 'more open'],
  ['a redirect to log in that becomes content', answer(302, '/login'), backend(APP), 'more open'],
  [
    'a redirect to https that becomes content',
    answer(301, 'https://example.org/a'),
    backend(APP),
    'another scheme or host',
  ],
  ['a slash that is not added', answer(301, 'http://example.org/a/'), backend(APP), 'another answer'],
  ['content that becomes a refusal', backend(APP), answer(403), 'another answer'],
  ['another file', file('/srv/a'), file('/srv/b'), 'another file'],
  ['a directory that is listed', file('/srv/a'), file('/srv/a', 'text/plain', true), 'more open'],
  ['an upload that becomes HTML', file('/srv/a', 'application/octet-stream'), file('/srv/a', 'text/html'), 'more open'],
  ['a text that becomes HTML', text('a', 'text/plain'), text('a', 'text/html'), 'more open'],
  ['a text of another type', text('a', 'text/plain'), text('a', 'application/json'), 'another answer'],
  ['another text', text('a', 'text/plain'), text('b', 'text/plain'), 'another answer'],
  ['a sent field that is not known', backend(APP, [['X-Id', null]]), backend(APP, [['X-Id', '1']])],
  [
    'another field beside one that is not known',
    backend(APP, [
      ['X-Id', null],
      ['X-A', '1'],
    ]),
    backend(APP, [['X-Id', '1']]),
    'another answer',
  ],
  ['another backend', backend(APP), backend('http://127.0.0.1:9000'), 'another backend'],
  ['clear text instead of TLS', backend('https://app:443'), backend('http://app:443'), 'another backend'],
  ['a default port', backend('http://app'), backend('http://app:80')],
  ['another path at the backend', backend(APP, [], '/a'), backend(APP, [], '/b'), 'another backend'],
  [
    'another scheme for the backend',
    backend(APP, [['X-Forwarded-Proto', 'https']]),
    backend(APP, [['X-Forwarded-Proto', 'http']]),
    'another scheme or host',
  ],
  [
    'another host of a redirect',
    answer(301, 'https://a.example/'),
    answer(301, 'https://b.example/'),
    'another scheme or host',
  ],
  [
    'another status of a redirect',
    answer(301, 'https://a.example/'),
    answer(302, 'https://a.example/'),
    'another answer',
  ],
  ['a path instead of a URL of the same host', answer(301, 'http://example.org/b'), answer(301, '/b')],
  ['a field that is missing', answer(200, null, [['X-A', '1']]), answer(200), 'another answer'],
  [
    'a lifetime that an error gets',
    answer(404),
    answer(404, null, [['Cache-Control', 'max-age=60']]),
    'another answer',
  ],
  ['another origin that may read', answer(200), answer(200, null, [['Access-Control-Allow-Origin', '*']]), 'more open'],
  ['an origin without a value', answer(200), answer(200, null, [['Access-Control-Allow-Origin', '']])],
  ['an outcome that is not known', { kind: 'unknown', reason: 'lua' }, backend(APP)],
];

describe('the comparison of two outcomes', () => {
  for (const [name, before, now, ...kinds] of CASES) {
    it(`finds ${kinds.length === 0 ? 'nothing' : kinds.join(', ')} for ${name}`, () => {
      assert.deepEqual(
        differencesOf(before, now, PROBE).map(({ kind }) => kind),
        kinds,
      );
    });
  }

  it('finds a field of the client that a backend must not get', () => {
    const probe: Probe = { ...PROBE, fields: [...PROBE.fields, ['X-Remote-User', 'root']] };
    const [found] = differencesOf(backend(APP), backend(APP, [['X-Remote-User', 'root']]), probe);
    assert.equal(found?.kind, 'more open');
  });

  it('lets Viaduct state a scheme that clients could claim, where the other server ended TLS', () => {
    const fields: Probe['fields'] = [...PROBE.fields, ['X-Forwarded-Proto', 'claimed']];
    const before = backend(APP, [['x-forwarded-proto', 'claimed']]);
    const now = backend(APP, [['x-forwarded-proto', 'https']]);
    const kindsOf = (secure: boolean) =>
      differencesOf(before, now, { ...PROBE, secure, fields }).map(({ kind }) => kind);
    assert.deepEqual(kindsOf(true), []);
    assert.deepEqual(kindsOf(false), ['another scheme or host']);
  });

  it('knows such a scheme as a CGI variable, unless the other server has a value of its own', () => {
    const fields: Probe['fields'] = [...PROBE.fields, ['X-Forwarded-Proto', 'claimed']];
    const now = backend(APP, [['HTTP_X_FORWARDED_PROTO', 'https']]);
    const kindsOf = (value: string, secure: boolean) =>
      differencesOf(backend(APP, [['HTTP_X_FORWARDED_PROTO', value]]), now, { ...PROBE, secure, fields }).map(
        ({ kind }) => kind,
      );
    assert.deepEqual(kindsOf('claimed', true), []);
    assert.deepEqual(kindsOf('claimed', false), ['another scheme or host']);
    assert.deepEqual(kindsOf('http', true), ['another scheme or host']);
  });
});
