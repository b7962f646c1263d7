import type { Span, TraceDocument } from '../../src/trace/document.ts';
import type { TraceSummary } from '../../src/trace/store.ts';

/** A span with the values that most have. */
export function spanOf(changes: Partial<Span> & Pick<Span, 'kind' | 'startUs' | 'endUs'>): Span {
  return { parent: -1, name: '', attributes: {}, file: '', line: 0, ...changes };
}

/** The trace of `GET /shop/?page=2`: a view with an N+1 query behind a middleware that changes a field, answered with 200 after 42 ms. */
export function documentOf(changes: Partial<TraceDocument> = {}): TraceDocument {
  const queries = Array.from({ length: 12 }, (_, index) =>
    spanOf({
      parent: 7,
      kind: 'query',
      name: 'default',
      startUs: 8000 + index * 2000,
      endUs: 9500 + index * 2000,
      attributes: {
        sql: 'SELECT "shop_author"."name" FROM "shop_author" WHERE "shop_author"."id" = %s',
        vendor: 'sqlite',
      },
      file: 'shop/views.py',
      line: 31,
    }),
  );
  const text: [string, string] = ['Content-Type', 'text/html; charset=utf-8'];
  return {
    id: 'a1b2c3-1',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    parentSpanId: null,
    startedAt: '2026-03-01T12:00:00.250Z',
    durationUs: 42_000,
    state: 'done',
    missing: [],
    kept: 'asked',
    detail: 'full',
    request: {
      method: 'GET',
      target: '/shop/?page=2',
      protocol: 'HTTP/1.1',
      scheme: 'http',
      host: '127.0.0.1:8000',
      client: '127.0.0.1:50000',
      listener: 'http://127.0.0.1:8000',
      headers: [
        ['Host', '127.0.0.1:8000'],
        ['User-Agent', 'curl/8.5'],
        ['Cookie', 'theme=dark; sessionid=[redacted]'],
      ],
      bodyBytes: 0,
    },
    response: {
      status: 200,
      headers: [
        text,
        ['Set-Cookie', 'seen=1; Path=/; HttpOnly; Expires=Thu, 01 Jan 2026 00:00:00 GMT'],
        ['Vary', 'Cookie'],
      ],
      bodyBytes: 5120,
      reason: '',
    },
    route: {
      name: 'shop',
      why: 'its path /shop/* matched',
      rejected: [{ name: 'static', why: 'its path is /static/*' }],
    },
    application: { name: 'main', worker: 4711, thread: 'lane-1' },
    environ: [{ group: 'request', name: 'REQUEST_METHOD', value: 'GET' }],
    startResponse: [{ caller: 'django', status: '200 OK', headers: [text], hasExcInfo: false }],
    spans: [
      spanOf({ kind: 'connection', startUs: -900, endUs: 0 }),
      spanOf({ kind: 'head', startUs: 0, endUs: 300 }),
      spanOf({ kind: 'route', name: 'shop', startUs: 320, endUs: 400 }),
      spanOf({ kind: 'queue', startUs: 450, endUs: 2000 }),
      spanOf({ kind: 'python', startUs: 2500, endUs: 40_000 }),
      spanOf({ parent: 4, kind: 'middleware', name: 'SessionMiddleware', startUs: 3000, endUs: 39_000 }),
      spanOf({ parent: 5, kind: 'url', name: 'shop/', startUs: 3500, endUs: 3600, attributes: { pattern: 'shop/' } }),
      spanOf({
        parent: 5,
        kind: 'view',
        name: 'shop.views.books',
        startUs: 4000,
        endUs: 38_000,
        file: 'shop/views.py',
        line: 20,
      }),
      ...queries,
      spanOf({ parent: 7, kind: 'template', name: 'shop/books.html', startUs: 34_000, endUs: 37_500 }),
      spanOf({ kind: 'response', startUs: 41_000, endUs: 42_000 }),
    ],
    hops: [
      { span: 7, direction: 'response', name: 'view shop.views.books', status: '200', headers: [text] },
      {
        span: 5,
        direction: 'response',
        name: 'middleware SessionMiddleware',
        status: '200',
        headers: [text, ['Vary', 'Cookie']],
      },
    ],
    exception: null,
    queries: {
      count: 12,
      us: 18_000,
      duplicates: [],
      nPlusOne: [
        {
          sql: 'SELECT "shop_author"."name" FROM "shop_author" WHERE "shop_author"."id" = %s',
          count: 12,
          us: 18_000,
          file: 'shop/views.py',
          line: 31,
        },
      ],
    },
    times: { queueUs: 2000, pythonUs: 37_500, backendUs: 0, clientUs: 500, ownUs: 2000 },
    clockErrorUs: 20,
    profile: null,
    ...changes,
  };
}

/** What looks like markup, or ends what surrounds it. */
export const MARKUP = `</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> --> "'&\u2028]]> \x1b[31m`;

/** A trace in which every text that a client or an application chooses is markup. */
export function hostileDocument(): TraceDocument {
  const document = documentOf();
  return {
    ...document,
    id: `evil"/\\${MARKUP}`,
    missing: [MARKUP],
    request: { ...document.request, method: MARKUP, target: `/${MARKUP}`, host: MARKUP, headers: [[MARKUP, MARKUP]] },
    response: { status: 500, headers: [[MARKUP, MARKUP]], bodyBytes: 1, reason: MARKUP },
    route: { name: MARKUP, why: MARKUP, rejected: [{ name: MARKUP, why: MARKUP }] },
    environ: [{ group: 'request', name: MARKUP, value: MARKUP }],
    spans: document.spans.map((span) => ({
      ...span,
      name: MARKUP,
      attributes: { sql: MARKUP, error: MARKUP },
      file: MARKUP,
    })),
    hops: document.hops.map((hop) => ({ ...hop, name: MARKUP, headers: [[MARKUP, MARKUP]] })),
    exception: {
      type: MARKUP,
      message: MARKUP,
      traceback: MARKUP,
      frames: [],
      members: 0,
      chain: [{ relation: 'cause', of: -1, type: MARKUP, message: MARKUP, frames: [], members: 0 }],
    },
  };
}

export function summaryOf(document: TraceDocument, number: number): TraceSummary {
  const { id, startedAt, request, response, route, durationUs, times, queries, detail, kept, state, exception } =
    document;
  return {
    id,
    number,
    startedAt,
    method: request.method,
    host: request.host,
    target: request.target,
    route: route?.name ?? '',
    status: response?.status ?? 0,
    durationUs,
    queueUs: times.queueUs,
    pythonUs: times.pythonUs,
    ownUs: times.ownUs,
    queries: queries.count,
    detail,
    kept,
    state,
    error: exception === null ? '' : `${exception.type}: ${exception.message}`,
    worker: document.application?.worker ?? 0,
  };
}
