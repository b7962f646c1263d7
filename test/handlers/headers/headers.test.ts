import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViaductError } from '../../../src/errors.ts';
import { type HeadersOptions, headers } from '../../../src/handlers/headers/headers.ts';
import type { HeaderList } from '../../../src/http/message.ts';
import { PreparedResponse } from '../../../src/http/prepared-response.ts';
import { HAS_SERVER, Response } from '../../../src/http/response.ts';
import { responseField, responseFields } from '../../../src/http/response-fields.ts';
import { UpgradeResponse } from '../../../src/http/upgrade-response.ts';
import { placeholders } from '../../../src/placeholders/maps.ts';
import { pass, requestOf, valuesOf } from '../../support/handler.ts';

const APPLICATION: HeaderList = [
  'Content-Type',
  'text/html',
  'X-Powered-By',
  'a',
  'x-powered-by',
  'b',
  'Content-Length',
  '2',
];
const application = () => Response.fromHeaders(404, APPLICATION, Buffer.from('hi'), 'Gone Fishing');
const REQUEST = requestOf({
  method: 'POST',
  path: '/a%20b',
  query: 'c=d',
  host: 'Test.example:8000',
  peer: { secure: true },
});

const RESPONSES: readonly (readonly [does: string, options: HeadersOptions['response'], fields: HeaderList])[] = [
  ['adds', { add: ['X-One', '1', 'X-One', '2'] }, [...APPLICATION, 'X-One', '1', 'X-One', '2']],
  ['adds beside', { add: ['X-Powered-By', 'c'] }, [...APPLICATION, 'X-Powered-By', 'c']],
  ['sets new', { set: ['X-One', '1'] }, [...APPLICATION, 'X-One', '1']],
  [
    'sets in place of all',
    { set: ['X-POWERED-BY', 'c'] },
    ['Content-Type', 'text/html', 'Content-Length', '2', 'X-POWERED-BY', 'c'],
  ],
  ['removes', { remove: ['x-Powered-By', 'X-None'] }, ['Content-Type', 'text/html', 'Content-Length', '2']],
  [
    'does not take a part of a name for the name',
    { set: ['X-Powered', '1', 'Powered-By', '2'] },
    [...APPLICATION, 'X-Powered', '1', 'Powered-By', '2'],
  ],
  ['does not take a value for a name', { remove: ['html', 'a'] }, APPLICATION],
  [
    'adds missing',
    { defaults: ['content-type', 'x', 'Cache-Control', 'no-store'] },
    [...APPLICATION, 'Cache-Control', 'no-store'],
  ],
  [
    'fills in',
    { set: ['X-Was', '{method} {scheme}://{host}{path}?{query} {uri} {hostname} {client.address}'] },
    [...APPLICATION, 'X-Was', 'POST https://Test.example:8000/a%20b?c=d /a%20b?c=d test.example 192.0.2.1'],
  ],
  [
    'leaves other braces',
    { set: ['Report-To', '{"group":"{scheme}","max_age":1} {} {A} {'] },
    [...APPLICATION, 'Report-To', '{"group":"https","max_age":1} {} {A} {'],
  ],
  [
    'fills defaults and additions in',
    {
      defaults: ['X-A', '{method}', 'Content-Type', '{path}'],
      add: ['X-Powered-By', '{scheme}'],
      remove: ['X-None'],
    },
    [
      'Content-Type',
      'text/html',
      'X-Powered-By',
      'a',
      'x-powered-by',
      'b',
      'Content-Length',
      '2',
      'X-A',
      'POST',
      'X-Powered-By',
      'https',
    ],
  ],
];

