import { deepEqual, equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type BasicAuthOptions, basicAuth } from '../../../src/handlers/auth/basic-auth.ts';
import { responseField } from '../../../src/http/response-fields.ts';
import { pass, requestOf, valuesOf } from '../../support/handler.ts';

/** Both passwords are `test`. */
const HASH = '$5$rounds=1500$q$Zj8uxCayoEHuLGNH2IO.MKKfrGS2Y1vjq5Tg3VjK2dD';
const USERS = new Map([
  ['anna', HASH],
  ['jörg', HASH],
]);

const basic = (credential: string, scheme = 'Basic') => `${scheme} ${Buffer.from(credential).toString('base64')}`;

function ask(authorization: readonly string[], options: Partial<BasicAuthOptions> = {}) {
  const fields = authorization.flatMap((value) => ['Authorization', value]);
  const request = requestOf({
    headers: ['Host', 'a', ...fields, 'X-Remote-User', 'forged', 'X_REMOTE_USER', 'forged'],
  });
  return pass(basicAuth({ users: USERS, ...options }), request);
}

describe('basic authentication', () => {
  for (const authorization of [
    basic('anna:test'),
    basic('jörg:test'),
    basic('anna:test', 'bAsIc'),
    `Basic   ${basic('anna:test').slice(6)}`,
  ]) {
    it(`allows ${authorization}`, async () => {
      const { response, passed } = await ask([authorization]);
      equal(response.status, 200);
      deepEqual(valuesOf(passed?.headers ?? [], 'Authorization'), [authorization]);
      equal(passed?.headerCacheId, 7);
      equal(passed?.user, authorization === basic('jörg:test') ? 'jörg' : 'anna');
    });
  }

  const refused: readonly (readonly string[])[] = [
    [],
    [''],
    ['Basic'],
    ['Basic '],
    ['Basic !!!!'],
    [basic('anna:test', 'Bearer')],
    [basic('anna:test', 'Basicx')],
    [basic('anna')],
    [basic('anna:')],
    [basic(':test')],
    [basic(':')],
    [basic('anna:Test')],
    [basic('anna:test\0')],
    [basic('anna:test:')],
    [basic('anna :test')],
    [basic('Anna:test')],
    [basic('toString:test')],
    [`Basic ${Buffer.from('jörg:test', 'latin1').toString('base64')}`],
    [basic('anna:test'), basic('anna:test')],
    [`${basic('anna:test')}, x`],
  ];
  for (const authorization of refused) {
    it(`asks for a password after ${JSON.stringify(authorization)}`, async () => {
      const { response, passed } = await ask(authorization);
      equal(response.status, 401);
      equal(passed, null);
      equal(responseField(response, 'www-authenticate'), 'Basic realm="Restricted", charset="UTF-8"');
    });
  }

  it('quotes its realm', async () => {
    const { response } = await ask([], { realm: 'The "a\\b" area' });
    equal(responseField(response, 'www-authenticate'), 'Basic realm="The \\"a\\\\b\\" area", charset="UTF-8"');
  });

  it("passes on the verified user, never the client's claim, and hides the password", async () => {
    const { passed } = await ask([basic('jörg:test')], { userHeader: 'X-Remote-User', hideCredentials: true });
    deepEqual(passed?.headers, ['Host', 'a', 'X-Remote-User', Buffer.from('jörg').toString('latin1')]);
    equal(passed?.headerCacheId, 0);
  });

  it('allows the same credential again without a promise', async () => {
    const handler = basicAuth({ users: USERS });
    const request = requestOf({ headers: ['Authorization', basic('anna:test')] });
    await pass(handler, request);
    const { response } = await pass(handler, request);
    equal(response.status, 200);
    equal(
      handler(request, () => response),
      response,
    );
    const always = basicAuth({ users: USERS, rememberMs: 0 });
    await pass(always, request);
    equal(typeof (always(request, () => response) as PromiseLike<unknown>).then, 'function');
  });

  const invalid: readonly (readonly [Partial<BasicAuthOptions>, RegExp])[] = [
    [{ users: new Map() }, /without users/],
    [{ users: new Map([['a:b', HASH]]) }, /"a:b"/],
    [{ users: new Map([['', HASH]]) }, /user ""/],
    [{ users: new Map([['a\n', HASH]]) }, /user/],
    [{ users: new Map([['anna', 'test']]) }, /"anna": it is not hashed/],
    [{ realm: 'a\r\nb' }, /realm/],
    [{ realm: 'Überall' }, /realm/],
    [{ userHeader: 'X Remote' }, /header/],
    [{ userHeader: 'X_Remote' }, /header/],
  ];
  for (const [options, message] of invalid) {
    it(`is refused at start with ${message}`, () => {
      throws(() => basicAuth({ users: USERS, ...options }), message);
    });
  }
});
