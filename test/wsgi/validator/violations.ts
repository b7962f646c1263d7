import type {
  Application,
  Environ,
  InputStream,
  Middleware,
  ResponseBody,
  StartResponse,
} from '../../../src/wsgi/contract.ts';
import type { ViolationName } from '../../../src/wsgi/validator/violation.ts';
import { collectGarbage } from '../../support/collect-garbage.ts';
import { callApplication, environWith } from '../../support/environ.ts';
import { eventually } from '../../support/wait.ts';

/** The parameters of a row: a validator, and whether it has reported a violation yet. */
export interface Trial {
  readonly check: Middleware;
  readonly isTold: () => boolean;
  /** An environ whose `wsgi.errors` belongs to the trial. */
  environ(changes?: Readonly<Record<string, unknown>>): Environ;
}

/** Breaks one rule, once. */
type Break = (trial: Trial) => unknown;

const block = Buffer.from('block');
const HEADERS = [['Content-Type', 'text/plain']] as const;
const good: Application = (_environ, startResponse) => {
  startResponse('200 OK', HEADERS);
  return [block];
};
const start: StartResponse = () => async () => {};

/** The application breaks a rule. */
function app(broken: (environ: Environ, startResponse: StartResponse) => unknown): Break {
  return ({ check, environ }) => callApplication(check(broken as Application), environ());
}

/** The application calls start_response in this way. */
function head(...given: unknown[]): Break {
  return app((_environ, startResponse) => {
    (startResponse as (...given: unknown[]) => void)(...given);
    return [];
  });
}

/** The application sends a correct head, and returns this body. */
function body(
  make: () => unknown,
  status = '200 OK',
  headers: readonly (readonly [string, string])[] = HEADERS,
): Break {
  return app((_environ, startResponse) => {
    startResponse(status, headers);
    return make();
  });
}

/** The application sends a correct head, and uses the input in this way. */
function reads(use: (input: InputStream) => unknown): Break {
  return app(async (environ, startResponse) => {
    await use(environ['wsgi.input']);
    startResponse('200 OK', HEADERS);
    return [block];
  });
}

/** The server calls a correct application with this environ. */
function environ(changes: Readonly<Record<string, unknown>>): Break {
  return ({ check, environ }) => callApplication(check(good), environ(changes));
}

/** The server uses a correct body in this way. */
function serves(use: (body: ResponseBody) => unknown, make: () => unknown = counting): Break {
  return async ({ check, environ }) => {
    const application = (_environ: Environ, startResponse: StartResponse) => {
      startResponse('200 OK', HEADERS);
      return make() as ResponseBody;
    };
    return use(await check(application)(environ(), start));
  };
}

/** The server drops a correct body, which is then collected. */
function loses(use: (body: ResponseBody) => unknown, make: () => unknown = counting): Break {
  return async (trial) => {
    await serves(use, make)(trial);
    await eventually('the dropped body is reported', async () => {
      collectGarbage();
      await new Promise((resolve) => setImmediate(resolve));
      return trial.isTold();
    });
  };
}

function counting(): ResponseBody {
  const blocks = (function* () {
    yield block;
    yield block;
  })();
  return Object.assign(blocks, { close() {} });
}

function* two(): Generator<Uint8Array> {
  yield block;
  yield block;
}

const iteratorOf = (body: ResponseBody): Iterator<Uint8Array> => (body as Iterable<Uint8Array>)[Symbol.iterator]();

