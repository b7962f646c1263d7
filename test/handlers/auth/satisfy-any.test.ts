import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { hashPassword } from '../../../src/handlers/auth/passwords.ts';
import { satisfyAny } from '../../../src/handlers/auth/satisfy-any.ts';
import type { Handler } from '../../../src/http/handler.ts';
import { Response } from '../../../src/http/response.ts';
import { responseFields } from '../../../src/http/response-fields.ts';
import { toPromise } from '../../../src/http/to-promise.ts';
import { startBackend } from '../../support/backend.ts';
import { pass, requestOf, valuesOf } from '../../support/handler.ts';
import { ask } from '../../support/http-client.ts';
import { makeProject } from '../../support/project.ts';
import { runViaduct, startViaduct } from '../../support/viaduct.ts';

const passes: Handler = (request, next) => next(request);
const passesLater: Handler = (request, next) => Promise.resolve().then(() => toPromise(next(request)));
const answers =
  (status: number, fields: string[] = []): Handler =>
  () =>
    Response.text(status, `${status}\n`, fields);
const answersLater =
  (status: number): Handler =>
  () =>
    Promise.resolve(Response.text(status, `${status}\n`));

describe('one of several checks', () => {
  const checksOf = (...handlers: Handler[]) => satisfyAny(handlers.map((handler) => ({ handler, owns: [] })));
  // ngx_http_core_access_phase: 401 stays, another status replaces 403, all others end the phase.
  for (const [title, handlers, expected] of [
    ['passes when the first passes', [passes, answers(403)], 200],
    ['passes when the last passes', [answers(403), answers(401), passes], 200],
    ['passes when one passes later', [answers(401), passesLater, answers(500)], 200],
    ['is 403 when all are 403', [answers(403), answersLater(403)], 403],
    ['is 401 when a 403 comes first', [answers(403), answers(401)], 401],
    ['is 401 when a 403 comes last', [answersLater(401), answers(403)], 401],
    ['is a redirect as soon as one redirects', [answers(403), answers(302), passes], 302],
    ['is 503 as soon as one is overloaded', [answers(401), answersLater(503), passes], 503],
  ] as const) {
    it(title, async () => {
      const { response, passed } = await pass(checksOf(...handlers), requestOf());
      assert.equal(response.status, expected);
      assert.equal(passed !== null, expected === 200);
    });
  }

  it('does not take an answer of what is behind it for a refusal', async () => {
    const { response } = await pass(checksOf(passes, answers(500)), requestOf(), Response.text(403, 'application'));
    assert.equal(response.body?.toString(), 'application');
  });

  it('has the challenges of all', async () => {
    const challenge = (text: string) => ['WWW-Authenticate', text];
    const handler = checksOf(
      answers(401, challenge('Basic realm="a"')),
      answers(403),
      answers(401, challenge('Bearer')),
    );
    const { response } = await pass(handler, requestOf());
    assert.deepEqual(valuesOf(responseFields(response), 'www-authenticate'), ['Basic realm="a"', 'Bearer']);
  });

  it('removes the fields of the checks that did not pass the request on', async () => {
    const handler = satisfyAny([
      { handler: answers(403), owns: ['X-First'] },
      { handler: passes, owns: ['X-Second', 'X-Both'] },
      { handler: answers(403), owns: ['X-Third', 'x-both'] },
    ]);
    const headers = ['X-First', '1', 'X_Third', '3', 'X-Second', '2', 'X-Both', 'b', 'X-Other', 'o'];
    const { passed } = await pass(handler, requestOf({ headers }));
    assert.deepEqual(passed?.headers, ['X-Second', '2', 'X-Both', 'b', 'X-Other', 'o']);
  });

  it('needs one', () => assert.throws(() => satisfyAny([]), /there must be one/));
});

const APPLICATION = `def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    names = ['HTTP_X_REMOTE_USER', 'HTTP_AUTHORIZATION', 'HTTP_X_SERVICE']
    return [' '.join(environ.get(name, '-') for name in names).encode('latin-1')]
`;

describe('satisfy = "any"', () => {
  async function start(t: TestContext) {
    const service = await startBackend(t, (head) =>
      /cookie: session=good/i.test(head)
        ? 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Service: yes\r\nAuthorization: token\r\n\r\n'
        : 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n',
    );
    const project = makeProject(t, {
      'app.py': APPLICATION,
      'viaduct.toml': `
trusted_proxies = ["127.0.0.1"]
access = { allow = ["192.0.2.0/24"] }

[[route]]
path = "/any/*"
satisfy = "any"
basic_auth = { users = { jane = "${await hashPassword('secret')}" }, user_header = "X-Remote-User" }
forward_auth = { url = "${service.url}/verify", copy_headers = ["X-Service", "Authorization"] }

[[route]]
path = "/all/*"
basic_auth = { users = { jane = "${await hashPassword('secret')}" } }
`,
    });
    return { project, port: (await startViaduct(t, ['serve', project, '--access-log', 'off'])).port };
  }

  it('lets a client in by its address, its password or the service', async (t) => {
    const { project, port } = await start(t);
    const basic = ['Authorization', `Basic ${Buffer.from('jane:secret').toString('base64')}`] as const;
    const forged = [
      ['X-Remote-User', 'root'],
      ['X-Service', 'root'],
    ] as const;
    const from = (address: string) => ['X-Forwarded-For', address] as const;
    const answer = async (path: string, ...headers: (readonly [string, string])[]) => {
      const { status, body } = await ask(port, path, { headers: [...forged, ...headers] });
      return status === 200 ? body : status;
    };
    assert.equal(await answer('/any/', from('192.0.2.7'), ['Authorization', 'Bearer forged']), '- - -');
    assert.equal(await answer('/any/', from('198.51.100.1'), basic), 'jane - -');
    assert.equal(await answer('/any/', from('198.51.100.1'), ['Cookie', 'session=good']), '- token yes');
    assert.equal(await answer('/any/', from('198.51.100.1')), 401);
    assert.equal(await answer('/all/', from('198.51.100.1'), basic), 403);
    assert.equal(await answer('/all/', from('192.0.2.7')), 401);
    assert.equal(await answer('/other', from('198.51.100.1')), 403);
    const { output } = await runViaduct(project, 'check');
    assert.match(output, /\/any\/\* → any of addressList, basicAuth, forwardAuth → application/);
  });
});
