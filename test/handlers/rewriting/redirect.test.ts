import { equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CanonicalHostOptions, canonicalHost } from '../../../src/handlers/rewriting/canonical-host.ts';
import { httpsRedirect } from '../../../src/handlers/rewriting/https-redirect.ts';
import { type RedirectOptions, redirect } from '../../../src/handlers/rewriting/redirect.ts';
import type { Response } from '../../../src/http/response.ts';
import { responseField } from '../../../src/http/response-fields.ts';
import { placeholders } from '../../../src/placeholders/maps.ts';
import { routeGroups } from '../../../src/placeholders/route-groups.ts';
import { Pattern } from '../../../src/routing/pattern.ts';
import { pass, requestOf } from '../../support/handler.ts';

const location = (response: Response) => responseField(response, 'location');
type Changes = Parameters<typeof requestOf>[0];

const REDIRECTS: readonly (readonly [options: RedirectOptions, request: Changes, location: string | null])[] = [
  [{ to: '/new' }, { path: '/old', query: 'a=b' }, '/new'],
  [{ to: '/new?{query}' }, { query: 'a=b&c' }, '/new?a=b&c'],
  [{ to: '/new?{query}' }, {}, '/new'],
  [{ to: '/new?x=1&{query}' }, {}, '/new?x=1'],
  [{ to: 'https://new.example{uri}' }, { path: '/a%20b', query: 'c=d' }, 'https://new.example/a%20b?c=d'],
  [{ to: 'https://new.example{path}' }, { path: '//evil.example' }, 'https://new.example//evil.example'],
  [
    { to: '{scheme}://{hostname}:8443{uri}' },
    { host: 'A.example:80', peer: { secure: true } },
    'https://a.example:8443/',
  ],
  [{ to: 'https://{host}/x' }, { host: 'a.example:81' }, 'https://a.example:81/x'],
  [{ to: '/b/{1}', pattern: '^/a/(.*)$' }, { path: '/a/x%2Fy/z' }, '/b/x%2Fy/z'],
  [{ to: '/b/{1}', pattern: '^/a/(.*)$' }, { path: '/c/' }, null],
  [{ to: '/b/{1}', pattern: '^/a/(.*)$' }, { path: '/%61/x' }, null],
  [{ to: '/b/{1}?n={1}', pattern: '^/a/(.*)$', decoded: true }, { path: '//%61/x%26%3Fy' }, '/b/x&%3Fy?n=x%26%3Fy'],
  [{ to: '/{2}/{1}', pattern: '^/(\\w+)(?:-(\\w+))?$' }, { path: '/a' }, '/a'],
  [
    { to: '/item?id={1}', pattern: '^/item/(.*)$' },
    { path: '/item/1&admin=1;x+y%20%26' },
    '/item?id=1%26admin%3D1%3Bx%2By%20%26',
  ],
  [
    { to: 'https://login.example/?next={uri}' },
    { path: '/a%20b', query: 'c=d&e' },
    'https://login.example/?next=%2Fa%2520b%3Fc%3Dd%26e',
  ],
  [{ to: '/über' }, {}, '/%C3%BCber'],
  [{ to: '/a#{1}', pattern: '/(.)' }, { path: '/x' }, '/a#x'],
  // The host cannot change.
  [{ to: '{path}' }, { path: '//evil.example/x' }, '/evil.example/x'],
  [{ to: '{uri}' }, { path: '///evil.example', query: 'a' }, '/evil.example?a'],
  [{ to: '{path}/' }, { path: '/\\evil.example' }, '/%5Cevil.example/'],
  [{ to: '/{1}', pattern: '^/old/(.*)$' }, { path: '/old//evil.example' }, '/evil.example'],
  [{ to: '/{1}', pattern: '^/old/(.*)$' }, { path: '/old/\\evil.example' }, '/%5Cevil.example'],
  [{ to: '/{1}', pattern: '^/old/(.*)$' }, { path: '/old/https://evil.example' }, '/https://evil.example'],
  [
    { to: 'https://good.example/{1}', pattern: '^/(.*)$' },
    { path: '/@evil.example' },
    'https://good.example/@evil.example',
  ],
  // A value cannot end the line.
  [{ to: '{path}' }, { path: '/a%0d%0aSet-Cookie:%20x' }, '/a%0d%0aSet-Cookie:%20x'],
  [{ to: '/{1}', pattern: '^/(.*)$' }, { path: '*', method: 'OPTIONS' }, null],
];