describe('the headers handler', () => {
  for (const [does, options, fields] of RESPONSES) {
    it(`${does} fields of a response and keeps the others`, async () => {
      const { response } = await pass(headers({ response: options ?? {} }), REQUEST, application());
      deepEqual(responseFields(response), fields);
      equal(response.status, 404);
      equal(response.reason, 'Gone Fishing');
      equal(`${response.body}`, 'hi');
      equal(response.contentLength, fields.includes('Content-Length') ? 2 : -1);
    });
  }

  it('changes a response that comes later too', async () => {
    const handler = headers({ response: { add: ['X-One', '1'] } });
    const result = handler(REQUEST, () => Promise.resolve(application()));
    ok(!(result instanceof Response));
    const response = await new Promise<Response>((resolve, reject) => result.then(resolve, reject));
    deepEqual(responseFields(response), [...APPLICATION, 'X-One', '1']);
  });

  it('keeps the connection from adding Server when it is removed', async () => {
    const handler = headers({ response: { remove: ['Server'] } });
    const { response } = await pass(handler, REQUEST, application());
    equal(response.has & HAS_SERVER, HAS_SERVER);
    const own = Response.fromHeaders(200, ['Server', 'app'], null);
    const changed = (await pass(handler, REQUEST, own)).response;
    equal(changed.lines, '');
    equal(changed.has & HAS_SERVER, HAS_SERVER);
    equal((await pass(headers({ response: { set: ['Server', 'x'] } }), REQUEST)).response.has & HAS_SERVER, HAS_SERVER);
  });

  it('changes a prepared response once, and the result is prepared too', async () => {
    const standing = new PreparedResponse(200, ['Content-Type', 'text/css', 'Content-Length', '2'], Buffer.from('hi'));
    const handler = headers({ response: { set: ['content-type', 'text/plain'], add: ['X-A', '1'] } });
    const { response } = await pass(handler, REQUEST, standing);
    ok(response instanceof PreparedResponse);
    match(
      `${response.message()}`,
      /^HTTP\/1\.1 200 OK\r\nContent-Length: 2\r\ncontent-type: text\/plain\r\nX-A: 1\r\n[\s\S]*\r\n\r\nhi$/,
    );
    equal((await pass(handler, REQUEST, standing)).response, response);
    match(`${standing.message()}`, /text\/css/);
    const hidden = (await pass(headers({ response: { remove: ['Server'] } }), REQUEST, standing)).response;
    equal(hidden.has & HAS_SERVER, HAS_SERVER);
    equal(hidden instanceof PreparedResponse, false);
  });

  it('does not change a switch of protocols', async () => {
    const upgrade = new UpgradeResponse('websocket', [], () => {});
    for (const value of ['1', '{host}']) {
      equal(
        (await pass(headers({ response: { set: ['Upgrade-Insecure', value] } }), REQUEST, upgrade)).response,
        upgrade,
      );
    }
  });

  it('changes a request for the next handlers', async () => {
    const request = requestOf({
      headers: ['Host', 'a', 'X-Real-IP', 'forged', 'X_Real_Ip', 'forged', 'Cookie', 'c', 'Accept', '*/*'],
    });
    const handler = headers({
      request: { set: ['X-Real-IP', '{client.address}'], add: ['Accept', 'text/html'], remove: ['cookie'] },
    });
    const { passed } = await pass(handler, request);
    deepEqual(passed?.headers, ['Host', 'a', 'Accept', '*/*', 'X-Real-IP', '192.0.2.1', 'Accept', 'text/html']);
    equal(passed?.headerCacheId, 0);
    equal(passed?.host, 'test.example');
  });

  it('treats a name with an underscore like the name with a hyphen in requests', async () => {
    const request = requestOf({ headers: ['X-Real-IP', 'forged', 'x_user', 'forged', 'X_Other', 'a'] });
    const { passed } = await pass(headers({ request: { set: ['X_User', 'a'], remove: ['X_Real_IP'] } }), request);
    deepEqual(passed?.headers, ['X_Other', 'a', 'X_User', 'a']);
  });

  it('sets the host of a request', async () => {
    const { passed } = await pass(headers({ request: { set: ['host', 'inner.example:81'] } }), requestOf());
    equal(passed?.host, 'inner.example:81');
    deepEqual(passed?.headers, ['host', 'inner.example:81']);
  });

  it('passes on request and response unchanged without rules', async () => {
    const response = application();
    const result = await pass(headers({ response: { set: [] }, request: {} }), REQUEST, response);
    equal(result.response, response);
    equal(result.passed, REQUEST);
  });

  it('has placeholders of the response as it was', async () => {
    const set = ['X-Was', '{status} {response.header.X-Powered-By} {response.header.Absent}.'];
    const { response } = await pass(headers({ response: { set } }), REQUEST, application());
    equal(responseField(response, 'x-was'), '404 a, b .');
  });

  it('has the texts of maps, and plain braces', async () => {
    const known = placeholders({
      kind: { source: '{header.User-Agent}', patterns: [{ pattern: '^curl/', value: 'tool' }] },
    });
    const handler = headers({ response: { set: ['X-Kind', '{map.kind}', 'X-Plain', '{{path}'] } }, known);
    const { response } = await pass(handler, requestOf({ headers: ['User-Agent', 'curl/8'] }));
    equal(responseField(response, 'x-kind'), 'tool');
    equal(responseField(response, 'x-plain'), '{path}');
  });

  it('sends no byte of a client that a field cannot have', async () => {
    const value = '{query.a}{cookie.c}{header.X}';
    const query = `a=${Array.from({ length: 256 }, (_, code) => `%${code.toString(16).padStart(2, '0')}`).join('')}`;
    const request = requestOf({ query, headers: ['Cookie', 'c=1\tü', 'X', '\xff'] });
    const options = { response: { set: ['X-A', value] }, request: { set: ['X-B', value] } };
    const { response, passed } = await pass(headers(options), request);
    const [sent] = valuesOf(responseFields(response), 'x-a');
    match(sent as string, /^[\t\x20-\x7e\x80-\xff]*$/);
    match(sent as string, /%0A.*%0D.*%7F/s);
    deepEqual(
      valuesOf(passed?.headers ?? [], 'x-b').map((field) => field.trim()),
      [sent],
    );
    deepEqual(
      responseFields(response).filter((_, i) => i % 2 === 0),
      ['Content-Type', 'X-A'],
    );
  });

  const invalid: readonly (readonly [HeadersOptions, RegExp])[] = [
    [{ response: { set: ['X-A', '{hots}'] } }, /\{hots\} in header "X-A"/],
    [{ response: { add: ['X-A', '{1}'] } }, /\{1\}/],
    [{ response: { defaults: ['X-A', '{constructor}'] } }, /\{constructor\}/],
    [{ request: { set: ['X-A', '{x}'] } }, /\{x\} in header "X-A"/],
    [{ request: { set: ['X-A', '{status}'] } }, /\{status\} in header "X-A".*no response yet/],
    [{ response: { set: ['X-A', '{body_bytes}'] } }, /only the access log/],
    [{ response: { set: ['X A', '1'] } }, /"X A"/],
    [{ response: { set: ['X-A', 'a\r\nB: c'] } }, /X-A/],
    [{ request: { set: ['X-A', 'a\nb'] } }, /X-A/],
    [{ response: { set: ['X-A', '€'] } }, /X-A/],
    [{ response: { remove: ['X-A:'] } }, /X-A:/],
    [{ response: { set: ['Content-Length', '1'] } }, /content-length/],
    [{ response: { remove: ['transfer-encoding'] } }, /transfer-encoding/],
    [{ response: { remove: ['Date'] } }, /Date/],
    [{ request: { remove: ['Host'] } }, /Host/],
    [{ request: { add: ['Host', 'b'] } }, /host/],
    [{ request: { set: ['Host', '{client.address}'] } }, /Host/],
    [{ request: { set: ['Host', 'a/b'] } }, /Host/],
    [{ request: { set: ['Expect', '100-continue'] } }, /expect/],
    [{ request: { remove: ['Content-Length'] } }, /Content-Length/],
  ];
  for (const [options, message] of invalid) {
    it(`refuses ${JSON.stringify(options)} at start`, () => {
      throws(
        () => headers(options),
        (error) => error instanceof ViaductError && message.test(error.message),
      );
    });
  }
});