/** For each rule, the ways in which the tests break it. */
export const BREAKS: Readonly<Record<ViolationName, readonly Break[]>> = {
  'application-not-callable': [({ check }) => check({} as Application)],
  'application-arguments': [
    async ({ check, environ }) => (check(good) as (...given: unknown[]) => unknown)(environ(), start, 'more'),
  ],
  'called-after-close': [
    async ({ check, environ }) => {
      const application = check(
        Object.assign(((...given) => good(...given)) as Application, { close: async () => {} }),
      );
      await application.close?.();
      return callApplication(application, environ());
    },
  ],
  'environ-not-plain': [
    ({ check, environ }) => {
      const ofClass = Object.assign(new (class Strange {})(), environ());
      return callApplication(check(good), ofClass as Environ);
    },
    ({ check, environ }) => callApplication(check(good), Object.freeze(environ())),
  ],
  'environ-key-missing': [environ({ REQUEST_METHOD: undefined }), environ({ 'wsgi.run_once': undefined })],
  'environ-key-wrong-type': [
    environ({ SERVER_PORT: 80 }),
    environ({ 'wsgi.multithread': 'no' }),
    environ({ HTTP_X_LIST: ['a'] }),
    environ({ REMOTE_USER: null }),
    environ({ 'wsgi.file_wrapper': {} }),
    environ({ USER: { id: 1 } }),
  ],
  'environ-key-wrong-value': [
    environ({ PATH_INFO: 'x' }),
    environ({ SCRIPT_NAME: '/' }),
    environ({ SCRIPT_NAME: '/app/' }),
    environ({ SCRIPT_NAME: 'app' }),
    environ({ CONTENT_LENGTH: '-1' }),
    environ({ 'wsgi.url_scheme': 'ftp' }),
    environ({ 'wsgi.version': [1, 1] }),
    environ({ REQUEST_METHOD: '' }),
  ],
  'environ-key-malformed': [environ({ 'HTTP_X-USER': 'a' }), environ({ HTTP_user: 'a' })],
  'environ-key-forbidden': [environ({ HTTP_CONTENT_TYPE: 'a/b' }), environ({ HTTP_CONTENT_LENGTH: '7' })],
  'environ-not-latin1': [environ({ PATH_INFO: '/€' }), environ({ HTTP_X_NAME: 'Ω' })],
  'input-incomplete': [environ({ 'wsgi.input': { read: async () => block } })],
  'errors-incomplete': [
    async ({ check, environ }) => {
      const errors = environ()['wsgi.errors'];
      return callApplication(check(good), environ({ 'wsgi.errors': { write: errors.write, flush() {} } }));
    },
  ],
  'input-argument': [
    reads((input) => input.read('1' as unknown as number)),
    reads((input) => input.readline(1.5)),
    reads((input) => input.readlines(Number.NaN)),
  ],
  'input-read-concurrently': [reads((input) => Promise.all([input.read(1), input.read(1)]))],
  'input-read-after-response': [
    async ({ check, environ }) => {
      let input: InputStream | undefined;
      const application: Application = (given, startResponse) => {
        input = given['wsgi.input'];
        return good(given, startResponse);
      };
      await callApplication(check(application), environ());
      return input?.read();
    },
  ],
  'input-result': [
    (trial) => reading({ read: async () => 'text' }, (input) => input.read())(trial),
    (trial) => reading({ read: () => block }, (input) => input.read())(trial),
    (trial) => reading({ read: async () => block }, (input) => input.read(2))(trial),
    (trial) => reading({ readlines: async () => ['a'] }, (input) => input.readlines())(trial),
    (trial) => reading({ readline: async () => new Uint8Array(1) }, (input) => input.readline())(trial),
  ],
  'errors-not-text': [
    app((environ, startResponse) => {
      environ['wsgi.errors'].write(7 as unknown as string);
      return good(environ, startResponse);
    }),
    app((environ, startResponse) => {
      environ['wsgi.errors'].writelines(['a', null as unknown as string]);
      return good(environ, startResponse);
    }),
  ],
  'start-response-arguments': [head('200 OK', HEADERS, undefined, 1)],
  'start-response-twice': [
    app((_environ, startResponse) => {
      startResponse('200 OK', HEADERS);
      startResponse('200 OK', HEADERS);
      return [block];
    }),
  ],
  'start-response-after-response': [
    async ({ check, environ }) => {
      let held: StartResponse = start;
      const application: Application = (given, startResponse) => {
        held = startResponse;
        return good(given, startResponse);
      };
      await callApplication(check(application), environ());
      held('200 OK', HEADERS, new Error('late'));
    },
  ],
  'start-response-not-called': [app(() => []), app(() => (async function* () {})())],
  'status-malformed': [
    head('200', HEADERS),
    head(200, HEADERS),
    head('100 Continue', HEADERS),
    head('200 O\nK', HEADERS),
    head('OK', HEADERS),
  ],
  'headers-not-list': [head('200 OK', { 'Content-Type': 'a/b' }), head('200 OK', new Map()), head('200 OK', null)],
  'headers-not-pairs': [
    head('200 OK', ['Content-Type', 'a/b']),
    head('200 OK', [['X-A']]),
    head('200 OK', [['X-A', 7]]),
    head('200 OK', [['X-A', 'a', 'b']]),
  ],
  'header-name-malformed': [head('200 OK', [['X A', 'a']]), head('200 OK', [['X:', 'a']]), head('200 OK', [['', 'a']])],
  'header-value-malformed': [head('200 OK', [['X-A', 'a\r\nSet-Cookie: b']]), head('200 OK', [['X-A', '\0']])],
  'header-not-latin1': [head('200 OK', [['X-A', '€']])],
  'header-hop-by-hop': [head('200 OK', [['Connection', 'close']]), head('200 OK', [['transfer-encoding', 'chunked']])],
  'header-status': [head('200 OK', [['Status', '200 OK']])],
  'content-length-malformed': [
    head('204 No Content', [['Content-Length', '1.5']]),
    head('204 No Content', [
      ['Content-Length', '0'],
      ['content-length', '0'],
    ]),
  ],
  'content-type-missing': [body(() => [block, block], '200 OK', [])],
  'content-type-not-allowed': [body(() => [], '204 No Content'), body(() => [], '304 Not Modified')],
  'write-not-callable': [async ({ check, environ }) => check(good)(environ(), (() => {}) as unknown as StartResponse)],
  'write-not-promise': [
    async ({ check, environ }) =>
      check((_environ, startResponse) => {
        void startResponse('200 OK', HEADERS)(block);
        return [];
      })(environ(), (() => () => {}) as unknown as StartResponse),
  ],
  'write-after-return': [
    app((_environ, startResponse) => {
      const write = startResponse('200 OK', HEADERS);
      return (async function* () {
        await write(block);
        yield block;
      })();
    }),
  ],
  'body-not-iterable': [body(() => undefined), body(async () => null), body(() => ({ length: 1, 0: block }))],
  'body-is-bytes': [body(() => block), body(() => 'text')],
  'close-not-callable': [body(() => Object.assign(two(), { close: true }), '200 OK', HEADERS)],
  'iterator-malformed': [
    body(() => ({ [Symbol.iterator]: () => ({ next: async () => ({ done: true, value: undefined }) }) })),
    body(() => ({ [Symbol.iterator]: () => 7 })),
    body(() => ({ [Symbol.asyncIterator]: () => ({ next: async () => null }) })),
  ],
  'block-not-bytes': [
    body(() => ['text']),
    body(() => [[1, 2]]),
    body(() => [Promise.resolve(block)]),
    body(function* () {
      yield null;
    }),
    body(async function* () {
      yield 'text';
    }),
    app(async (_environ, startResponse) => {
      await startResponse('200 OK', HEADERS)('text' as unknown as Uint8Array);
      return [];
    }),
  ],
  'block-before-start-response': [app(() => [block]), app(() => two())],
  'content-not-allowed': [body(() => [block], '204 No Content', []), body(() => two(), '304 Not Modified', [])],
  'content-too-short': [body(() => two(), '200 OK', [...HEADERS, ['Content-Length', '11']])],
  'content-too-long': [
    body(() => [block, block], '200 OK', [...HEADERS, ['Content-Length', '9']]),
    body(() => two(), '200 OK', [...HEADERS, ['Content-Length', '5']]),
  ],
  'iterated-twice': [
    serves((body) => {
      for (const _ of body as Iterable<Uint8Array>);
      for (const _ of body as Iterable<Uint8Array>);
      body.close?.();
    }),
  ],
  'iterated-after-close': [
    serves((body) => {
      const iterator = iteratorOf(body);
      iterator.next();
      iterator.return?.();
      body.close?.();
      iterator.next();
    }),
  ],
  'return-not-called': [
    serves((body) => {
      iteratorOf(body).next();
      body.close?.();
    }),
    loses((body) => iteratorOf(body).next(), two),
  ],
  'close-not-called': [
    loses((body) => {
      for (const _ of body as Iterable<Uint8Array>);
    }),
    loses(
      () => {},
      () => Object.assign([block], { close() {} }),
    ),
  ],
  'close-twice': [
    serves((body) => {
      body.close?.();
      body.close?.();
    }),
    serves(
      (body) => {
        body.close?.();
        body.close?.();
      },
      () => Object.assign([block], { close() {} }),
    ),
  ],
};

/** The server's input is broken, and a correct application reads it. */
function reading(broken: object, use: (input: InputStream) => unknown): Break {
  const input = environWith()['wsgi.input'];
  const methods = { readline: input.readline, readlines: input.readlines, blocks: input.blocks, read: input.read };
  const whole = { ...methods, [Symbol.asyncIterator]: input[Symbol.asyncIterator], ...broken };
  return ({ check, environ }) => {
    const application: Application = async (given, startResponse) => {
      await use(given['wsgi.input']);
      return good(given, startResponse);
    };
    return callApplication(check(application), environ({ 'wsgi.input': whole }));
  };
}