describe('a redirect', () => {
  for (const [options, request, expected] of REDIRECTS) {
    it(`${JSON.stringify(options)} redirects ${JSON.stringify(request)} to ${expected}`, async () => {
      const { response, passed } = await pass(redirect(options), requestOf(request));
      equal(location(response), expected);
      equal(response.status, expected === null ? 200 : 302);
      equal(passed === null, expected !== null);
    });
  }

  const hostile: readonly (readonly [to: string, request: Changes, location: string | null])[] = [
    ['/{query.q}', { query: 'q=/evil.example' }, '/evil.example'],
    ['/{query.q}', { query: 'q=%5Cevil.example' }, '/%5Cevil.example'],
    ['/{query.q}', { query: 'q=%00%09Set-Cookie:+a%3F%23' }, '/%00%09Set-Cookie:%20a%3F%23'],
    ['/{query.q}', { query: 'q=%0D%0ASet-Cookie:' }, null],
    ['/a/{query.q}/b', { query: 'q=..' }, null],
    ['/a/{query.q}', { query: 'q=..%2Fadmin' }, null],
    ['/a/.{query.q}', { query: 'q=.' }, null],
    ['/a/{query.q}', { query: 'q=%252e%252e' }, '/a/%252e%252e'],
    ['/a?q={query.q}&x=1', { query: 'q=%26x=2%00%C3%BC' }, '/a?q=%26x%3D2%00%C3%BC&x=1'],
    [
      'https://a.example/{cookie.c}?{header.X}',
      { headers: ['Cookie', 'c=@b.example', 'X', 'a&b c'] },
      'https://a.example/@b.example?a%26b%20c',
    ],
    ['{map.target}', { query: 'q=%2F%2Fevil.example' }, '/in///evil.example'],
    ['{map.target}', { path: '/out', query: 'q=x%00%C3' }, 'https://b.example/x%00%C3?from=%2Fout%3Fq%3Dx%2500%25C3'],
    ['/p{map.text}', { query: 'q=a%20%3F%00..' }, '/p/a%20%3F%00..'],
    ['https://{map.shop}.b.example/', { query: 'q=anna.shops' }, 'https://anna.shops.b.example/'],
    ...['evil.example/', 'x@evil.example', 'evil.example%23', 'evil.example%5C', '.evil', 'a%20b', ''].map(
      (q) => ['https://{map.shop}.b.example/', { query: `q=${q}` }, null] as const,
    ),
    ['/p{map.text}', { query: 'q=%2e%2e/' }, null],
    ['/p{map.text}', { query: 'q=%252e%252e/' }, null],
  ];
  for (const [to, changes, expected] of hostile) {
    it(`to ${to} stays where it belongs for ${JSON.stringify(changes)}`, async () => {
      const known = placeholders({
        target: {
          source: '{path}',
          values: { '/out': 'https://b.example/{query.q}?from={uri}', '/none': '' },
          default: '/in/{query.q}',
        },
        text: { source: '{path}', default: '/{query.q}' },
        shop: { source: '{path}', default: '{query.q}' },
      });
      const { response } = await pass(redirect({ to }, known), requestOf(changes));
      equal(response.status, expected === null ? 400 : 302);
      equal(location(response), expected);
      equal((await pass(redirect({ to: '{map.target}' }, known), requestOf({ path: '/none' }))).passed?.path, '/none');
    });
  }

  it('has the groups of its pattern by their names', async () => {
    const handler = redirect({ to: '/{lang}/{1}', pattern: '^/(?<lang>de|fr)/(.*)$' });
    equal(location((await pass(handler, requestOf({ path: '/de/a%2Fb' }))).response), '/de/de');
  });

  it('has the named groups of its route', async () => {
    const groups = routeGroups([
      new Pattern('^/b/(?<page>.*)$', 'p'),
      new Pattern('^/(?<lang>de|fr)/(?<page>.*)$', 'p'),
    ]);
    const handler = redirect({ to: '/x/{page}?l={lang}' }, placeholders({}).with(groups));
    equal(location((await pass(handler, requestOf({ path: '/fr/%C3%BC&/b%3F' }))).response), '/x/%C3%BC&/b%3F?l=fr');
    equal(location((await pass(handler, requestOf({ path: '/b/c' }))).response), '/x/c?l=');
  });

  it('has the configured status', async () => {
    for (const status of [301, 302, 303, 307, 308] as const) {
      equal((await pass(redirect({ to: '/', status }), requestOf())).response.status, status);
    }
  });

  it('is 400 when a host is needed and the request has none', async () => {
    const { response } = await pass(redirect({ to: 'https://{host}/' }), requestOf({ host: '' }));
    equal(response.status, 400);
    equal(location(response), null);
  });

  const invalid: readonly (readonly [options: RedirectOptions, RegExp])[] = [
    [{ to: '' }, /neither a path nor a URL/],
    [{ to: 'new' }, /neither/],
    [{ to: '//evil.example' }, /neither/],
    [{ to: '/\\evil.example' }, /neither/],
    [{ to: 'javascript:alert(1)' }, /neither/],
    [{ to: '{host}/x' }, /neither/],
    [{ to: '/a b' }, /space/],
    [{ to: '/a\r\nSet-Cookie: x' }, /control/],
    [{ to: '/{1}' }, /\{1\}/],
    [{ to: '/{2}', pattern: '(.)' }, /\{2\}/],
    [{ to: '/{0}', pattern: '(.)' }, /\{0\}/],
    [{ to: '/{pth}' }, /\{pth\}/],
    [{ to: 'https://{1}/', pattern: '/(.*)' }, /host name/],
    [{ to: 'https://good.example{1}', pattern: '/(.*)' }, /host name/],
    [{ to: 'https://good.example{query}' }, /host name/],
    [{ to: 'https://{1}.good.example/', pattern: '/(.*)' }, /host name/],
    [{ to: '/a{query}' }, /is in the path/],
    [{ to: 'https://{header.X}/' }, /host name/],
    [{ to: 'https://a.{query.x}/' }, /host name/],
    [{ to: '{header.X}' }, /neither/],
    [{ to: '/', pattern: '(' }, /redirect pattern/],
    [{ to: '/', status: 304 as 302 }, /304/],
    [{ to: '/', status: 200 as 302 }, /200/],
  ];
  for (const [options, message] of invalid) {
    it(`is refused at start with ${JSON.stringify(options)}`, () => {
      throws(() => redirect(options), message);
    });
  }
});

