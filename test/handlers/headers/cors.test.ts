import { deepEqual, equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CorsOptions, cors } from '../../../src/handlers/headers/cors.ts';
import type { HeaderList } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { responseFields } from '../../../src/http/response-fields.ts';
import { pass, requestOf, valuesOf } from '../../support/handler.ts';

const LISTED: CorsOptions = {
  origins: [
    'https://a.example',
    'https://*.b.example',
    'http://localhost:3000',
    'http://[::1]:8000',
    'capacitor://localhost',
  ],
  methods: ['PUT', 'DELETE'],
  headers: ['X-Token', 'Content-Type'],
  exposedHeaders: ['X-Total', 'ETag'],
  credentials: true,
  maxAgeS: 600,
};
const ANY: CorsOptions = { origins: ['*'] };

async function ask(options: CorsOptions, method: string, headers: HeaderList, own: HeaderList = []) {
  const { response, passed } = await pass(
    cors(options),
    requestOf({ method, headers }),
    Response.fromHeaders(200, own, null),
  );
  return { status: response.status, fields: responseFields(response), passed };
}

const preflightOf = (origin: string, ...more: string[]) => [
  'Origin',
  origin,
  'Access-Control-Request-Method',
  'PUT',
  ...more,
];

describe('CORS', () => {
  const allowed = [
    'https://a.example',
    'https://x.b.example',
    'https://x.y.b.example',
    'http://localhost:3000',
    'http://[::1]:8000',
    'capacitor://localhost',
  ];
  const others = [
    ...[
      'null',
      '',
      'https://a.example.evil.example',
      'https://evil-a.example',
      'http://a.example',
      'https://a.example:444',
      'https://A.example',
    ],
    ...[
      'https://b.example',
      'https://.b.example',
      'https://xb.example',
      'http://x.b.example',
      'https://x.b.example:8',
      'https://evil.example/.b.example',
    ],
    ...[
      'https://evil.example?.b.example',
      'https://x@y.b.example',
      'https://x..b.example',
      'https://a.example, https://evil.example',
      '*',
    ],
  ];
  for (const origin of allowed) {
    it(`lets a page of ${origin} read the response`, async () => {
      const { fields, status } = await ask(LISTED, 'GET', ['Origin', origin]);
      equal(status, 200);
      deepEqual(fields, [
        ...['Vary', 'Origin', 'Access-Control-Allow-Origin', origin, 'Access-Control-Allow-Credentials', 'true'],
        ...['Access-Control-Expose-Headers', 'X-Total, ETag'],
      ]);
    });
  }
  for (const origin of others) {
    it(`adds nothing for a page of ${JSON.stringify(origin)}, and answers its preflight with 403`, async () => {
      const { fields, passed } = await ask(LISTED, 'GET', ['Origin', origin]);
      deepEqual(fields, ['Vary', 'Origin']);
      equal(passed === null, false);
      const preflight = await ask(LISTED, 'OPTIONS', preflightOf(origin));
      equal(preflight.status, 403);
      equal(preflight.passed, null);
      deepEqual(valuesOf(preflight.fields, 'Access-Control-Allow-Origin'), []);
      deepEqual(valuesOf(preflight.fields, 'Vary'), ['Origin']);
    });
  }

  it('adds Origin to Vary, also without an Origin in the request', async () => {
    deepEqual((await ask(LISTED, 'GET', [])).fields, ['Vary', 'Origin']);
    const { fields } = await ask(LISTED, 'GET', ['Origin', 'https://a.example'], ['Vary', 'Cookie']);
    deepEqual(valuesOf(fields, 'Vary'), ['Cookie, Origin']);
  });

  it('replaces the fields of the application, so that none is sent twice', async () => {
    const own = ['Access-Control-Allow-Origin', '*', 'access-control-allow-credentials', 'false'];
    const { fields } = await ask(LISTED, 'GET', ['Origin', 'https://a.example'], own);
    deepEqual(valuesOf(fields, 'Access-Control-Allow-Origin'), ['https://a.example']);
    deepEqual(valuesOf(fields, 'Access-Control-Allow-Credentials'), ['true']);
  });

  it('answers a preflight with the allowed methods and fields', async () => {
    const asked = preflightOf('https://a.example', 'Access-Control-Request-Headers', 'x-token,x-other');
    const { status, fields, passed } = await ask(LISTED, 'OPTIONS', asked);
    equal(status, 204);
    equal(passed, null);
    deepEqual(fields, [
      ...['Access-Control-Allow-Origin', 'https://a.example', 'Access-Control-Allow-Credentials', 'true'],
      ...['Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, DELETE'],
      ...['Access-Control-Allow-Headers', 'X-Token, Content-Type', 'Access-Control-Max-Age', '600', 'Vary', 'Origin'],
    ]);
  });

  it('allows any origin with *, without Vary', async () => {
    deepEqual((await ask(ANY, 'GET', ['Origin', 'https://any.example'])).fields, ['Access-Control-Allow-Origin', '*']);
    deepEqual((await ask(ANY, 'GET', [])).fields, []);
    const preflight = await ask(ANY, 'OPTIONS', preflightOf('null'));
    deepEqual(preflight.fields, [
      'Access-Control-Allow-Origin',
      '*',
      'Access-Control-Allow-Methods',
      'GET, HEAD, POST',
    ]);
  });

  it('allows all requested field names with *, but only valid names', async () => {
    const options: CorsOptions = { ...ANY, headers: ['*'] };
    const asked = 'authorization, x-a,, b c, *, "q", x:y';
    const { fields } = await ask(
      options,
      'OPTIONS',
      preflightOf('https://a.example', 'Access-Control-Request-Headers', asked),
    );
    deepEqual(valuesOf(fields, 'Access-Control-Allow-Headers'), ['authorization, x-a']);
    deepEqual(valuesOf(fields, 'Vary'), ['Access-Control-Request-Headers']);
    const none = await ask(options, 'OPTIONS', preflightOf('https://a.example'));
    deepEqual(valuesOf(none.fields, 'Access-Control-Allow-Headers'), []);
  });

  it('allows a private network only if it is configured and requested', async () => {
    const asked = preflightOf('https://a.example', 'Access-Control-Request-Private-Network', 'true');
    const name = 'Access-Control-Allow-Private-Network';
    deepEqual(valuesOf((await ask(LISTED, 'OPTIONS', asked)).fields, name), []);
    const set: CorsOptions = { ...LISTED, privateNetwork: true };
    deepEqual(valuesOf((await ask(set, 'OPTIONS', asked)).fields, name), ['true']);
    deepEqual(valuesOf((await ask(set, 'OPTIONS', preflightOf('https://a.example'))).fields, name), []);
  });

  const noPreflights: readonly (readonly [method: string, headers: HeaderList])[] = [
    ['OPTIONS', []],
    ['OPTIONS', ['Origin', 'https://a.example']],
    ['OPTIONS', ['Access-Control-Request-Method', 'PUT']],
    ['POST', preflightOf('https://a.example')],
  ];
  for (const [method, headers] of noPreflights) {
    it(`passes on ${method} with ${JSON.stringify(headers)}`, async () => {
      const { status, passed } = await ask(LISTED, method, headers);
      equal(status, 200);
      equal(passed === null, false);
    });
  }

  it('accepts null as an origin if it is listed', async () => {
    const { fields } = await ask({ origins: ['null'] }, 'GET', ['Origin', 'null']);
    deepEqual(valuesOf(fields, 'Access-Control-Allow-Origin'), ['null']);
  });

  const invalid: readonly (readonly [Partial<CorsOptions>, RegExp])[] = [
    [{ origins: [] }, /without origins/],
    [{ origins: ['*'], credentials: true }, /credentials/],
    [{ origins: ['https://a.example', 'null'], credentials: true }, /credentials/],
    ...[
      'a.example',
      'https://a.example/',
      'https://A.example',
      'https://a.example:443',
      'https://*',
      'https://a.*.example',
      'https://*.a.example/x',
      'https://a@b',
      '',
      'https://ä.example',
    ].map((origin): [Partial<CorsOptions>, RegExp] => [{ origins: [origin] }, /Cannot allow origin/]),
    [{ methods: ['PUT,DELETE'] }, /method/],
    [{ methods: ['trace'] }, /method/],
    [{ headers: ['X Token'] }, /header/],
    [{ exposedHeaders: ['a\r\nb'] }, /header/],
    [{ exposedHeaders: ['*'], credentials: true }, /exposed/],
    [{ maxAgeS: -1 }, /max-age/],
    [{ maxAgeS: 0.5 }, /max-age/],
  ];
  for (const [options, message] of invalid) {
    it(`is refused at start with ${JSON.stringify(options)}`, () => {
      throws(() => cors({ origins: ['https://a.example'], ...options }), message);
    });
  }
});
