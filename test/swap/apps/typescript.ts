import { createHash } from 'node:crypto';
import type { Application, Environ, StartResponse } from 'viaduct';

type Endpoint = (environ: Environ, startResponse: StartResponse, query: URLSearchParams) => ReturnType<Application>;
type Headers = [string, string][];

const LARGE = Buffer.alloc(5_000_000, 'abcdefghijklmnopqrstuvwxyz');
const FILE = LARGE.subarray(0, 1000);
const BLOCK = 50_000;
const TAG = '"v1"';
const TEXT: [string, string] = ['Content-Type', 'text/plain'];

const released = new Set<string>();
const waiting = new Map<string, () => void>();

/** The endpoints as a TypeScript application. */
export const application: Application = (environ, startResponse) => {
  const endpoint = ENDPOINTS[environ.PATH_INFO.split('/')[1] ?? ''] ?? missing;
  return endpoint(environ, startResponse, new URLSearchParams(environ.QUERY_STRING));
};

function answer(startResponse: StartResponse, status: string, headers: Headers, content: Uint8Array | string) {
  const bytes = Buffer.from(content as string);
  startResponse(status, [TEXT, ['Content-Length', `${bytes.length}`], ...headers]);
  return [bytes];
}

function missing(_environ: Environ, startResponse: StartResponse) {
  return answer(startResponse, '404 Not Found', [], 'there is no such page');
}

function* blocks() {
  for (let start = 0; start < LARGE.length; start += BLOCK) yield LARGE.subarray(start, start + BLOCK);
}

/** Yields the second block when another request reports that the first one has arrived. */
async function* stream(key: string) {
  yield Buffer.from('first\n');
  if (!released.has(key)) {
    await new Promise<void>((resolve) => {
      waiting.set(key, resolve);
      setTimeout(resolve, 10_000).unref();
    });
  }
  yield Buffer.from('last\n');
}

async function* broken() {
  yield LARGE.subarray(0, 70_000);
  throw new Error('broken off on purpose');
}

async function echo(environ: Environ, startResponse: StartResponse) {
  const content = await environ['wsgi.input'].read();
  const request = {
    method: environ.REQUEST_METHOD,
    script: environ.SCRIPT_NAME,
    pathInfo: environ.PATH_INFO,
    path: Buffer.from(environ.PATH_INFO, 'latin1').toString(),
    query: environ.QUERY_STRING,
    scheme: environ['wsgi.url_scheme'],
    address: environ.REMOTE_ADDR,
    length: environ.CONTENT_LENGTH ?? '',
    type: environ.CONTENT_TYPE ?? '',
    size: content.length,
    digest: createHash('sha256').update(content).digest('hex'),
    fields: Object.fromEntries(Object.entries(environ).filter(([name]) => name.startsWith('HTTP_'))),
  };
  return answer(startResponse, '200 OK', [], JSON.stringify(request));
}

function file(environ: Environ, startResponse: StartResponse) {
  const [, first, end] = /^bytes=(\d+)-(\d+)$/.exec(environ.HTTP_RANGE ?? '') ?? [];
  if (first === undefined) return answer(startResponse, '200 OK', [['Accept-Ranges', 'bytes']], FILE);
  const last = Math.min(Number(end), FILE.length - 1);
  const range = `bytes ${first}-${last}/${FILE.length}`;
  const part = FILE.subarray(Number(first), last + 1);
  return answer(startResponse, '206 Partial Content', [['Content-Range', range]], part);
}

function tagged(environ: Environ, startResponse: StartResponse) {
  if (environ.HTTP_IF_NONE_MATCH !== TAG) return answer(startResponse, '200 OK', [['ETag', TAG]], 'tagged');
  startResponse('304 Not Modified', [['ETag', TAG]]);
  return [];
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  echo,
  file,
  tagged,
  large: (_, startResponse) => answer(startResponse, '200 OK', [], LARGE),
  blocks(_, startResponse) {
    startResponse('200 OK', [TEXT]);
    return blocks();
  },
  stream(_, startResponse, query) {
    startResponse('200 OK', [TEXT]);
    return stream(query.get('key') ?? '');
  },
  release(_, startResponse, query) {
    const key = query.get('key') ?? '';
    released.add(key);
    waiting.get(key)?.();
    return answer(startResponse, '200 OK', [], 'released');
  },
  broken(_, startResponse, query) {
    startResponse('200 OK', [TEXT, ...(query.has('length') ? ([['Content-Length', '100000']] as Headers) : [])]);
    return broken();
  },
  cookies(_, startResponse) {
    const values = ['a=1; Path=/', 'b=2; Path=/; HttpOnly', 'c=3; Path=/; Expires=Wed, 21 Oct 2037 07:28:00 GMT'];
    const headers = values.map((value): [string, string] => ['Set-Cookie', value]);
    return answer(startResponse, '200 OK', headers, 'cookies');
  },
  fields(_, startResponse) {
    const headers: Headers = [
      ['X-Latin', 'caf\xe9'],
      ['X-Empty', ''],
      ['X-Twice', 'one'],
      ['X-Twice', 'two'],
    ];
    return answer(startResponse, '200 OK', headers, 'fields');
  },
  redirect: (_, startResponse, query) =>
    answer(startResponse, '302 Found', [['Location', query.get('to') ?? '']], 'elsewhere'),
  empty(_, startResponse) {
    startResponse('204 No Content', []);
    return [];
  },
  status(_, startResponse, query) {
    return answer(startResponse, `${query.get('code')} Custom`, [], `status ${query.get('code')}`);
  },
  fail() {
    throw new Error('failed on purpose');
  },
};