describe('the redirect to https', () => {
  const cases: readonly (readonly [request: Changes, status: number, location: string | null, port?: number])[] = [
    [{ host: 'a.example', path: '/x', query: 'y=z' }, 301, 'https://a.example/x?y=z'],
    [{ host: 'A.example:80' }, 301, 'https://a.example/'],
    [{ host: 'a.example:8080' }, 301, 'https://a.example:8443/', 8443],
    [{ host: '[::1]:80' }, 301, 'https://[::1]/'],
    [{ host: '[::1]' }, 301, 'https://[::1]:8443/', 8443],
    [{ method: 'HEAD' }, 301, 'https://test.example/'],
    [{ method: 'POST' }, 308, 'https://test.example/'],
    [{ method: 'OPTIONS', path: '*' }, 308, 'https://test.example/'],
    [{ path: '//evil.example/\\x' }, 301, 'https://test.example//evil.example/%5Cx'],
    [{ host: '' }, 400, null],
    [{ peer: { secure: true } }, 200, null],
  ];
  for (const [request, status, expected, port] of cases) {
    it(`answers ${JSON.stringify(request)} with ${status} to ${expected}`, async () => {
      const { response } = await pass(httpsRedirect(port === undefined ? {} : { port }), requestOf(request));
      equal(response.status, status);
      equal(location(response), expected);
    });
  }
});

describe('the redirect to the canonical host', () => {
  const WWW: CanonicalHostOptions = { host: 'example.com', from: ['www.example.com'] };
  const cases: readonly (readonly [options: CanonicalHostOptions, request: Changes, location: string | null])[] = [
    [WWW, { host: 'www.example.com', path: '/a', query: 'b' }, 'http://example.com/a?b'],
    [WWW, { host: 'WWW.Example.com:8000', peer: { secure: true } }, 'https://example.com:8000/'],
    [WWW, { host: 'www.example.com:' }, 'http://example.com/'],
    [WWW, { host: 'www.example.com.' }, 'http://example.com/'],
    [WWW, { host: 'example.com' }, null],
    [WWW, { host: 'other.example' }, null],
    [{ host: 'Example.com' }, { host: 'other.example' }, 'http://example.com/'],
    [{ host: 'example.com' }, { host: 'EXAMPLE.com:8000' }, null],
    [{ host: 'example.com' }, { host: 'example.com.' }, 'http://example.com/'],
    [{ host: 'example.com' }, { host: '' }, null],
  ];
  for (const [options, request, expected] of cases) {
    it(`${JSON.stringify(options)} redirects ${JSON.stringify(request)} to ${expected}`, async () => {
      const { response } = await pass(canonicalHost(options), requestOf(request));
      equal(location(response), expected);
      equal(response.status, expected === null ? 200 : 301);
    });
  }

  it('makes clients repeat a POST unchanged', async () => {
    const { response } = await pass(canonicalHost(WWW), requestOf({ method: 'POST', host: 'www.example.com' }));
    equal(response.status, 308);
  });

  it('is refused at start for an invalid name, and for a loop', () => {
    for (const host of ['', 'https://example.com', 'example.com:80', 'example.com/x', 'a b']) {
      throws(() => canonicalHost({ host }), /not a host name/, host);
    }
    throws(() => canonicalHost({ host: 'example.com', from: ['EXAMPLE.com'] }), /itself/);
  });
});
