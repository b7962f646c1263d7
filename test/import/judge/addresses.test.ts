import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Probe } from '../../../src/import/check/outcome.ts';
import { startBackend } from '../../support/backend.ts';
import { NO_OPENSSL } from '../../support/certificates.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { NO_NGINX } from '../../support/nginx.ts';
import { type Answers, askBoth } from './ask-both.ts';
import type { RealResponse } from './ask-nginx.ts';
import { type Place, preparePlace } from './place.ts';

/** Locations by their paths, with BACKEND for an address. */
const LOCATIONS: Readonly<Record<string, string>> = {
  '/plain/': 'proxy_pass http://BACKEND;',
  '/path/': 'proxy_pass http://BACKEND/two/;',
  '/names': 'proxy_pass http://BACKEND/two;',
  '= /exact': 'proxy_pass http://BACKEND/two/x;',
  '/host/': 'proxy_set_header Host $host; proxy_pass http://BACKEND/two/;',
  '/group/': 'proxy_pass http://group/two/;',
  '/off/': 'proxy_redirect off; proxy_pass http://BACKEND;',
  '/default/': 'proxy_pass http://BACKEND/two/; proxy_redirect default; proxy_redirect http://other.internal/ /;',
  '/scheme/': 'proxy_redirect http:// https://; proxy_pass http://BACKEND;',
  '/variables/':
    'proxy_redirect http://$proxy_host/ $scheme://$http_host/v/; proxy_redirect http://$host:8000/ /; proxy_pass http://BACKEND;',
  '/pattern/': 'proxy_redirect ~^(http://[^:/]+):\\d+(?<rest>/.*)$ $1/moved$rest; proxy_pass http://BACKEND;',
  '/loose/': 'proxy_redirect ~*^HTTP://other\\.internal(/.*)$ /l$1; proxy_pass http://BACKEND;',
  '/variable-pass/': 'proxy_pass http://BACKEND$request_uri;',
  '/cookies/':
    'proxy_cookie_path /two/ /; proxy_cookie_path ~^/v\\d(/.*)$ /api$1; proxy_cookie_domain other.internal $host; proxy_cookie_domain ~^\\.?(\\w+)\\.up$ $1.example.org; proxy_pass http://BACKEND;',
  '/attributes/': 'proxy_cookie_path / "/; Secure; SameSite=strict"; proxy_pass http://BACKEND;',
  '/set-flags/':
    'proxy_cookie_path /two/ "/; Secure"; proxy_cookie_flags sid secure httponly samesite=strict; proxy_cookie_flags ~^[ab]$ nosecure nosamesite; proxy_cookie_flags $arg_name httponly; proxy_cookie_flags ~. SameSite=NONE; proxy_pass http://BACKEND;',
  '/no-flags/': 'proxy_cookie_flags off; proxy_pass http://BACKEND;',
  '/no-cookies/': 'proxy_cookie_path off; proxy_cookie_domain off; proxy_pass http://BACKEND;',
};

/** Addresses that a backend names, with BACKEND for its own. */
const URLS = [
  ...['http://BACKEND/two/x?a=/two/', 'http://BACKEND/', 'http://BACKEND/twofold', 'http://BACKEND/two'],
  ...['http://group/two/x', 'http://other.internal/y', 'HTTP://OTHER.internal/y', 'http://example.org:8000/z'],
  ...['/two/x', 'x/y', 'https://elsewhere.example/'],
];
const COOKIES = [
  ...['a=1; Path=/two/x; Domain=other.internal', 'a=1; path=/v1/x; domain=.OTHER.internal; HttpOnly', 'a=1; Path=/'],
  ...['a=1; Domain=shop.up; Path=/twofold', 'path=/two/; Domain=sub.other.internal', 'a=1'],
  ...['SID=1; path=/two/', 'sid=2; secure; samesite=lax; Max-Age=5', 'A=1; Secure; Path=/; SameSite=None; httponly'],
  ...['cd=1; SameSite', 'own=1=2; SameSite = Lax ; Secure'],
];

describe('addresses in the responses of backends', { skip: NO_NGINX || NO_OPENSSL }, () => {
  const suite = suiteLifetime();
  let [answers, targets]: [Answers | null, string[]] = [null, []];
  let port = 0;

  before(async () => {
    const place: Place = await preparePlace(suite);
    [port] = place.ports;
    const backend = await startBackend(suite, (request) => {
      const query = new URL(request.split(' ')[1] ?? '', 'http://any/').searchParams;
      const [url = '', cookie = ''] = [query.get('url') ?? '', query.get('cookie') ?? ''];
      return `HTTP/1.1 302 Found\r\nLocation: ${url}\r\nRefresh: 5; url=${url}\r\nSet-Cookie: ${cookie}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
    });
    const address = `127.0.0.1:${backend.port}`;
    const own = (text: string): string => text.replaceAll('BACKEND', address);
    const locations = Object.entries(LOCATIONS).map(([path, lines]) => `location ${path} { ${own(lines)} }\n`);
    const http = `proxy_cookie_flags ~. secure;\nupstream group { server ${address}; }\nserver { listen 127.0.0.1:${port}; server_name example.org;\n${locations.join('')}}\n`;
    const queries = URLS.map((url, index) =>
      new URLSearchParams({ url: own(url), cookie: COOKIES[index] ?? '', name: 'OWN' }).toString(),
    );
    targets = Object.keys(LOCATIONS).flatMap((path) => {
      const plain = path.replace('= ', '');
      return queries.map((query) => `${plain}${plain.endsWith('/') ? 'x' : ''}?${query}`);
    });
    answers = await askBoth(
      suite,
      http,
      targets.map((target) => probeOf(target, port)),
      place,
    );
    assert.equal(COOKIES.length, URLS.length);
    assert.deepEqual(answers.report, []);
  });

  for (const path of Object.keys(LOCATIONS)) {
    it(`are those that nginx makes of them: location ${path}`, () => {
      const start = path.replace('= ', '');
      const some = targets.flatMap((target, index) => (target.startsWith(start) ? [index] : []));
      assert.ok(some.length >= URLS.length);
      for (const index of some)
        assert.deepEqual(
          addressesIn(answers?.viaduct[index] ?? null, port),
          addressesIn(answers?.nginx[index] ?? null, port),
          decodeURIComponent(targets[index] ?? ''),
        );
    });
  }
});

/** The fields with addresses, as clients read them. */
function addressesIn(response: RealResponse | null, port: number) {
  const field = (name: string): string => response?.fields.find(([one]) => one === name)?.[1] ?? '';
  const location = new URL(field('location'), `http://example.org:${port}/`).href;
  // spaces around = and ; mean nothing (RFC 6265 section 5.2), nor does a dot at the start of a domain (5.2.3)
  const cookie = field('set-cookie')
    .replace(/\s*([;=])\s*/g, '$1')
    .replace(/(domain=)\./i, '$1');
  return { status: response?.status, location, refresh: field('refresh'), cookie };
}

function probeOf(target: string, port: number): Probe {
  const fields = [['Host', `example.org:${port}`]] as const;
  return {
    ...{ address: `127.0.0.1:${port}`, secure: false, client: '127.0.0.1', authorized: true, method: 'GET' },
    ...{ target, fields },
  };
}
