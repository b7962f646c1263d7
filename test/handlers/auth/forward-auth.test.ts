import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AuthQuestion, type ForwardAuthOptions, forwardAuth } from '../../../src/handlers/auth/forward-auth.ts';
import type { HeaderList } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { responseFields } from '../../../src/http/response-fields.ts';
import { pass, requestOf, valuesOf } from '../../support/handler.ts';

async function ask(
  status: number | Error,
  headers: HeaderList = [],
  options: Partial<ForwardAuthOptions> = {},
  sent: HeaderList = [],
) {
  const questions: AuthQuestion[] = [];
  const handler = forwardAuth({
    path: '/auth?app=1',
    ask: (question) => {
      questions.push(question);
      if (status instanceof Error) throw status;
      return Promise.resolve({ status, headers });
    },
    ...options,
  });
  const request = requestOf({ method: 'PUT', path: '/a%20b', query: 'c', headers: sent, peer: { secure: true } });
  const result = await pass(handler, request, Response.fromHeaders(200, ['Set-Cookie', 'own=1'], null));
  return { ...result, request, question: questions[0] };
}

const FORWARDED = [
  ...['X-Forwarded-Method', 'PUT', 'X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'test.example'],
  ...['X-Forwarded-Uri', '/a%20b?c', 'X-Forwarded-For', '192.0.2.1'],
];

describe('forward authentication', () => {
  it('asks for a path with values of the request, which cannot leave their part of it', async () => {
    const { question } = await ask(200, [], { path: '/check/{hostname}?from={uri}&b={header.x-b}' }, ['X-B', 'c&d=e']);
    equal(question?.path, '/check/test.example?from=%2Fa%2520b%3Fc&b=c%26d%3De');
    const { question: raw } = await ask(200, [], { path: '/check?from={uri.raw}&b={uri}' });
    equal(raw?.path, '/check?from=/a%20b?c&b=%2Fa%2520b%3Fc');
    throws(() => forwardAuth({ path: '/{uri.raw}', ask: () => Promise.reject() }), /\{uri\.raw\} is in the path/);
    throws(() => forwardAuth({ path: '/{nothing}', ask: () => Promise.reject() }), /there is no such placeholder/);
  });

  it('gives fields of the answer to the request under other names, and never those of the client', async () => {
    const copyHeaders = { 'X-User': 'X-Auth-User', 'X-Login': 'X-Auth-User', 'X-Groups': 'X-Auth-Groups' };
    const sent = ['x-user', 'forged', 'X_Groups', 'root', 'X-Auth-User', 'client', 'X-Other', 'kept'];
    const { passed } = await ask(
      200,
      ['x-auth-user', 'jane', 'X-User', 'wrong', 'X-Auth-Other', 'a'],
      { copyHeaders },
      sent,
    );
    deepEqual(passed?.headers, ['X-Auth-User', 'client', 'X-Other', 'kept', 'X-User', 'jane', 'X-Login', 'jane']);
    for (const bad of [{ 'X User': 'X-A' }, { 'X-User': 'X A' }, { Host: 'X-A' }, { 'X-A': 'Content-Length' }])
      throws(() => forwardAuth({ ask: () => Promise.reject(), path: '/', copyHeaders: bad }), /Cannot copy header/);
  });

  it('asks with the fields of the request, except those of content, conditions and the connection', async () => {
    const sent = [
      ...[
        'Host',
        'test.example',
        'Cookie',
        'a=b',
        'Content-Length',
        '5',
        'content-type',
        'text/html',
        'Expect',
        '100-continue',
      ],
      ...[
        'If-None-Match',
        '"a"',
        'Range',
        'bytes=0-',
        'Upgrade',
        'websocket',
        'Connection',
        'Upgrade',
        'Authorization',
        'Bearer x',
      ],
      ...[
        'x-forwarded-uri',
        '/forged',
        'X_Forwarded_Host',
        'forged',
        'X-Forwarded-For',
        '10.0.0.1',
        'X-Forwarded-Prefix',
        '/x',
      ],
    ];
    const { question, passed, request } = await ask(204, [], {}, sent);
    deepEqual(question, {
      method: 'GET',
      path: '/auth?app=1',
      headers: ['Cookie', 'a=b', 'Authorization', 'Bearer x', ...FORWARDED],
    });
    equal(passed, request);
  });

  it('asks with the configured fields only', async () => {
    const sent = ['Cookie', 'a=b', 'Authorization', 'x', 'cookie', 'c=d', 'X-Forwarded-For', '10.0.0.1'];
    const { question } = await ask(200, [], { requestHeaders: ['cookie', 'x-forwarded-for'] }, sent);
    deepEqual(question?.headers, ['Cookie', 'a=b', 'cookie', 'c=d', ...FORWARDED]);
  });

  it('copies fields of a 2xx answer, and removes those of the client', async () => {
    const sent = ['x-user', 'forged', 'X_User', 'forged', 'X-Groups', 'admin', 'Accept', '*/*'];
    const options = { copyHeaders: ['X-User', 'X-Groups'] };
    const { passed } = await ask(200, ['X-User', 'anna', 'X-Other', 'y', 'x-user', 'too'], options, sent);
    deepEqual(passed?.headers, ['Accept', '*/*', 'X-User', 'anna', 'X-User', 'too']);
    equal(passed?.headerCacheId, 0);
  });

  it('adds fields of a 2xx answer to the response of the application', async () => {
    const { response } = await ask(200, ['Set-Cookie', 'session=2', 'X-A', '1'], { clientHeaders: ['Set-Cookie'] });
    deepEqual(responseFields(response), ['Set-Cookie', 'own=1', 'Set-Cookie', 'session=2']);
    deepEqual(responseFields((await ask(200, ['Set-Cookie', 'session=2'])).response), ['Set-Cookie', 'own=1']);
  });

  for (const status of [401, 403, 301, 302, 303, 307, 308]) {
    it(`passes ${status} of the service to the client, with its fields`, async () => {
      const headers = [
        ...[
          'Location',
          'https://login.example/',
          'WWW-Authenticate',
          'Bearer',
          'Set-Cookie',
          'a=1',
          'set-cookie',
          'b=2',
        ],
        ...['Content-Length', '100', 'Content-Encoding', 'gzip', 'Connection', 'close', 'X-Secret', 'x'],
      ];
      const { response, passed } = await ask(status, headers, { copyHeaders: ['X-Secret'] });
      equal(passed, null);
      equal(response.status, status);
      const fields = responseFields(response).filter((_, i, all) => (all[i - (i % 2)] as string) !== 'Content-Type');
      deepEqual(fields, [...headers.slice(0, 8), 'Cache-Control', 'no-store']);
    });
  }

  const timeouts = [
    Object.assign(new Error('slow'), { name: 'TimeoutError' }),
    Object.assign(new Error('slow'), { code: 'ETIMEDOUT' }),
  ];
  const failures: readonly (readonly [answer: number | Error, status: number])[] = [
    ...[100, 304, 300, 400, 404, 405, 429, 500, 503].map((status) => [status, 502] as const),
    [new Error('connection refused'), 502],
    ...timeouts.map((error) => [error, 504] as const),
  ];
  for (const [answer, status] of failures) {
    it(`answers ${status} when the service answers ${answer}`, async () => {
      const errors: unknown[] = [];
      const options = { onError: (error: unknown) => errors.push(error) };
      const { response, passed } = await ask(answer, ['Location', 'https://x.example/'], options);
      match(
        `${errors}`,
        answer instanceof Error ? /^\w+: (connection refused|slow)$/ : new RegExp(`answered with ${answer}$`),
      );
      equal(response.status, status);
      equal(passed, null);
      deepEqual(valuesOf(responseFields(response), 'Location'), []);
    });
  }

  it('denies the request when the promise rejects', async () => {
    const { response, passed } = await ask(200, [], { ask: () => Promise.reject(timeouts[0]) });
    equal(response.status, 504);
    equal(passed, null);
  });

  it('is refused at start with invalid names and paths', () => {
    const make = (options: Partial<ForwardAuthOptions>) => () =>
      forwardAuth({ path: '/', ask: () => Promise.reject(new Error()), ...options });
    for (const path of ['', 'auth', 'http://a/', '/a b', '/a\r\nb']) throws(make({ path }), /not a path/, path);
    for (const name of ['', 'a b', 'X_User', 'Content-Length', 'host', 'Connection']) {
      throws(make({ copyHeaders: [name] }), /Cannot copy header/, name);
      throws(make({ clientHeaders: [name] }), /Cannot copy header/, name);
    }
    throws(make({ requestHeaders: ['a:b'] }), /a:b/);
  });
});
